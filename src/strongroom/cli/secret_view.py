"""A server's answer as the command line shows it: the members that Vault's shows, in its order, and its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strongroom.cli.go_text import duration, plain, quoted_list
from strongroom.cli.tables import mapping_pairs

Answer = Mapping[str, Any]

_AUTH_MEMBERS = (
    ("client_token", ""),
    ("accessor", ""),
    ("policies", None),
    ("token_policies", None),
    ("identity_policies", None),
    ("metadata", None),
    ("orphan", False),
    ("entity_id", ""),
    ("lease_duration", 0),
    ("renewable", False),
    ("mfa_requirement", None),
)
_WRAP_MEMBERS = (
    ("token", ""),
    ("accessor", ""),
    ("ttl", 0),
    ("creation_time", ""),
    ("creation_path", ""),
    ("wrapped_accessor", ""),
)


def shown(answer: Answer) -> dict[str, Any]:
    """``answer`` as the object that the JSON and YAML forms print; maps inside are sorted by whoever prints."""
    members: dict[str, Any] = {
        "request_id": answer.get("request_id", ""),
        "lease_id": answer.get("lease_id", ""),
        "lease_duration": answer.get("lease_duration", 0),
        "renewable": answer.get("renewable", False),
        "data": ordered(answer.get("data")),
        "warnings": answer.get("warnings"),
    }
    auth, wrap = answer.get("auth"), answer.get("wrap_info")
    if auth:
        members["auth"] = {name: ordered(auth.get(name, absent)) for name, absent in _AUTH_MEMBERS}
    if wrap:
        members["wrap_info"] = {name: wrap.get(name, absent) for name, absent in _WRAP_MEMBERS}
    return members


def ordered(value: Any) -> Any:
    """``value`` with the members of every object in the order of their names."""
    if isinstance(value, Mapping):
        return {name: ordered(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [ordered(item) for item in value]
    return value


def rows(answer: Answer) -> list[tuple[str, Any]]:
    """``answer`` as the rows of a table."""
    lease, auth, wrap = answer.get("lease_duration", 0), answer.get("auth"), answer.get("wrap_info")
    pairs: list[tuple[str, Any]] = []
    if lease:
        pairs += _lease_rows(answer, lease)
    if auth:
        pairs += _auth_rows(auth)
    if wrap:
        pairs += _wrap_rows(wrap)
    return pairs + mapping_pairs(answer.get("data") or {})


def field(answer: Answer, name: str) -> Any:
    """The value that ``-field=name`` asks for; None where there is none."""
    auth, wrap, data = answer.get("auth"), answer.get("wrap_info"), answer.get("data") or {}
    if auth and name in {alias for alias, _ in _AUTH_FIELDS}:
        return auth.get(dict(_AUTH_FIELDS)[name])
    if wrap and name in {alias for alias, _ in _WRAP_FIELDS}:
        return wrap.get(dict(_WRAP_FIELDS)[name])
    if name == "refresh_interval" and not auth and not wrap:
        return answer.get("lease_duration")
    if name == "data" and name not in data and not auth and not wrap:
        return data or None
    return data.get(name)


_AUTH_FIELDS = (
    ("token", "client_token"),
    ("token_accessor", "accessor"),
    ("token_duration", "lease_duration"),
    ("token_renewable", "renewable"),
    ("token_policies", "token_policies"),
    ("identity_policies", "identity_policies"),
    ("policies", "policies"),
)
_WRAP_FIELDS = (
    ("wrapping_token", "token"),
    ("wrapping_accessor", "accessor"),
    ("wrapping_token_ttl", "ttl"),
    ("wrapping_token_creation_time", "creation_time"),
    ("wrapping_token_creation_path", "creation_path"),
    ("wrapped_accessor", "wrapped_accessor"),
)


def _lease_rows(answer: Answer, seconds: int) -> list[tuple[str, Any]]:
    if not answer.get("lease_id"):
        return [("refresh_interval", duration(seconds))]
    return [
        ("lease_id", answer["lease_id"]),
        ("lease_duration", duration(seconds)),
        ("lease_renewable", answer.get("renewable", False)),
    ]


def _auth_rows(auth: Answer) -> list[tuple[str, Any]]:
    seconds = auth.get("lease_duration", 0)
    metadata = auth.get("metadata") or {}
    return [
        ("token", auth.get("client_token", "")),
        ("token_accessor", auth.get("accessor", "")),
        ("token_duration", duration(seconds) if seconds else "∞"),
        ("token_renewable", auth.get("renewable", False)),
        ("token_policies", quoted_list(auth.get("token_policies"))),
        ("identity_policies", quoted_list(auth.get("identity_policies"))),
        ("policies", quoted_list(auth.get("policies"))),
        *((f"token_meta_{name}", plain(metadata[name])) for name in sorted(metadata)),
    ]


def _wrap_rows(wrap: Answer) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = [
        ("wrapping_token:", wrap.get("token", "")),
        ("wrapping_accessor:", wrap.get("accessor", "")),
        ("wrapping_token_ttl:", duration(wrap.get("ttl", 0))),
        ("wrapping_token_creation_time:", _go_time(str(wrap.get("creation_time", "")))),
        ("wrapping_token_creation_path:", wrap.get("creation_path", "")),
    ]
    if wrap.get("wrapped_accessor"):
        pairs.append(("wrapped_accessor:", wrap["wrapped_accessor"]))
    return pairs


def _go_time(stamp: str) -> str:
    """``2006-01-02T15:04:05.1Z`` as Go prints a time: ``2006-01-02 15:04:05.1 +0000 UTC``."""
    day, letter, clock = stamp.partition("T")
    return f"{day} {clock.removesuffix('Z')} +0000 UTC" if letter and clock.endswith("Z") else stamp
