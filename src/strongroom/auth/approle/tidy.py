"""Tidying: removing what is left of secret IDs whose time is over. Correctness never waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.auth.approle.role import ROLES, Role, find_role
from strongroom.auth.approle.secret_id import ACCESSORS, DESTROYED, SECRET_IDS, remove_if_expired
from strongroom.logical.backend import Context
from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.request import Response

REMOVALS_MAX = 5000
"""How much one call removes, so that a transaction stays small."""


@dataclass(frozen=True, slots=True)
class TidyRequest:
    """Nothing needs to be said."""


def tidy(context: Context, _request: TidyRequest) -> Response:
    """Remove expired secret IDs, what belongs to no role any more, and marks of destruction that no token outlived."""
    by_uid = _roles_by_uid(context)
    removed = 0
    for folder in (SECRET_IDS, ACCESSORS, DESTROYED):
        for key in context.storage.scan(folder):
            if removed >= REMOVALS_MAX:
                return _answer("There is more to remove: call this again.")
            removed += _remove_if_useless(context, folder, key, by_uid)
    return _answer("Expired secret IDs were removed.")


def _answer(text: str) -> Response:
    return Response(status=202, warnings=(f"Tidy operation successfully started. {text}",))


def _roles_by_uid(context: Context) -> dict[str, Role]:
    found = (find_role(context.storage, name) for name in context.storage.children(ROLES))
    return {role.uid: role for role in found if role is not None}


def _remove_if_useless(context: Context, folder: str, key: str, by_uid: dict[str, Role]) -> bool:
    uid, _, mark = key.removeprefix(folder).partition("/")
    role = by_uid.get(uid)
    if role is None:
        context.storage.delete(key)
        return True
    if folder == SECRET_IDS:
        return remove_if_expired(context, role, mark)
    if folder == DESTROYED and _outlived_every_token(context, role, key):
        context.storage.delete(key)
        return True
    return False


def _outlived_every_token(context: Context, role: Role, key: str) -> bool:
    # A periodic token has no last day, so as long as the role makes such tokens the mark must stay.
    at, longest = context.storage.get(key), context.mount.max_lease_ttl
    if at is None or role.token.period or not longest:
        return False
    return context.now_ns() > int(at) + longest * NANOSECONDS
