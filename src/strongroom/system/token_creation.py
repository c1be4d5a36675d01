"""Making a token with a token: what a child may have is never more than its parent may give."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated

from strongroom.environments.binding import chosen, narrowed
from strongroom.logical.backend import Context
from strongroom.logical.environment_name import check_environment_names
from strongroom.logical.errors import InvalidRequest, PermissionDenied
from strongroom.logical.field import Doc, Duration
from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.operation import Capability
from strongroom.logical.request import Auth, Response, TokenType
from strongroom.logical.secret import Secret
from strongroom.policy.decision import Question
from strongroom.policy.names import normalize_policy_names
from strongroom.system.guesser import guesser_of
from strongroom.system.node import Node
from strongroom.system.token_roles import TokenRole, find_role
from strongroom.tokens import lifetime
from strongroom.tokens.entry import NEVER, TokenEntry
from strongroom.tokens.issue import DEFAULT_POLICY

_CHOSEN_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_DISPLAY_NAME = re.compile(r"[^a-zA-Z0-9._-]")


@dataclass(slots=True)
class CreateToken:
    """What the new token shall be."""

    role_name: Annotated[str, Doc("A token role that bounds what the token may be.", public=True)] = ""
    id: Annotated[Secret[str], Doc("A chosen token; only with sudo.")] = field(default_factory=lambda: Secret(""))
    policies: Annotated[list[str] | None, Doc("Its policies; without them, the parent's.", public=True)] = None
    meta: Annotated[dict[str, str] | None, Doc("Texts to keep with it.", public=True)] = None
    no_parent: Annotated[bool, Doc("Make an orphan; only with sudo.", public=True)] = False
    no_default_policy: Annotated[bool, Doc("Leave out the policy `default`.", public=True)] = False
    renewable: Annotated[bool, Doc("Whether it can be renewed.", public=True)] = True
    lease: Annotated[Duration, Doc("The older name of `ttl`.", public=True)] = 0
    ttl: Annotated[Duration, Doc("Its lifetime.", public=True)] = 0
    type: Annotated[str, Doc("service or batch.", public=True)] = ""
    explicit_max_ttl: Annotated[Duration, Doc("Its greatest lifetime, also with renewals.", public=True)] = 0
    period: Annotated[Duration, Doc("Make it periodic; only with sudo.", public=True)] = 0
    display_name: Annotated[str, Doc("A name for people.", public=True)] = ""
    num_uses: Annotated[int, Doc("How often it may be used; 0 for no limit.", public=True)] = 0
    environments: Annotated[
        list[str] | None,
        Doc("The environments that it is bound to; without them, those of the parent and the role.", public=True),
    ] = None
    entity_alias: Annotated[str, Doc("An alias of an entity; only with a role that allows it.", public=True)] = ""


@dataclass(slots=True, kw_only=True)
class CreateTokenForRole(CreateToken):
    """The same, the role in the path."""

    role_name: Annotated[str, Doc("The token role.", public=True)]


class TokenCreation:
    """The rules of ``auth/token/create``."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def create(
        self, context: Context, request: CreateToken, *, role_name: str = "", as_orphan: bool = False
    ) -> Response:
        """Make the token, or say which rule is against it."""
        parent = self._parent(context)
        role = self._role(context, role_name)
        has_sudo = self._has_sudo(context, parent)
        _check_reserved(request, role, has_sudo=has_sudo)
        token_type = _type_of(request, role)
        policies = policies_for(
            request,
            role,
            parent,
            has_sudo=has_sudo,
            asks_for_none=_names_nothing(context, "policies", request.policies),
        )
        entry, warnings = self._entry(context, request, role, parent, policies, token_type)
        if as_orphan:
            entry.path = f"{entry.path}-orphan"
        # A role alone says whether its tokens are orphans: what the request says of it was not checked for sudo then.
        entry.orphan = role.orphan if role is not None else as_orphan or request.no_parent
        entry.parent = "" if entry.orphan else parent.id
        if entry.orphan and not parent.is_root:
            entry.made_by = guesser_of(self._node.require(), context.storage, parent)
        entry.environments = self._environments(context, request, role, parent)
        if entry.is_root and entry.environments:
            raise InvalidRequest("a root token is bound to no environment; give the token other policies")
        token = self._node.require().tokens.create(context.storage, entry, token=request.id or None)
        context.warnings.extend((*warnings, *self._missing_policies(context, entry.policies)))
        return Response(
            auth=Auth(
                policies=entry.policies,
                metadata=entry.metadata,
                renewable=entry.renewable,
                num_uses=entry.num_uses,
                orphan=entry.orphan,
                token_type=entry.type,
                client_token=token,
                accessor=entry.accessor,
                lease_duration=entry.remaining_seconds(context.now_ns()),
            )
        )

    def _environments(
        self, context: Context, request: CreateToken, role: TokenRole | None, parent: TokenEntry
    ) -> tuple[str, ...]:
        """To what the new token is bound: never to more than the parent and the role are, an orphan neither."""
        if _names_nothing(context, "environments", request.environments):
            raise InvalidRequest("'environments' names none: name one or more, or leave the field out")
        known = self._node.require().environments.at(context.storage, self._node.epoch(context.storage))
        allowed = narrowed(parent.environments, tuple(role.environments) if role else ())
        return chosen(check_environment_names(request.environments or ()), allowed, known)

    def _missing_policies(self, context: Context, names: tuple[str, ...]) -> list[str]:
        """A warning for each policy that grants nothing yet because nobody wrote it, in the words that clients know."""
        stored = self._node.require().policies
        return [f'Policy "{name}" does not exist' for name in names if stored.get(context.storage, name) is None]

    def _parent(self, context: Context) -> TokenEntry:
        token = context.request.token
        parent = self._node.require().tokens.find(context.storage, token) if token else None
        if parent is None:
            raise PermissionDenied
        if parent.type is TokenType.BATCH:
            raise InvalidRequest("batch tokens cannot create more tokens")
        if parent.use_limited:
            raise InvalidRequest("restricted use token cannot generate child tokens")
        return parent

    def _role(self, context: Context, role_name: str) -> TokenRole | None:
        if not role_name:
            return None
        role = find_role(context.storage, role_name)
        if role is None:
            raise InvalidRequest("unknown role; list auth/token/roles to see which there are")
        return role

    def _has_sudo(self, context: Context, parent: TokenEntry) -> bool:
        acl = self._node.require().acl_for(context.storage, parent, self._node.epoch(context.storage))
        question = Question(
            path=context.request.path,
            capability=Capability.UPDATE,
            body={},
            wrap_ttl=context.request.wrap_ttl,
            needs_sudo=True,
            now_ns=context.now_ns(),
        )
        return parent.is_root or acl.decide(question).allowed

    def _entry(
        self,
        context: Context,
        request: CreateToken,
        role: TokenRole | None,
        parent: TokenEntry,
        policies: tuple[str, ...],
        token_type: TokenType,
    ) -> tuple[TokenEntry, tuple[str, ...]]:
        wish = lifetime.Wish(
            ttl=request.ttl or request.lease,
            explicit_max_ttl=_smaller(request.explicit_max_ttl, role.explicit_max_ttl if role else 0),
            period=(role.period if role and role.period else request.period),
        )
        num_uses = _smaller(request.num_uses, role.num_uses if role else 0)
        if token_type is TokenType.BATCH:
            _check_batch(request, policies, wish, num_uses)
        now = context.now_ns()
        never = "root" in policies and not (wish.ttl or wish.period or wish.explicit_max_ttl)
        granted = lifetime.grant(wish, self._limits(context))
        entry = TokenEntry(
            id="",
            accessor="",
            policies=policies,
            path=_path(role),
            display_name=_display_name(request.display_name),
            creation_time_ns=now,
            expire_time_ns=NEVER if never else now + granted.ttl * NANOSECONDS,
            creation_ttl=0 if never else granted.ttl,
            explicit_max_ttl=wish.explicit_max_ttl,
            period=wish.period,
            renewable=request.renewable
            and (role is None or role.renewable)
            and not never
            and token_type is TokenType.SERVICE,
            num_uses=num_uses,
            use_limited=num_uses > 0,
            type=token_type,
            metadata=request.meta or {},
            bound_cidrs=tuple(role.bound_cidrs) if role and role.bound_cidrs else parent.bound_cidrs,
            role=role.name if role else "",
        )
        return entry, () if never else granted.warnings

    def _limits(self, context: Context) -> lifetime.Limits:
        return lifetime.Limits(context.mount.default_lease_ttl, context.mount.max_lease_ttl)


