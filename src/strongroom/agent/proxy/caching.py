"""Which answers are kept, and what ends them: tokens and leases that can be renewed, as Vault's agent keeps them, and nothing else.

An answer without a lease says nothing of how long it holds, so it is asked for anew each time. The same for errors, wrapped answers, tokens
with a limited number of uses, and what was asked for with a token that the agent does not look after: when that ends, nobody here would
notice.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.agent.proxy.cache import Cache, Entry
from strongroom.agent.proxy.calls import Call
from strongroom.client.http1 import Answer

_METHODS = frozenset({"GET", "POST", "PUT"})
_NEVER_KEPT = ("auth/token/renew", "auth/token/revoke", "auth/token/lookup", "sys/")
# They are about a token or lease that is there already, or end one.
_REVOKES_TOKENS = frozenset({"auth/token/revoke", "auth/token/revoke-orphan"})
_REVOKES_LEASES = ("sys/leases/revoke", "sys/revoke")
_REVOKES_PREFIXES = ("sys/leases/revoke-prefix", "sys/leases/revoke-force", "sys/revoke-prefix", "sys/revoke-force")
# What moves or ends whole mounts, or the vault: rare, so everything goes.
_ENDS_ALL = ("sys/auth", "sys/mounts", "sys/remount", "sys/seal", "sys/step-down")
_CHANGING = frozenset({"POST", "PUT", "DELETE", "PATCH"})


@dataclass(frozen=True, slots=True)
class Found:
    """What an answer gives out for a time. ``token`` and ``accessor`` are empty for a lease, ``lease`` for a token."""

    lifetime: int
    token: str = ""
    accessor: str = ""
    lease: str = ""
    is_orphan: bool = False

    def __repr__(self) -> str:
        return f"Found({'a token' if self.token else 'a lease'})"


def may_be_kept(call: Call) -> bool:
    """Whether an answer to ``call`` could be one that is kept."""
    return call.method in _METHODS and not call.is_wrapped and not call.path.startswith(_NEVER_KEPT)


def is_login(call: Call) -> bool:
    """Whether ``call`` may make a token: of several at once that are alike, one is sent on, and the others get its answer."""
    return call.method in _METHODS and call.path.startswith("auth/") and not call.path.startswith(_NEVER_KEPT)


def found_in(answer: Answer) -> Found | None:
    """What ``answer`` gives out and could be kept for; None for everything else."""
    body = _object(answer.body) if answer.status == 200 else None
    if body is None or body.get("wrap_info"):
        return None
    auth = body.get("auth")
    if isinstance(auth, dict):
        return _token_in(auth)
    lease, lifetime = body.get("lease_id"), body.get("lease_duration")
    if not (isinstance(lease, str) and lease and body.get("renewable") is True and _is_duration(lifetime)):
        return None
    return Found(int(lifetime or 0), lease=lease)


def token_in(body: bytes) -> str:
    """The token that a kept answer holds; ``""`` where there is none."""
    auth = (_object(body) or {}).get("auth")
    token = auth.get("client_token") if isinstance(auth, dict) else None
    return token if isinstance(token, str) else ""


def evict_what_ends(cache: Cache, call: Call, token: str) -> None:
    """Let go what ``call`` ends, whether or not the server agrees: one asks again, and that is all."""
    if call.method not in _CHANGING:
        return
    path, body = call.path.rstrip("/"), _object(call.body or b"") or {}
    if path == "auth/token/revoke-self":
        cache.evict_token(cache.tag(token))
    elif path in _REVOKES_TOKENS:
        cache.evict_token(cache.tag(_text(body, "token")))
    elif path == "auth/token/revoke-accessor":
        accessor = cache.tag(_text(body, "accessor"))
        cache.evict_where(lambda entry: hmac.compare_digest(entry.accessor, accessor))
    elif path.startswith(_REVOKES_PREFIXES):
        prefix = _below(path, _REVOKES_PREFIXES) or _text(body, "prefix")
        cache.evict_where(lambda entry: _lies_below(entry, prefix))
    elif path.startswith(_REVOKES_LEASES):
        lease = _below(path, _REVOKES_LEASES) or _text(body, "lease_id")
        cache.evict_where(lambda entry: entry.lease == lease or bool(entry.token))
    elif path.startswith(_ENDS_ALL):
        cache.clear()


def clear(cache: Cache, kind: str, value: str) -> int | None:
    """Let go what ``/agent/v1/cache-clear`` names; how many, or None where there is no such kind."""
    if kind == "all":
        return cache.clear()
    if not value:
        return None
    if kind == "token":
        return cache.evict_token(cache.tag(value))
    if kind == "token_accessor":
        accessor = cache.tag(value)
        return cache.evict_where(lambda entry: hmac.compare_digest(entry.accessor, accessor))
    if kind == "lease":
        return cache.evict_where(lambda entry: entry.lease == value)
    if kind == "request_path":
        path = value.strip("/").removeprefix("v1/")
        return cache.evict_where(lambda entry: entry.path == path)
    return None


def _lies_below(entry: Entry, prefix: str) -> bool:
    """Whether the lease may: that of a token is called after the path that made it."""
    return entry.lease.startswith(prefix) or entry.path.startswith(prefix) or prefix.startswith(entry.path)


def _token_in(auth: Mapping[str, Any]) -> Found | None:
    token, lifetime = auth.get("client_token"), auth.get("lease_duration")
    is_renewable = auth.get("renewable") is True and auth.get("token_type", "service") == "service"
    if not (isinstance(token, str) and token and is_renewable and _is_duration(lifetime)) or auth.get("num_uses"):
        return None
    accessor = auth.get("accessor")
    return Found(
        int(lifetime or 0),
        token=token,
        accessor=accessor if isinstance(accessor, str) else "",
        is_orphan=auth.get("orphan") is True,
    )


def _is_duration(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _below(path: str, prefixes: tuple[str, ...]) -> str:
    longest = max((prefix for prefix in prefixes if path.startswith(prefix)), key=len)
    return path.removeprefix(longest).strip("/")
