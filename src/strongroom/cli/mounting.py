"""What ``secrets`` and ``auth`` have in common: enabling, tuning, moving and listing mounts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click

from strongroom.cli.arguments import parse_text_pairs
from strongroom.cli.errors import REMOTE, CommandFailed, reporting
from strongroom.cli.go_text import plain
from strongroom.cli.options import duration, switch, text, texts, whole
from strongroom.cli.secret_view import ordered
from strongroom.cli.session import Session

_POLL_SECONDS = 0.2
_POLLS_MAX = 3000

_LISTS = (
    "audit_non_hmac_request_keys",
    "audit_non_hmac_response_keys",
    "passthrough_request_headers",
    "allowed_response_headers",
)
_ENTRY_MEMBERS = (
    "uuid",
    "type",
    "description",
    "accessor",
    "config",
    "options",
    "local",
    "seal_wrap",
    "external_entropy_access",
    "plugin_version",
    "running_plugin_version",
    "running_sha256",
    "deprecation_status",
)
_CONFIG_FIRST = ("default_lease_ttl", "max_lease_ttl", "force_no_cache")


def tune_options() -> list[click.Option]:
    """The flags that set how a mount behaves."""
    return [
        duration("-default-lease-ttl", help="How long leases and tokens live by default."),
        duration("-max-lease-ttl", help="How long they live at most."),
        text("-description", help="What it is for.", default=None),
        text("-listing-visibility", help='"unauth" to show it before login, or "hidden".'),
        texts("-options", help="Option of the engine, as key=value. May be repeated."),
        whole("-version", help="Version of the engine (kv: 1 or 2)."),
        texts("-audit-non-hmac-request-keys", help="Request field that the audit shows in clear. May be repeated."),
        texts("-audit-non-hmac-response-keys", help="Response field that the audit shows in clear. May be repeated."),
        texts("-passthrough-request-headers", help="Header that the engine may see. May be repeated."),
        texts("-allowed-response-headers", help="Header that the engine may set. May be repeated."),
    ]


def enable_options() -> list[click.Option]:
    """The flags that can only be given at the beginning."""
    return [
        text("-path", help="Where to mount it; the type's name without this."),
        switch("-local", help="Not for replication."),
        switch("-seal-wrap", help="Wrap its critical values with the seal too."),
        switch("-external-entropy-access", help="Let it use the seal's source of randomness."),
        switch("-force-no-cache", help="Do not cache for it."),
    ]


def tuning(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a tune request: what was given, and nothing else."""
    body = {name: flags[name] for name in ("default_lease_ttl", "max_lease_ttl", "listing_visibility") if flags[name]}
    body |= {name: list(flags[name]) for name in _LISTS if flags[name]}
    if flags["description"] is not None:
        body["description"] = flags["description"]
    options = engine_options(flags)
    if options:
        body["options"] = options
    return body


def engine_options(flags: Mapping[str, Any]) -> dict[str, str]:
    """The options for the engine itself, from ``-options`` and ``-version``."""
    options = parse_text_pairs(flags["options"], "-options")
    if flags["version"] is not None:
        options["version"] = str(flags["version"])
    return options


def enabling(kind: str, flags: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request that enables ``kind``."""
    config = tuning(flags)
    description, options = config.pop("description", ""), config.pop("options", None)
    config["force_no_cache"] = flags["force_no_cache"]
    return {
        "type": kind,
        "description": description,
        "config": config,
        "options": options,
        "local": flags["local"],
        "seal_wrap": flags["seal_wrap"],
        "external_entropy_access": flags["external_entropy_access"],
    }


def mount_table(session: Session, path: str, action: str) -> dict[str, dict[str, Any]]:
    """The mounts that ``sys/mounts`` or ``sys/auth`` tell, by path, with Vault's members in its order."""
    with reporting(action):
        answer = session.client.request("GET", path).json() or {}
    data = answer.get("data") or {}
    return {name: _entry(data[name]) for name in sorted(data) if isinstance(data[name], Mapping)}


def detailed_row(path: str, mount: Mapping[str, Any], token_type: list[str]) -> list[str]:
    """A mount as the row of a detailed list. ``token_type`` is the cell that only auth methods have, or empty."""
    config = mount.get("config") or {}
    internal = mount.get("type") in {"system", "cubbyhole"}

    def ttl(name: str) -> str:
        return "" if internal else str(config.get(name) or "system")

    return [
        path,
        str(mount.get("type", "")),
        str(mount.get("accessor", "")),
        ttl("default_lease_ttl"),
        ttl("max_lease_ttl"),
        *token_type,
        *([] if token_type else [plain(bool(config.get("force_no_cache")))]),
        "local" if mount.get("local") else "replicated",
        plain(bool(mount.get("seal_wrap"))),
        plain(bool(mount.get("external_entropy_access"))),
        plain(mount.get("options") or {}),
        str(mount.get("description", "")),
        str(mount.get("uuid", "")),
        str(mount.get("plugin_version", "")),
        str(mount.get("running_plugin_version", "")),
        str(mount.get("running_sha256", "")),
        str(mount.get("deprecation_status", "")),
    ]


def detailed_head(*, is_auth: bool) -> list[str]:
    """The head over ``detailed_row``."""
    own = "Token Type" if is_auth else "Force No Cache"
    return [
        *("Path", "Plugin", "Accessor", "Default TTL", "Max TTL", own, "Replication", "Seal Wrap"),
        *("External Entropy Access", "Options", "Description", "UUID", "Version", "Running Version"),
        *("Running SHA256", "Deprecation Status"),
    ]


def move(session: Session, source: str, target: str, what: str) -> None:
    """Moves a mount and waits until it has moved. Raises CommandFailed."""
    names = f"{what} {source} to {target}"
    with reporting(f"Error moving {names}"):
        answer = session.client.write("sys/remount", {"from": source, "to": target}, method="POST") or {}
    migration = (answer.get("data") or answer).get("migration_id", "")
    session.say(f"Started moving {names}, with migration ID {migration}")
    for _ in range(_POLLS_MAX):
        with reporting(f"Error checking the move of {names}"):
            answer = session.client.read(f"sys/remount/status/{migration}") or {}
        status = ((answer.get("data") or {}).get("migration_info") or {}).get("status", "")
        if status == "success":
            session.say(f"Success! Finished moving {names}, with migration ID {migration}")
            return
        if status == "failure":
            break
        time.sleep(_POLL_SECONDS)
    raise CommandFailed(f"Failure! Error encountered moving {names}, with migration ID {migration}", REMOTE)


def with_slash(path: str) -> str:
    """``path`` without a slash before and with one after it."""
    return path.strip().strip("/") + "/"


def _entry(mount: Mapping[str, Any]) -> dict[str, Any]:
    config = mount.get("config") or {}
    first = {name: config.get(name, 0) for name in _CONFIG_FIRST}
    first["force_no_cache"] = bool(config.get("force_no_cache"))
    rest = {name: ordered(config[name]) for name in sorted(config) if name not in _CONFIG_FIRST and config[name]}
    entry = {name: ordered(mount.get(name, "")) for name in _ENTRY_MEMBERS}
    return entry | {
        "config": first | rest,
        "options": ordered(mount.get("options")),
        **{name: bool(mount.get(name)) for name in ("local", "seal_wrap", "external_entropy_access")},
    }
