"""``auth/token/roles``: bounds within which tokens may be made for others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.environment_name import check_environment_names
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc, Duration
from strongroom.logical.operation import Operation
from strongroom.logical.path import check_canonical
from strongroom.logical.policy_name import spells_root
from strongroom.logical.request import Response
from strongroom.logical.storage import Storage
from strongroom.policy.names import normalize_policy_names
from strongroom.system.area import Nothing, listed
from strongroom.system.cidrs import check_cidrs

_AREA = "core/token-role/"
_NAME = re.compile(r"[a-z0-9_.@-]{1,128}")
TOKEN_TYPES = ("", "service", "batch", "default", "default-service", "default-batch")


class TokenRole(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A role as it is stored. Durations in seconds, 0 meaning unset."""

    name: str
    allowed_policies: list[str] = []
    allowed_policies_glob: list[str] = []
    disallowed_policies: list[str] = []
    disallowed_policies_glob: list[str] = []
    allowed_entity_aliases: list[str] = []
    orphan: bool = False
    renewable: bool = True
    path_suffix: str = ""
    token_type: str = "default-service"  # noqa: S105 -- a kind of token
    period: int = 0
    explicit_max_ttl: int = 0
    bound_cidrs: list[str] = []
    no_default_policy: bool = False
    num_uses: int = 0
    environments: list[str] = []


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(TokenRole).decode


@dataclass(slots=True)
class RoleName:
    """A role to read or delete."""

    role_name: Annotated[str, Doc("The role; letters are taken as small letters.", public=True)]


@dataclass(slots=True)
class WriteRole:
    """What to set; what is absent stays as it is."""

    role_name: Annotated[str, Doc("The role; letters are taken as small letters.", public=True)]
    allowed_policies: Annotated[list[str] | None, Doc("Policies that a token may have.", public=True)] = None
    allowed_policies_glob: Annotated[list[str] | None, Doc("The same as patterns with `*`.", public=True)] = None
    disallowed_policies: Annotated[list[str] | None, Doc("Policies that a token must not have.", public=True)] = None
    disallowed_policies_glob: Annotated[list[str] | None, Doc("The same as patterns with `*`.", public=True)] = None
    allowed_entity_aliases: Annotated[list[str] | None, Doc("Entity aliases that may be asked for.", public=True)] = (
        None
    )
    orphan: Annotated[bool | None, Doc("Make orphans.", public=True)] = None
    renewable: Annotated[bool | None, Doc("Make renewable tokens.", public=True)] = None
    path_suffix: Annotated[str | None, Doc("Added to the path that the tokens show.", public=True)] = None
    token_type: Annotated[str | None, Doc("service, batch, default-service or default-batch.", public=True)] = None
    period: Annotated[Duration | None, Doc("The older name of `token_period`.", public=True)] = None
    token_period: Annotated[Duration | None, Doc("Make periodic tokens with this period.", public=True)] = None
    explicit_max_ttl: Annotated[Duration | None, Doc("The older name of `token_explicit_max_ttl`.", public=True)] = None
    token_explicit_max_ttl: Annotated[Duration | None, Doc("Greatest lifetime, also with renewals.", public=True)] = (
        None
    )
    bound_cidrs: Annotated[list[str] | None, Doc("The older name of `token_bound_cidrs`.", public=True)] = None
    token_bound_cidrs: Annotated[list[str] | None, Doc("Where the tokens may be used from.", public=True)] = None
    token_no_default_policy: Annotated[bool | None, Doc("Leave out the policy `default`.", public=True)] = None
    token_num_uses: Annotated[int | None, Doc("How often a token may be used; 0 for no limit.", public=True)] = None
    token_environments: Annotated[
        list[str] | None, Doc("The environments that the tokens are bound to; none: to no particular one.", public=True)
    ] = None


class TokenRoleArea:
    """Token roles. Names are compared as small letters, before anything else looks at them (INV-2)."""

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path("roles", "The token roles.", (Endpoint(Operation.LIST, self.list, "List them."),)),
            Path(
                "roles/{role_name}",
                "One token role.",
                (
                    Endpoint(Operation.READ, self.read, "Read a role."),
                    Endpoint(Operation.UPDATE, self.write, "Create or change a role.", exists=self.exists),
                    Endpoint(Operation.DELETE, self.delete, "Delete a role; its tokens live on."),
                ),
                folded=frozenset({"role_name"}),
            ),
        )

    def list(self, context: Context, _: Nothing) -> Response:
        """All names."""
        return listed([key.removeprefix(_AREA) for key in context.storage.scan(_AREA)])

    def read(self, context: Context, request: RoleName) -> Response:
        """One role."""
        role = find_role(context.storage, request.role_name)
        if role is None:
            raise NotFound
        return Response(data=_described(role))

    def exists(self, context: Context, request: WriteRole) -> bool:
        """Whether a write changes a role or makes one."""
        return find_role(context.storage, request.role_name) is not None

    def write(self, context: Context, request: WriteRole) -> None:
        """Set what was sent."""
        name = canonical_role_name(request.role_name)
        role = find_role(context.storage, name) or TokenRole(name=name)
        _apply(role, request)
        context.storage.put(_AREA + name, _encode(role))

    def delete(self, context: Context, request: RoleName) -> None:
        """Delete; nothing happens where there is none."""
        context.storage.delete(_AREA + canonical_role_name(request.role_name))