def policies_for(
    request: CreateToken, role: TokenRole | None, parent: TokenEntry, *, has_sudo: bool, asks_for_none: bool = False
) -> tuple[str, ...]:
    """The policies of the new token. Raises InvalidRequest where they are more than the parent or the role allows."""
    asked = normalize_policy_names(tuple(request.policies or ()), allow_root=parent.is_root)
    # What is made by a role may have other policies than the parent. Without one, whoever has no default cannot give it.
    gives_default = DEFAULT_POLICY in parent.policies or (has_sudo and (bool(asked) or asks_for_none))
    if asks_for_none:
        policies: tuple[str, ...] = ()
    elif role is not None and _bounds_policies(role):
        policies = _policies_in_role(asked, role, parent)
        gives_default = True
    elif asked:
        policies = asked
        if not has_sudo and not set(asked) <= set(parent.policies):
            raise InvalidRequest("child policies must be subset of parent")
    else:
        policies = parent.policies
    if "root" in policies:
        if not parent.is_root or (role is not None and _bounds_policies(role)):
            raise InvalidRequest("root tokens may not be created without parent token being root")
        return ("root",)
    if request.no_default_policy or (role is not None and _refuses_default(role)):
        return tuple(sorted(set(policies) - {DEFAULT_POLICY}))
    return tuple(sorted({*policies, DEFAULT_POLICY} if gives_default else set(policies)))


