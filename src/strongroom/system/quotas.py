"""``sys/quotas``: rate limit quotas, and what holds for all of them."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import msgspec

from strongroom.logical.backend import Context, Endpoint, NamesRole, Path
from strongroom.logical.errors import InvalidRequest, NotFound, Sealed
from strongroom.logical.field import Doc, Duration
from strongroom.logical.operation import Operation
from strongroom.logical.path import check_canonical
from strongroom.logical.request import Response
from strongroom.logical.storage import Storage
from strongroom.mounts.table import LiveMount, MountMap, touch_epoch
from strongroom.physical.store import StoreError
from strongroom.quotas import store
from strongroom.quotas.rule import (
    NAME_CHARACTERS_MAX,
    RATE_MAX,
    ROLE_CHARACTERS_MAX,
    RULES_MAX,
    Config,
    Rule,
)
from strongroom.system.area import Named, Nothing, listed
from strongroom.system.node import Node

_TYPE = "rate-limit"


@dataclass(slots=True)
class Quota:
    """A rate limit quota."""

    name: Annotated[str, Doc("The name of the quota.", public=True)]
    rate: Annotated[
        Any, Doc("How many requests a client may make in each interval; a number above 0.", public=True)
    ] = None
    path: Annotated[
        str,
        Doc("What it is about: a mount, a path in one, or one with a final `*`; empty for all requests.", public=True),
    ] = ""
    role: Annotated[str, Doc("Only logins as this role of the auth method at `path`.", public=True)] = ""
    interval: Annotated[Duration, Doc("How long an interval is; 1 second by default.", public=True)] = 0
    block_interval: Annotated[
        Duration, Doc("For how long a client that asked too often is refused altogether.", public=True)
    ] = 0
    inheritable: Annotated[bool | None, Doc("Kept for compatibility; there are no namespaces.", public=True)] = None
    type: Annotated[str, Doc("Kept for compatibility; every quota limits a rate.", public=True)] = _TYPE


@dataclass(slots=True)
class QuotaConfig:
    """What holds for all quotas. What is not sent is as if it had never been set, as with Vault."""

    rate_limit_exempt_paths: Annotated[
        list[str],
        Doc("Paths that are never limited, with all below them; a final `*` stands for any text.", public=True),
    ] = field(default_factory=list)
    enable_rate_limit_audit_logging: Annotated[bool, Doc("Record each refusal.", public=True)] = False
    enable_rate_limit_response_headers: Annotated[
        bool, Doc("Say in the headers of each answer how much is left.", public=True)
    ] = False


class QuotaArea:
    """Rate limit quotas."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        read, update, delete = Operation.READ, Operation.UPDATE, Operation.DELETE
        return (
            Path(
                "quotas/config",
                "What holds for all quotas.",
                (
                    Endpoint(read, self.read_config, "Read it."),
                    Endpoint(update, self.write_config, "Set all of it."),
                ),
            ),
            Path(
                "quotas/rate-limit",
                "The names of all rate limit quotas.",
                (Endpoint(Operation.LIST, self.list, "List them."),),
            ),
            Path(
                "quotas/rate-limit/{name}",
                "One rate limit quota. Of all that are about a request the most specific alone counts: that of the role, of the "
                "path, of the mount, or of everything. Each client address is counted by itself.",
                (
                    Endpoint(read, self.read, "Read it."),
                    Endpoint(update, self.write, "Set all of it."),
                    Endpoint(delete, self.delete, "Remove it."),
                ),
            ),
        )

    def read_config(self, context: Context, _: Nothing) -> Response:
        """The configuration."""
        config = store.config(context.storage)
        return Response(
            data={
                "enable_rate_limit_audit_logging": config.audit_logging,
                "enable_rate_limit_response_headers": config.response_headers,
                "rate_limit_exempt_paths": list(config.exempt_paths),
            }
        )

    def write_config(self, context: Context, request: QuotaConfig) -> None:
        """Set the configuration."""
        for path in request.rate_limit_exempt_paths:
            check_canonical(path.removesuffix("*").strip("/") or "all")
        store.put_config(
            context.storage,
            Config(
                exempt_paths=tuple(request.rate_limit_exempt_paths),
                audit_logging=request.enable_rate_limit_audit_logging,
                response_headers=request.enable_rate_limit_response_headers,
            ),
        )
        self._changed(context)

    def list(self, context: Context, _: Nothing) -> Response:
        """The names of the quotas whose mounts are there."""
        mounts = self._mounts(context.storage)
        return listed([rule.name for rule in store.rules(context.storage) if _is_alive(rule, mounts)])

    def read(self, context: Context, request: Named) -> Response:
        """One quota."""
        mounts = self._mounts(context.storage)
        rule = store.rule(context.storage, request.name)
        if rule is None or not _is_alive(rule, mounts):
            raise NotFound
        live = mounts.by_uuid(rule.mount)
        # The version of the API that we serve does not have the member; who writes it reads it back.
        inheritable = {} if rule.inheritable is None else {"inheritable": rule.inheritable}
        return Response(
            data={
                "block_interval": rule.block_interval,
                **inheritable,
                "interval": rule.interval,
                "name": rule.name,
                "path": f"{live.entry.path}{rule.below}" if live else "",
                "rate": int(rule.rate) if rule.rate == int(rule.rate) else rule.rate,
                "role": rule.role,
                "type": _TYPE,
            }
        )

    def write(self, context: Context, request: Quota) -> None:
        """Set a quota. Raises InvalidRequest where another one is about the same."""
        mounts = self._mounts(context.storage)
        before = store.rule(context.storage, request.name)
        serial = before.serial if before is not None else self._node.new_uuid()
        rule = msgspec.structs.replace(_rule_from(request, mounts), serial=serial)
        others = [other for other in store.rules(context.storage) if other.name != rule.name]
        alive = [other for other in others if _is_alive(other, mounts)]
        for gone in (other for other in others if not _is_alive(other, mounts)):
            store.delete_rule(context.storage, gone.name)
        same = next((other for other in alive if other.subject == rule.subject), None)
        if same is not None:
            raise InvalidRequest(f'quota rule with similar properties exists under the name "{same.name}"')
        if len(alive) >= RULES_MAX:
            raise InvalidRequest(f"there are {RULES_MAX} quotas already; delete some that are not needed")
        store.put_rule(context.storage, rule)
        self._changed(context)

    def delete(self, context: Context, request: Named) -> None:
        """Remove a quota."""
        store.delete_rule(context.storage, request.name)
        self._changed(context)

    def _changed(self, context: Context) -> None:
        """Have the change hold from the very next request on, in every process."""
        touch_epoch(context.storage)
        context.after_commit.append(self._refresh)

    def _refresh(self) -> None:
        # After the commit and before the answer. Where it cannot be done now, the next batch finds that it is to be done.
        with contextlib.suppress(Sealed, StoreError):
            unsealed = self._node.require()
            unsealed.quotas.note_change()
            unsealed.refresh_quotas()

    def _mounts(self, storage: Storage) -> MountMap:
        return self._node.require().mounts.at(storage, self._node.epoch(storage))


