"""``sys/mounts``, ``sys/auth`` and ``sys/remount``: secrets engines and auth methods, enabled, tuned, moved and disabled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from strongroom.encoding import base62
from strongroom.environments.keyrings import assign_keyrings, drop_overrides
from strongroom.environments.reason import require_reason
from strongroom.environments.store import take_out
from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc, Duration
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.logical.storage import Storage
from strongroom.mounts.entry import MountConfig, MountEntry, canonical_mount_path, check_type_name
from strongroom.system.area import AtPath, Nothing
from strongroom.system.mount_settings import LOCKOUT_WARNING, check_config, config_from
from strongroom.system.node import Node
from strongroom.system.unsealed import TOKEN_TYPE

KV_TYPES = {"kv": None, "kv-v1": "1", "kv-v2": "2", "generic": "1"}
"""The names under which clients enable ``kv``, and the version that each implies."""


@dataclass(slots=True)
class Enable:
    """A mount to make."""

    path: Annotated[str, Doc("Where to mount it.", public=True)]
    type: Annotated[str, Doc("The kind of engine or method, for example `kv` or `approle`.", public=True)] = ""
    description: Annotated[str, Doc("What it is for, in words.", public=True)] = ""
    config: Annotated[dict[str, Any] | None, Doc("Settings as for tuning.", public=True)] = None
    options: Annotated[dict[str, str] | None, Doc("Options of the kind, for example `version`.", public=True)] = None
    local: Annotated[bool, Doc("Kept for compatibility; there is no replication.", public=True)] = False
    seal_wrap: Annotated[bool, Doc("Kept for compatibility; everything is encrypted.", public=True)] = False
    external_entropy_access: Annotated[bool, Doc("Kept for compatibility.", public=True)] = False
    plugin_name: Annotated[str, Doc("Kept for compatibility; plugs are built in.", public=True)] = ""
    plugin_version: Annotated[str, Doc("Kept for compatibility; plugs are built in.", public=True)] = ""


@dataclass(slots=True)
class Tune:
    """Settings to change; what is absent stays as it is."""

    path: Annotated[str, Doc("The mount.", public=True)]
    default_lease_ttl: Annotated[Duration | None, Doc("Default TTL; 0 or empty means the system's.", public=True)] = (
        None
    )
    max_lease_ttl: Annotated[Duration | None, Doc("Greatest TTL; 0 or empty means the system's.", public=True)] = None
    description: Annotated[str | None, Doc("What it is for, in words.", public=True)] = None
    options: Annotated[dict[str, str] | None, Doc("Options of the kind, for example `version`.", public=True)] = None
    force_no_cache: Annotated[bool | None, Doc("Kept for compatibility.", public=True)] = None
    listing_visibility: Annotated[str | None, Doc("`unauth` shows the mount to anybody.", public=True)] = None
    token_type: Annotated[str | None, Doc("Kind of token that the method makes.", public=True)] = None
    audit_non_hmac_request_keys: Annotated[list[str] | None, Doc("Request keys audited in clear.", public=True)] = None
    audit_non_hmac_response_keys: Annotated[list[str] | None, Doc("Response keys audited in clear.", public=True)] = (
        None
    )
    passthrough_request_headers: Annotated[list[str] | None, Doc("Kept for compatibility.", public=True)] = None
    allowed_response_headers: Annotated[list[str] | None, Doc("Kept for compatibility.", public=True)] = None
    user_lockout_config: Annotated[dict[str, Any] | None, Doc("Kept for compatibility.", public=True)] = None
    plugin_version: Annotated[str | None, Doc("Kept for compatibility.", public=True)] = None


@dataclass(slots=True)
class Remount:
    """A mount to move."""

    from_: Annotated[str, Doc("The mount as it is; an auth method with `auth/` in front.", public=True)] = ""
    to: Annotated[str, Doc("Where it shall be.", public=True)] = ""


@dataclass(slots=True)
class Migration:
    """A move to ask about."""

    migration_id: Annotated[str, Doc("What the move answered.", public=True)]


class MountArea:
    """Secrets engines and auth methods. Auth methods are the mounts below ``auth/``."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        both = Shape.ENVELOPE_AND_TOP_LEVEL
        read, update, delete = Operation.READ, Operation.UPDATE, Operation.DELETE
        return (
            Path("mounts", "All secrets engines.", (Endpoint(read, self.list_secrets, "List them.", shape=both),)),
            Path(
                "mounts/{path...}",
                "One secrets engine.",
                (
                    Endpoint(read, self.read_secret, "Read its entry.", shape=both),
                    Endpoint(update, self.enable_secret, "Enable an engine at this path."),
                    # Where the sweeper is, which is woken to remove what it held.
                    Endpoint(
                        delete, self.disable_secret, "Disable it at once and have all of its data removed.", slow=True
                    ),
                ),
            ),
            Path(
                "mounts/{path...}/tune",
                "The settings of a secrets engine, or of an auth method where the path starts with `auth/`.",
                (
                    Endpoint(read, self.read_tune_secret, "Read the settings.", shape=both),
                    Endpoint(update, self.tune_secret, "Change settings."),
                ),
            ),
            Path("auth", "All auth methods.", (Endpoint(read, self.list_auth, "List them.", shape=both),)),
            Path(
                "auth/{path...}",
                "One auth method.",
                (
                    Endpoint(read, self.read_auth, "Read its entry.", shape=both, sudo=True),
                    Endpoint(update, self.enable_auth, "Enable a method at this path.", sudo=True),
                    Endpoint(
                        delete, self.disable_auth, "Disable it and revoke every token it made.", sudo=True, slow=True
                    ),
                ),
            ),
            Path(
                "auth/{path...}/tune",
                "The settings of an auth method.",
                (
                    Endpoint(read, self.read_tune_auth, "Read the settings.", shape=both, sudo=True),
                    Endpoint(update, self.tune_auth, "Change settings.", sudo=True),
                ),
            ),
            Path(
                "remount",
                "Move a mount; its data and its leases stay with it.",
                (Endpoint(update, self.remount, "Move a mount.", sudo=True, shape=both),),
            ),
            Path(
                "remount/status/{migration_id}",
                "How a move went.",
                (Endpoint(read, self.remount_status, "Ask about a move."),),
            ),
        )

    # Secrets engines

    def list_secrets(self, context: Context, _: Nothing) -> Response:
        """All secrets engines, by path."""
        return self._list(context.storage, is_auth=False)

    def read_secret(self, context: Context, request: AtPath) -> Response:
        """One secrets engine's entry."""
        return Response(data=described(self._existing(context.storage, request.path, is_auth=False)))

    def enable_secret(self, context: Context, request: Enable) -> None:
        """Mount a secrets engine."""
        self._enable(context, request, is_auth=False)

    def disable_secret(self, context: Context, request: AtPath) -> None:
        """Unmount; nothing happens where there is none. The rows are removed behind the requests."""
        self._disable(context, request.path, is_auth=False)

    def read_tune_secret(self, context: Context, request: AtPath) -> Response:
        """A mount's settings."""
        return self._read_tune(context.storage, request.path, is_auth=False)

    def tune_secret(self, context: Context, request: Tune) -> None:
        """Change a mount's settings."""
        self._tune(context, request, is_auth=False)

    # Auth methods

    def list_auth(self, context: Context, _: Nothing) -> Response:
        """All auth methods, by path below ``auth/``."""
        return self._list(context.storage, is_auth=True)

    def read_auth(self, context: Context, request: AtPath) -> Response:
        """One auth method's entry."""
        return Response(data=described(self._existing(context.storage, request.path, is_auth=True)))

    def enable_auth(self, context: Context, request: Enable) -> None:
        """Mount an auth method."""
        self._enable(context, request, is_auth=True)

    def disable_auth(self, context: Context, request: AtPath) -> None:
        """Unmount and revoke what it issued; nothing happens where there is none."""
        self._disable(context, request.path, is_auth=True)

    def read_tune_auth(self, context: Context, request: AtPath) -> Response:
        """An auth method's settings."""
        return self._read_tune(context.storage, request.path, is_auth=True)

    def tune_auth(self, context: Context, request: Tune) -> None:
        """Change an auth method's settings."""
        self._tune(context, request, is_auth=True)

    # Moving

    def remount(self, context: Context, request: Remount) -> Response:
        """Move a mount. It is done when this answers; the id is there for clients that poll."""
        source = _split_auth(request.from_)
        target = _split_auth(request.to)
        unsealed = self._node.require()
        entry = self._find(context.storage, source[0], is_auth=source[1])
        if entry is None:
            raise InvalidRequest("no matching mount at the source path")
        self._require_reason(context, entry)
        before = entry.path
        unsealed.mounts.move(context.storage, entry, canonical_mount_path(target[0], is_auth=target[1]))
        migration_id = self._node.new_uuid()
        context.storage.put(f"core/remount/{migration_id}", f"{before}\n{entry.path}".encode())
        return Response(data={"migration_id": migration_id})

    def remount_status(self, context: Context, request: Migration) -> Response:
        """A move that was made."""
        stored = context.storage.get(f"core/remount/{request.migration_id}")
        if stored is None:
            raise NotFound
        source, _, target = stored.decode().partition("\n")
        info = {"source_mount": source, "target_mount": target, "status": "success"}
        return Response(data={"migration_id": request.migration_id, "migration_info": info})

    # What both kinds share

    def _list(self, storage: Storage, *, is_auth: bool) -> Response:
        entries = [entry for entry in self._node.require().mounts.entries(storage) if entry.is_auth is is_auth]
        return Response(data={entry.path.removeprefix("auth/"): described(entry) for entry in entries})

    def _find(self, storage: Storage, path: str, *, is_auth: bool) -> MountEntry | None:
        wanted = canonical_mount_path(path, is_auth=is_auth)
        return next((entry for entry in self._node.require().mounts.entries(storage) if entry.path == wanted), None)

    def _existing(self, storage: Storage, path: str, *, is_auth: bool) -> MountEntry:
        entry = self._find(storage, path, is_auth=is_auth)
        if entry is None:
            raise InvalidRequest("no mount at this path; list them to see what is there")
        return entry

    def _enable(self, context: Context, request: Enable, *, is_auth: bool) -> None:
        unsealed = self._node.require()
        kind = check_type_name(request.type or request.plugin_name)
        options = dict(request.options or {})
        config = dict(request.config or {})
        if not is_auth and kind in KV_TYPES:
            version = KV_TYPES[kind] or options.get("version", "")
            if version not in ("", "1", "2"):
                raise InvalidRequest("the version of a kv engine is '1' or '2'")
            kind, options = "kv", {**options, "version": version} if version else options
        entry = MountEntry(
            path=canonical_mount_path(request.path, is_auth=is_auth),
            type=kind,
            uuid=self._node.new_uuid(),
            accessor=new_accessor(self._node, kind, is_auth=is_auth),
            description=request.description,
            config=config_from(config, system_max=self._node.settings.max_lease_ttl),
            options=options or None,
            local=request.local,
            seal_wrap=request.seal_wrap,
            external_entropy_access=request.external_entropy_access,
        )
        if not self._node.knows_type(entry):
            raise InvalidRequest(f"plugin not found in the catalog: {kind}")
        unsealed.mounts.add(context.storage, entry)
        if config.get("user_lockout_config"):
            context.warnings.append(LOCKOUT_WARNING)

    def _disable(self, context: Context, path: str, *, is_auth: bool) -> None:
        unsealed = self._node.require()
        entry = self._find(context.storage, path, is_auth=is_auth)
        if entry is None:
            return
        self._require_reason(context, entry)
        was_in_one = take_out(context.storage, entry.uuid)
        unsealed.mounts.remove(context.storage, entry)
        if was_in_one:
            assign_keyrings(context.storage)
        drop_overrides(context.storage, entry.uuid)
        context.after_commit.append(self._node.wake_sweeper)
        if is_auth:
            unsealed.tokens.revoke_of_mount(context.storage, entry.uuid)

    def _read_tune(self, storage: Storage, path: str, *, is_auth: bool) -> Response:
        entry = self._tunable(storage, path, is_auth=is_auth)
        settings = self._node.settings
        mount = entry.resolved(settings.default_lease_ttl, settings.max_lease_ttl)
        config = entry.config
        data: dict[str, Any] = {
            "default_lease_ttl": mount.default_lease_ttl,
            "description": entry.description,
            "force_no_cache": config.force_no_cache,
            "max_lease_ttl": mount.max_lease_ttl,
        }
        if entry.options:
            data["options"] = entry.options
        for name in ("audit_non_hmac_request_keys", "audit_non_hmac_response_keys", "listing_visibility"):
            if getattr(config, name):
                data[name] = getattr(config, name)
        for name in ("passthrough_request_headers", "allowed_response_headers"):
            if getattr(config, name):
                data[name] = getattr(config, name)
        if entry.is_auth:
            data["token_type"] = config.token_type or "default-service"
        return Response(data=data)

    def _tune(self, context: Context, request: Tune, *, is_auth: bool) -> None:
        entry = self._tunable(context.storage, request.path, is_auth=is_auth)
        self._require_reason(context, entry)
        if request.token_type is not None and (not entry.is_auth or entry.type == TOKEN_TYPE):
            raise InvalidRequest("token_type can only be set for auth methods that log somebody in")
        for name in MountConfig.__struct_fields__:
            value = getattr(request, name, None)
            if value is not None:
                setattr(entry.config, name, value)
        check_config(entry.config, system_max=self._node.settings.max_lease_ttl)
        if request.user_lockout_config:
            context.warnings.append(LOCKOUT_WARNING)
        if request.description is not None:
            entry.description = request.description
        if request.options is not None:
            self._set_options(context, entry, request.options)
        self._node.require().mounts.put(context.storage, entry)

    def _set_options(self, context: Context, entry: MountEntry, options: dict[str, str]) -> None:
        before = (entry.options or {}).get("version", "1")
        after = options.get("version", before)
        if entry.type != "kv":
            entry.options = {**(entry.options or {}), **options}
            return
        if after not in ("1", "2") or after < before:
            raise InvalidRequest("cannot downgrade mount from version 2; the version of a kv engine is '1' or '2'")
        entry.options = {**(entry.options or {}), **options, "version": after}
        if after != before:
            self._node.upgrade_kv(context, entry)
            context.warnings.append("the kv engine was upgraded to version 2: secrets are now below data/")

    def _require_reason(self, context: Context, entry: MountEntry) -> None:
        """Changing a mount of a protected environment needs a reason, like changing something in it."""
        environments = self._node.require().environments.at(context.storage, self._node.epoch(context.storage))
        require_reason(context.request, environments.of_mount(entry.uuid))

    def _tunable(self, storage: Storage, path: str, *, is_auth: bool) -> MountEntry:
        bare, below_auth = _split_auth(path)
        return self._existing(storage, bare, is_auth=is_auth or below_auth)


