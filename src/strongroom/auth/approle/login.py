"""Logging in with a role ID and a secret ID, and renewing what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from strongroom.auth import networks
from strongroom.auth.approle import secret_id as secret_ids
from strongroom.auth.approle.role import Role, find_by_role_id, find_role
from strongroom.auth.approle.secret_id import SecretId
from strongroom.logical.backend import Context
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.request import Auth, Response
from strongroom.logical.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    """What a machine shows."""

    role_id: Annotated[str, Doc("The ID of the role.")] = ""
    secret_id: Annotated[Secret[str] | None, Doc("A secret ID of the role.")] = None


def log_in(context: Context, request: LoginRequest) -> Response:
    """The token that the role gives. One text for every wrong pair: it must not tell which half was right (INV-11)."""
    if not request.role_id:
        raise InvalidRequest("missing role_id")
    shown = "" if request.secret_id is None else request.secret_id.reveal()
    wrong = InvalidRequest("invalid role or secret ID" if shown else "missing secret_id")
    found = find_by_role_id(context.storage, request.role_id)
    if found is None:
        raise wrong
    name, role = found
    if not role.bind_secret_id:
        _check_address(context, role, ())
        return Response(auth=_auth(context, name, role, None, ""))
    mark = secret_ids.mark_of(context.storage, role, shown) if shown else None
    entry = secret_ids.find(context, role, mark)
    if entry is None or mark is None:
        raise wrong
    _check_address(context, role, entry.cidr_list)
    secret_ids.spend_use(context, role, mark, entry)
    return Response(auth=_auth(context, name, role, entry, mark))


def renew(context: Context, auth: Auth) -> Auth:
    """``auth`` with the durations that hold today. Raises InvalidRequest where something that the login checked has changed.

    A secret ID that was used up or ran out since is no such change: that is its ordinary end.
    """
    known = auth.internal
    role = find_role(context.storage, str(known.get("role", "")))
    if role is None or role.uid != known.get("role_uid"):
        raise InvalidRequest("the role no longer exists, not renewing; log in again")
    if role.bind_secret_id:
        _check_secret_id(context, role, known)
    if role.token.granted_policies() != list(known.get("policies", ())):
        raise InvalidRequest("policies have changed, not renewing")
    role.token.check_unchanged(known.get("environments", ()))
    _check_address(context, role, tuple(known.get("cidr_list", ())))
    return role.token.renewed(auth)


def _check_secret_id(context: Context, role: Role, known: Mapping[str, Any]) -> None:
    mark = str(known.get("secret_id", ""))
    if not mark:
        raise InvalidRequest("the role asks for a secret ID now, not renewing; log in again")
    if secret_ids.is_destroyed(context.storage, role, mark, int(known.get("secret_id_creation_ns", 0))):
        raise InvalidRequest("the secret ID was destroyed, not renewing; log in again")


def _check_address(context: Context, role: Role, cidr_list: tuple[str, ...]) -> None:
    address = context.request.connection.remote_address
    if not networks.allows(role.secret_id_bound_cidrs, address):
        raise InvalidRequest("source address unauthorized by CIDR restrictions on the role")
    if not networks.allows(cidr_list, address):
        raise InvalidRequest("source address unauthorized through CIDR restrictions on the secret ID")


def _auth(context: Context, name: str, role: Role, entry: SecretId | None, mark: str) -> Auth:
    auth = role.token.auth(context.request.connection.remote_address)
    metadata = {} if entry is None else entry.metadata
    if entry is not None and entry.token_bound_cidrs and not role.token.strictly_bind_ip:
        auth.bound_cidrs = entry.token_bound_cidrs
    auth.alias = role.role_id
    # Ours last: no secret ID can call itself another role.
    auth.metadata = {**metadata, "role_name": name}
    auth.internal = {
        "role": name,
        "role_uid": role.uid,
        "secret_id": mark,
        "secret_id_creation_ns": 0 if entry is None else entry.creation_ns,
        "cidr_list": [] if entry is None else list(entry.cidr_list),
        "policies": role.token.granted_policies(),
        "environments": list(role.token.environments),
    }
    return auth