def _rule_from(request: Quota, mounts: MountMap) -> Rule:
    if len(request.name) > NAME_CHARACTERS_MAX:
        raise InvalidRequest(f"the name of a quota has at most {NAME_CHARACTERS_MAX} characters")
    if request.interval < 0 or request.block_interval < 0:
        raise InvalidRequest("interval and block_interval must not be negative")
    path = request.path.lstrip("/")
    live, below = _subject(path, mounts) if path else (None, "")
    role = _role(request.role, live, below)
    return Rule(
        name=request.name,
        rate=_rate(request.rate),
        interval=request.interval or 1,
        block_interval=request.block_interval,
        mount=live.entry.uuid if live else "",
        below=below,
        role=role,
        inheritable=request.inheritable,
    )


def _subject(path: str, mounts: MountMap) -> tuple[LiveMount, str]:
    """The mount that ``path`` is about, and the path in it without a final slash."""
    check_canonical(path)
    found = mounts.find(path if path.endswith("*") else path.rstrip("/") + "/")
    if found is None:
        raise InvalidRequest("invalid mount path: nothing is mounted there; name a mount, or a path in one")
    live, rest = found
    return live, rest.rstrip("/")


def _role(role: str, live: LiveMount | None, below: str) -> str:
    if not role:
        return ""
    backend: object = live.router.backend if live else None
    if not isinstance(backend, NamesRole) or below:
        raise InvalidRequest(
            "the path is not a valid auth method and therefore unsuitable for use with role-based quotas; "
            "name the mount of one that logs in by role or user"
        )
    if len(role) > ROLE_CHARACTERS_MAX:
        raise InvalidRequest(f"a role has at most {ROLE_CHARACTERS_MAX} characters")
    return role.lower() if role.isascii() else role


def _rate(raw: Any) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | str | Decimal):
        raise InvalidRequest("'rate' is invalid: it must be a number above 0")
    try:
        rate = Decimal(raw)
    except InvalidOperation:
        raise InvalidRequest("'rate' is invalid: it must be a number above 0") from None
    if not rate.is_finite() or not 0 < rate <= RATE_MAX:
        raise InvalidRequest(f"'rate' is invalid: it must be a number above 0, and at most {RATE_MAX}")
    return float(rate)


def _is_alive(rule: Rule, mounts: MountMap) -> bool:
    """Whether what the quota is about is still there."""
    return not rule.mount or mounts.by_uuid(rule.mount) is not None