def _names_nothing(context: Context, field: str, names: list[str] | None) -> bool:
    """Whether a list of names was sent that has not one in it, like ``[""]`` where a variable was empty.

    That is no wish for what holds without the field, which is everything that the caller has.
    """
    return not names and bool(context.request.body.get(field))


def _refuses_default(role: TokenRole) -> bool:
    return role.no_default_policy or _matches(DEFAULT_POLICY, role.disallowed_policies, role.disallowed_policies_glob)


def _bounds_policies(role: TokenRole) -> bool:
    return bool(
        role.allowed_policies or role.allowed_policies_glob or role.disallowed_policies or role.disallowed_policies_glob
    )


def _policies_in_role(asked: tuple[str, ...], role: TokenRole, parent: TokenEntry) -> tuple[str, ...]:
    has_allowed = bool(role.allowed_policies or role.allowed_policies_glob)
    policies = asked or (tuple(role.allowed_policies) if has_allowed else parent.policies)
    for name in policies:
        if (
            has_allowed
            and name != DEFAULT_POLICY
            and not _matches(name, role.allowed_policies, role.allowed_policies_glob)
        ):
            raise InvalidRequest("token policies must be subset of the role's allowed policies")
        if _matches(name, role.disallowed_policies, role.disallowed_policies_glob):
            raise InvalidRequest("a token policy is in the role's disallowed policies")
    if not has_allowed and not set(policies) - {DEFAULT_POLICY} <= set(parent.policies) and not parent.is_root:
        raise InvalidRequest("child policies must be subset of parent")
    return policies


def _matches(name: str, exact: list[str], globs: list[str]) -> bool:
    return name in exact or any(_glob(pattern, name) for pattern in globs)


def _glob(pattern: str, name: str) -> bool:
    """``*`` stands for any text; everything else for itself. Linear: pieces are found from left to right."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    if not name.startswith(first):
        return False
    at = len(first)
    *middle, last = rest
    for piece in middle:
        found = name.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(name) - at >= len(last) and name.endswith(last)


def _check_reserved(request: CreateToken, role: TokenRole | None, *, has_sudo: bool) -> None:
    if request.id:
        if role is not None or not has_sudo:
            raise InvalidRequest("root or sudo privileges required to specify token id")
        if not _CHOSEN_TOKEN.fullmatch(request.id.reveal()):
            raise InvalidRequest("a chosen token has 1 to 128 letters, digits, '-' or '_'")
    if request.no_parent and role is None and not has_sudo:
        raise InvalidRequest("root or sudo privileges required to create orphan token")
    if request.period and not has_sudo:
        raise InvalidRequest("root or sudo privileges required to create periodic token")
    if request.num_uses < 0:
        raise InvalidRequest("number of uses cannot be negative")
    if request.entity_alias:
        raise InvalidRequest("entity aliases are not supported by this server yet; leave 'entity_alias' out")


def _type_of(request: CreateToken, role: TokenRole | None) -> TokenType:
    asked = request.type if request.type != "default" else ""
    if asked not in ("", "service", "batch"):
        raise InvalidRequest("invalid 'token_type' value: expected service or batch")
    if role is not None and role.token_type in ("service", "batch"):
        return TokenType(role.token_type)
    if asked:
        return TokenType(asked)
    is_batch = role is not None and role.token_type == "default-batch"  # noqa: S105 -- a kind of token
    return TokenType.BATCH if is_batch else TokenType.SERVICE


def _check_batch(request: CreateToken, policies: tuple[str, ...], wish: lifetime.Wish, num_uses: int) -> None:
    if request.id:
        raise InvalidRequest("a batch token cannot have a chosen id")
    if wish.period or wish.explicit_max_ttl or num_uses:
        raise InvalidRequest("a batch token cannot be periodic, use-limited or have an explicit maximum lifetime")
    if "root" in policies:
        raise InvalidRequest("batch tokens cannot be root tokens")


def _smaller(left: int, right: int) -> int:
    return min(left, right) if left and right else left or right


def _path(role: TokenRole | None) -> str:
    if role is None:
        return "auth/token/create"
    suffix = f"/{role.path_suffix.strip('/')}" if role.path_suffix else ""
    return f"auth/token/create/{role.name}{suffix}"


def _display_name(name: str) -> str:
    cleaned = _DISPLAY_NAME.sub("-", name).strip("-")[:128]
    return f"token-{cleaned}" if cleaned else "token"
