"""A role: which machines may log in through it, and what their tokens are. Owns the records ``role/`` and ``role_id/``.

Every role has a ``uid`` that no other role ever had. What belongs to a role is stored under that uid and not under its name, so
nothing of a deleted role is ever found again by a later one with the same name (SECURITY row 73).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from strongroom.auth import networks
from strongroom.auth.approle.keyed_digest import digest, new_digest
from strongroom.auth.identifiers import new_uuid
from strongroom.auth.token_parameters import TokenFields, TokenParameters
from strongroom.logical.backend import Context
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc, Duration
from strongroom.logical.storage import Storage

ROLES = "role/"
_ROLE_IDS = "role_id/"
ID_CHARACTERS_MAX = 4096
"""How long a role ID or a secret ID of the client's own choice may be."""

OLDER_NAMES = {"policies": "token_policies", "period": "token_period"}


class Role(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored of a role. ``secret_id_ttl`` in seconds; 0 means that there is no limit, for the number of uses too."""

    uid: str
    role_id: str
    bind_secret_id: bool = True
    secret_id_bound_cidrs: tuple[str, ...] = ()
    secret_id_num_uses: int = 0
    secret_id_ttl: int = 0
    local_secret_ids: bool = False
    token: TokenParameters = TokenParameters()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRequest:
    """One role, by its name."""

    role_name: Annotated[str, Doc("The role's name.", public=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFields(TokenFields):
    """A role as clients write it. What is left out stays as it is."""

    role_name: Annotated[str, Doc("The role's name.", public=True)]

    role_id: Annotated[str | None, Doc("An ID of your own choice instead of a random one.")] = None
    bind_secret_id: Annotated[
        bool | None, Doc("Whether a login must show a secret ID; true at first.", public=True)
    ] = None
    secret_id_bound_cidrs: Annotated[
        list[str] | None,
        Doc("The addresses and CIDR blocks from which a login may come; none: from anywhere.", public=True),
    ] = None
    secret_id_num_uses: Annotated[
        int | None, Doc("How many logins a secret ID is good for; 0: any number.", public=True)
    ] = None
    secret_id_ttl: Annotated[
        Duration | None, Doc("How long a secret ID is good for logins; 0: until it is destroyed.", public=True)
    ] = None
    local_secret_ids: Annotated[
        bool | None, Doc("Kept for clients that set it: secret IDs never leave this cluster.", public=True)
    ] = None
    policies: Annotated[list[str] | None, Doc("An older name of token_policies.", public=True)] = None
    period: Annotated[Duration | None, Doc("An older name of token_period.", public=True)] = None
    bound_cidr_list: Annotated[list[str] | None, Doc("An older name of secret_id_bound_cidrs.", public=True)] = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Role).decode


def find_role(storage: Storage, name: str) -> Role | None:
    """The role called ``name``, or None."""
    stored = storage.get(ROLES + name)
    return None if stored is None else _decode(stored)


def roles_bound_to(storage: Storage, environment: str) -> list[str]:
    """The names of the roles whose tokens are bound to ``environment``."""
    names = (key.removeprefix(ROLES) for key in storage.scan(ROLES))
    return [name for name in names if (role := find_role(storage, name)) and environment in role.token.environments]


def get_role(storage: Storage, name: str) -> Role:
    """The role called ``name``. Raises NotFound."""
    role = find_role(storage, name)
    if role is None:
        raise NotFound("the role does not exist; write it first")
    return role


def find_by_role_id(storage: Storage, role_id: str) -> tuple[str, Role] | None:
    """The name and the role that has this role ID, or None."""
    key = digest(storage, "role_id", role_id)
    named = None if key is None else storage.get(_ROLE_IDS + key)
    if named is None:
        return None
    name = named.decode()
    role = find_role(storage, name)
    if role is None or not hmac.compare_digest(_as_bytes(role.role_id), _as_bytes(role_id)):
        return None
    return name, role


def new_role(context: Context) -> Role:
    """A role with nothing set, not stored yet."""
    return Role(uid=new_uuid(context.entropy), role_id=new_uuid(context.entropy))


def store_role(context: Context, name: str, role: Role, before: Role | None) -> None:
    """Store ``role`` and the index of its role ID. Raises InvalidRequest where another role has that ID."""
    storage = context.storage
    key = _ROLE_IDS + new_digest(storage, context.entropy, "role_id", role.role_id)
    holder = storage.get(key)
    if holder is not None and holder.decode() != name:
        raise InvalidRequest("role_id already in use; choose another one")
    if before is not None and before.role_id != role.role_id:
        _forget_role_id(storage, before)
    if holder is None:
        storage.put(key, name.encode())
    storage.put(ROLES + name, _encode(role))


def remove_role(storage: Storage, name: str, role: Role) -> None:
    """Remove the role and its role ID. Its secret IDs are removed by whoever owns them."""
    _forget_role_id(storage, role)
    storage.delete(ROLES + name)


def updated(role: Role, fields: RoleFields, warnings: list[str], *, is_new: bool) -> Role:
    """``role`` with what ``fields`` says. Raises InvalidRequest where that makes no sense."""
    changes: dict[str, Any] = {"token": role.token.updated(fields, OLDER_NAMES, warnings)}
    for name in ("bind_secret_id", "secret_id_num_uses", "secret_id_ttl"):
        value = getattr(fields, name)
        if value is not None:
            if value < 0:
                raise InvalidRequest(f"{name} cannot be negative")
            changes[name] = value
    blocks = fields.bound_cidr_list if fields.secret_id_bound_cidrs is None else fields.secret_id_bound_cidrs
    if blocks is not None:
        changes["secret_id_bound_cidrs"] = networks.check_blocks(blocks, "secret_id_bound_cidrs")
    if fields.role_id is not None:
        changes["role_id"] = check_id(fields.role_id, "role_id")
    if fields.local_secret_ids is not None:
        if not is_new and fields.local_secret_ids != role.local_secret_ids:
            raise InvalidRequest("local_secret_ids can only be modified during role creation")
        changes["local_secret_ids"] = fields.local_secret_ids
    changed = msgspec.structs.replace(role, **changes)
    if not (changed.bind_secret_id or changed.secret_id_bound_cidrs or changed.token.bound_cidrs):
        raise InvalidRequest(
            "at least one constraint should be enabled on the role: bind_secret_id, secret_id_bound_cidrs or token_bound_cidrs"
        )
    return changed


def read_back(role: Role) -> dict[str, Any]:
    """The role as clients read it, its fields in order."""
    data = role.token.read_back(OLDER_NAMES) | {
        "bind_secret_id": role.bind_secret_id,
        "local_secret_ids": role.local_secret_ids,
        "secret_id_bound_cidrs": list(role.secret_id_bound_cidrs) or None,
        "secret_id_num_uses": role.secret_id_num_uses,
        "secret_id_ttl": role.secret_id_ttl,
    }
    return dict(sorted(data.items()))


def check_id(text: str, field: str) -> str:
    """``text`` if it can be an ID. Raises InvalidRequest naming ``field``."""
    if not text:
        raise InvalidRequest(f"missing {field}")
    if len(text) > ID_CHARACTERS_MAX:
        raise InvalidRequest(f"field {field!r} must have at most {ID_CHARACTERS_MAX} characters")
    if "\0" in text or not _is_encodable(text):
        raise InvalidRequest(f"field {field!r} must be text without NUL")
    return text


def _as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _is_encodable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _forget_role_id(storage: Storage, role: Role) -> None:
    key = digest(storage, "role_id", role.role_id)
    if key is not None:
        storage.delete(_ROLE_IDS + key)