def _split_auth(path: str) -> tuple[str, bool]:
    stripped = path.strip("/")
    return (stripped.removeprefix("auth/"), True) if stripped.startswith("auth/") else (stripped, False)


def new_accessor(node: Node, kind: str, *, is_auth: bool) -> str:
    """A fresh accessor of a mount: names it in policies' templates and audit records, whatever its path."""
    return f"{'auth_' if is_auth else ''}{kind}_{base62.random_text(8, node.entropy).lower()}"


def described(entry: MountEntry) -> dict[str, Any]:
    """A mount as the API shows it."""
    config: dict[str, Any] = {
        "default_lease_ttl": entry.config.default_lease_ttl,
        "force_no_cache": entry.config.force_no_cache,
        "max_lease_ttl": entry.config.max_lease_ttl,
    }
    for name in MountConfig.__struct_fields__:
        value = getattr(entry.config, name)
        if value and name not in config:
            config[name] = value
    if entry.is_auth:
        config["token_type"] = entry.config.token_type or "default-service"
    return {
        "accessor": entry.accessor,
        "config": config,
        "deprecation_status": "supported",
        "description": entry.description,
        "external_entropy_access": entry.external_entropy_access,
        "local": entry.local,
        "options": entry.options,
        "plugin_version": "",
        "running_plugin_version": "builtin",
        "running_sha256": "",
        "seal_wrap": entry.seal_wrap,
        "type": entry.type,
        "uuid": entry.uuid,
    }