def canonical_role_name(name: str) -> str:
    """The one spelling of a role's name. Raises InvalidRequest."""
    lowered = name.lower() if name.isascii() else ""
    if not _NAME.fullmatch(lowered):
        raise InvalidRequest("a role name has 1 to 128 of the characters a-z, 0-9, '_', '.', '@' and '-'")
    return lowered


def find_role(storage: Storage, name: str) -> TokenRole | None:
    """The role, or None."""
    stored = storage.get(_AREA + canonical_role_name(name))
    return None if stored is None else _decode(stored)


def roles_of_environment(storage: Storage, environment: str) -> list[str]:
    """The names of the roles whose tokens are bound to ``environment``."""
    stored = (storage.get(key) for key in storage.scan(_AREA))
    roles = (_decode(one) for one in stored if one is not None)
    return [role.name for role in roles if environment in role.environments]


def _apply(role: TokenRole, request: WriteRole) -> None:
    for field in ("allowed_policies", "disallowed_policies"):
        names = getattr(request, field)
        if names is not None:
            setattr(role, field, list(normalize_policy_names(tuple(names), allow_root=False)))
    for field in ("allowed_policies_glob", "disallowed_policies_glob", "allowed_entity_aliases"):
        if getattr(request, field) is not None:
            setattr(role, field, [_checked_pattern(text) for text in getattr(request, field)])
    for field in ("orphan", "renewable", "path_suffix", "token_type"):
        if getattr(request, field) is not None:
            setattr(role, field, getattr(request, field))
    for field in ("period", "explicit_max_ttl", "bound_cidrs", "no_default_policy", "num_uses"):
        today = getattr(request, f"token_{field}")
        value = today if today is not None else getattr(request, field, None)
        if value is not None:
            setattr(role, field, value)
    if request.token_environments is not None:
        role.environments = list(check_environment_names(request.token_environments))
    _check(role)


def _checked_pattern(text: str) -> str:
    if spells_root(text):
        raise InvalidRequest('the policy "root" cannot be assigned here')
    return text.lower()


def _check(role: TokenRole) -> None:
    if role.token_type not in TOKEN_TYPES:
        raise InvalidRequest("token_type must be one of service, batch, default-service, default-batch")
    if role.period < 0 or role.explicit_max_ttl < 0 or role.num_uses < 0:
        raise InvalidRequest("token_period, token_explicit_max_ttl and token_num_uses must not be negative")
    if role.token_type == "batch":  # noqa: S105 -- a kind of token
        if role.period or role.num_uses:
            raise InvalidRequest("a role for batch tokens cannot have a period or a use limit")
        role.renewable = False
    if role.path_suffix and not re.fullmatch(r"[A-Za-z0-9._/-]{1,128}", role.path_suffix):
        raise InvalidRequest("path_suffix holds characters other than letters, digits, '.', '_', '-' and '/'")
    if role.path_suffix.strip("/"):
        # It becomes part of the tokens' path, and so of the names of their leases.
        check_canonical(role.path_suffix.strip("/"))
    role.bound_cidrs = check_cidrs(role.bound_cidrs)


def _described(role: TokenRole) -> dict[str, Any]:
    shown: dict[str, Any] = {"token_environments": role.environments} if role.environments else {}
    return shown | {
        "allowed_entity_aliases": role.allowed_entity_aliases or None,
        "allowed_policies": role.allowed_policies,
        "allowed_policies_glob": role.allowed_policies_glob,
        "disallowed_policies": role.disallowed_policies,
        "disallowed_policies_glob": role.disallowed_policies_glob,
        "explicit_max_ttl": role.explicit_max_ttl,
        "name": role.name,
        "orphan": role.orphan,
        "path_suffix": role.path_suffix,
        "period": role.period,
        "renewable": role.renewable,
        "token_bound_cidrs": role.bound_cidrs,
        "token_explicit_max_ttl": role.explicit_max_ttl,
        "token_no_default_policy": role.no_default_policy,
        "token_num_uses": role.num_uses,
        "token_period": role.period,
        "token_type": role.token_type,
    }
