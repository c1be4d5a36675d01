"""``auth/token``: tokens made, looked up, renewed and revoked by tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest, PermissionDenied
from strongroom.logical.field import Doc, Duration
from strongroom.logical.instant import NANOSECONDS, rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Auth, Response, TokenType
from strongroom.logical.secret import Secret
from strongroom.system.area import Nothing, listed
from strongroom.system.node import Node
from strongroom.system.token_creation import CreateToken, CreateTokenForRole, TokenCreation
from strongroom.system.token_renewal import renewed
from strongroom.system.token_roles import TokenRoleArea
from strongroom.system.token_steps import tidy
from strongroom.tokens.entry import NEVER, TokenEntry


@dataclass(slots=True)
class OfToken:
    """A request about the token in its body; without one, about the calling token."""

    token: Annotated[Secret[str], Doc("The token.")] = field(default_factory=lambda: Secret(""))


@dataclass(slots=True)
class OfAccessor:
    """A request about the token that an accessor names."""

    accessor: Annotated[str, Doc("The accessor of the token.")] = ""


@dataclass(slots=True)
class RenewSelf:
    """How long the calling token shall live on."""

    increment: Annotated[Duration, Doc("Wished lifetime from now; 0 for the token's own.", public=True)] = 0
    token: Annotated[Secret[str], Doc("Kept for compatibility; the calling token is renewed.")] = field(
        default_factory=lambda: Secret("")
    )


@dataclass(slots=True)
class RenewToken(OfToken):
    """How long a token shall live on."""

    increment: Annotated[Duration, Doc("Wished lifetime from now; 0 for the token's own.", public=True)] = 0


@dataclass(slots=True)
class RenewAccessor(OfAccessor):
    """How long the token that an accessor names shall live on."""

    increment: Annotated[Duration, Doc("Wished lifetime from now; 0 for the token's own.", public=True)] = 0


class TokenBackend:
    """The token method. It is mounted at ``auth/token/`` from the first day and cannot be disabled."""

    help = "Tokens are how every request says who it comes from. This method makes, shows, renews and revokes them."

    def __init__(self, node: Node) -> None:
        self._node = node
        self._creation = TokenCreation(node)
        self._roles = TokenRoleArea()

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this method."""
        read, update = Operation.READ, Operation.UPDATE
        return (
            Path(
                "create",
                "Make a token; it is a child of the calling one and dies with it.",
                (Endpoint(update, self.create, "Make a child token.", open_to_bound=True),),
            ),
            Path(
                "create-orphan",
                "Make a token that does not die with the calling one.",
                (Endpoint(update, self.create_orphan, "Make an orphan token.", open_to_bound=True),),
            ),
            Path(
                "create/{role_name}",
                "Make a token within the bounds of a role.",
                (Endpoint(update, self.create_for_role, "Make a token for a role.", open_to_bound=True),),
                folded=frozenset({"role_name"}),
            ),
            Path(
                "lookup",
                "What is known of a token.",
                (
                    Endpoint(read, self.lookup_self, "Look up the calling token.", open_to_bound=True),
                    Endpoint(update, self.lookup, "Look up a token.", open_to_bound=True),
                ),
            ),
            Path(
                "lookup-self",
                "What is known of the calling token.",
                (
                    Endpoint(read, self.lookup_self, "Look up the calling token.", open_to_bound=True),
                    Endpoint(update, self.lookup_self, "Look up the calling token.", open_to_bound=True),
                ),
            ),
            Path(
                "lookup-accessor",
                "What is known of the token that an accessor names, except the token.",
                (Endpoint(update, self.lookup_accessor, "Look up by accessor.", open_to_bound=True),),
            ),
            Path(
                "renew", "Let a token live on.", (Endpoint(update, self.renew, "Renew a token.", open_to_bound=True),)
            ),
            Path(
                "renew-self",
                "Let the calling token live on.",
                (Endpoint(update, self.renew_self, "Renew the calling token.", open_to_bound=True),),
            ),
            Path(
                "renew-accessor",
                "Let the token that an accessor names live on.",
                (Endpoint(update, self.renew_accessor, "Renew by accessor.", open_to_bound=True),),
            ),
            Path(
                "revoke",
                "Revoke a token with all of its children.",
                (Endpoint(update, self.revoke, "Revoke a token.", audit_exempt=True, open_to_bound=True),),
            ),
            Path(
                "revoke-self",
                "Revoke the calling token with all of its children.",
                (
                    Endpoint(
                        update, self.revoke_self, "Revoke the calling token.", audit_exempt=True, open_to_bound=True
                    ),
                ),
            ),
            Path(
                "revoke-accessor",
                "Revoke the token that an accessor names, with all of its children.",
                (Endpoint(update, self.revoke_accessor, "Revoke by accessor.", audit_exempt=True, open_to_bound=True),),
            ),
            Path(
                "revoke-orphan",
                "Revoke a token; its children live on as orphans.",
                # Every child is changed, so not in the loop.
                (
                    Endpoint(
                        update,
                        self.revoke_orphan,
                        "Revoke and keep the children.",
                        sudo=True,
                        slow=True,
                        audit_exempt=True,
                    ),
                ),
            ),
            Path(
                "accessors",
                "The accessors of all tokens.",
                # Every token is looked at, so not in the loop.
                (Endpoint(Operation.LIST, self.accessors, "List the accessors.", sudo=True, slow=True),),
            ),
            Path(
                "tidy",
                "Remove what expired tokens left behind. It happens by itself; this does it now.",
                (Endpoint(update, self.tidy, "Tidy now.", slow=True),),
            ),
            *self._roles.paths(),
        )

    def create(self, context: Context, request: CreateToken) -> Response:
        """A child of the calling token; with ``role_name`` or ``no_parent`` in the body, what those say."""
        return self._creation.create(context, request, role_name=request.role_name)

    def create_orphan(self, context: Context, request: CreateToken) -> Response:
        """An orphan."""
        return self._creation.create(context, request, as_orphan=True)

    def create_for_role(self, context: Context, request: CreateTokenForRole) -> Response:
        """A token for the role in the path."""
        return self._creation.create(context, request, role_name=request.role_name)

    def lookup(self, context: Context, request: OfToken) -> Response:
        """The entry of the token in the body."""
        if not request.token:
            return self.lookup_self(context, Nothing())
        return Response(data=described(self._look_up(context, request.token), request.token, context.now_ns()))

    def lookup_self(self, context: Context, _: Nothing) -> Response:
        """The calling token's entry. It may have used its last use for this."""
        token = context.request.token
        if token is None:
            raise PermissionDenied
        return Response(data=described(self._look_up(context, token), token, context.now_ns()))

    def lookup_accessor(self, context: Context, request: OfAccessor) -> Response:
        """The entry behind an accessor, without the token."""
        return Response(data=described(self._by_accessor(context, request.accessor), None, context.now_ns()))

    def renew(self, context: Context, request: RenewToken) -> Response:
        """A longer life for the token in the body."""
        token = request.token or context.request.token
        if token is None:
            raise PermissionDenied
        entry = self._node.require().tokens.find(context.storage, token)
        if entry is None:
            raise InvalidRequest("token not found")
        return self._renew(context, entry, token, request.increment)

    def renew_self(self, context: Context, request: RenewSelf) -> Response:
        """A longer life for the calling token."""
        token = context.request.token
        if token is None:
            raise PermissionDenied
        return self._renew(context, self._find(context, token), token, request.increment)

    def renew_accessor(self, context: Context, request: RenewAccessor) -> Response:
        """A longer life for the token behind an accessor; the answer does not hold the token."""
        return self._renew(context, self._by_accessor(context, request.accessor), None, request.increment)

    def revoke(self, context: Context, request: OfToken) -> None:
        """Revoke the token in the body. One that is not there is revoked already."""
        if not request.token:
            raise InvalidRequest("missing field 'token': name the token to revoke")
        self._revoke_tree(context, request.token)

    def revoke_self(self, context: Context, _: Nothing) -> None:
        """Revoke the calling token."""
        if context.request.token is None:
            raise PermissionDenied
        self._revoke_tree(context, context.request.token)

    def revoke_accessor(self, context: Context, request: OfAccessor) -> None:
        """Revoke the token behind an accessor. Where there is none it is revoked already."""
        if not request.accessor:
            raise InvalidRequest("missing field 'accessor': name the accessor of a token")
        entry = self._node.require().tokens.by_accessor(context.storage, request.accessor)
        if entry is None or not _is_within(context, entry):
            context.warnings.append("No token found with this accessor")
            return
        self._node.require().tokens.revoke_tree(context.storage, entry.id)

    def revoke_orphan(self, context: Context, request: OfToken) -> None:
        """Revoke one token alone."""
        tokens = self._node.require().tokens
        if not request.token:
            raise InvalidRequest("missing field 'token': name the token to revoke")
        entry = tokens.find(context.storage, request.token)
        if entry is None:
            raise InvalidRequest("token to revoke not found")
        tokens.revoke_orphaning(context.storage, entry.id)

    def accessors(self, context: Context, _: Nothing) -> Response:
        """Accessors of the tokens that are good now."""
        return listed(self._node.require().tokens.accessors(context.storage))

    def tidy(self, context: Context, _: Nothing) -> None:
        """Remove the expired."""
        del context
        tidy(self._node.require())

    def _find(self, context: Context, token: Secret[str]) -> TokenEntry:
        return _known(self._node.require().tokens.find(context.storage, token))

    def _look_up(self, context: Context, token: Secret[str]) -> TokenEntry:
        """The same for whoever changes nothing."""
        return _known(self._node.require().tokens.recognise(context.storage, token))

    def _by_accessor(self, context: Context, accessor: str) -> TokenEntry:
        if not accessor:
            raise InvalidRequest("missing field 'accessor': name the accessor of a token")
        entry = self._node.require().tokens.by_accessor(context.storage, accessor)
        if entry is None or not _is_within(context, entry):
            raise InvalidRequest("invalid accessor")
        return entry

    def _revoke_tree(self, context: Context, token: Secret[str]) -> None:
        tokens = self._node.require().tokens
        entry = tokens.find(context.storage, token)
        if entry is None:
            return
        if entry.type is TokenType.BATCH:
            raise InvalidRequest("batch tokens cannot be revoked; revoke their parent or wait until they expire")
        tokens.revoke_tree(context.storage, entry.id)

    def _renew(self, context: Context, entry: TokenEntry, token: Secret[str] | None, increment: int) -> Response:
        renewed(self._node, context, entry, increment)
        return Response(auth=auth_of(entry, token, context.now_ns()))


def _known(entry: TokenEntry | None) -> TokenEntry:
    if entry is None:
        # Clients (and hvac's tests) expect the answer of an unknown token here, not "not found".
        raise PermissionDenied("bad token")
    return entry


def _is_within(context: Context, entry: TokenEntry) -> bool:
    """Whether the caller, where it is bound to environments, may know of ``entry``: one that is bound to no others."""
    bound = set(context.caller.environments) if context.caller is not None else set()
    return not bound or (bool(entry.environments) and bound >= set(entry.environments))


def auth_of(entry: TokenEntry, token: Secret[str] | None, now_ns: int) -> Auth:
    """The ``auth`` part of an answer about a token."""
    return Auth(
        policies=entry.policies,
        metadata=entry.metadata,
        renewable=entry.renewable,
        num_uses=entry.num_uses,
        orphan=entry.orphan,
        token_type=entry.type,
        client_token=token or Secret(""),
        accessor=entry.accessor,
        lease_duration=entry.remaining_seconds(now_ns),
        entity_id=entry.entity_id,
        is_new=False,
    )


def described(entry: TokenEntry, token: Secret[str] | None, now_ns: int) -> dict[str, Any]:
    """A token's entry as lookups show it (CONTRACT 4). External clients rely on ``type``, ``ttl`` and ``expire_time``."""
    data: dict[str, Any] = {
        "accessor": entry.accessor,
        "creation_time": entry.creation_time_ns // NANOSECONDS,
        "creation_ttl": entry.creation_ttl,
        "display_name": entry.display_name,
        "entity_id": entry.entity_id,
        "expire_time": None if entry.expire_time_ns == NEVER else rfc3339(entry.expire_time_ns),
        "explicit_max_ttl": entry.explicit_max_ttl,
        "id": token.reveal() if token else "",
        "issue_time": rfc3339(entry.creation_time_ns),
        "meta": entry.metadata or None,
        "num_uses": entry.num_uses,
        "orphan": entry.orphan,
        "path": entry.path,
        "policies": list(entry.policies),
        "renewable": entry.renewable,
        "ttl": entry.remaining_seconds(now_ns),
        "type": entry.type.value,
    }
    if entry.last_renewal_ns:
        data["last_renewal"] = rfc3339(entry.last_renewal_ns)
        data["last_renewal_time"] = entry.last_renewal_ns // NANOSECONDS
    if entry.period:
        data["period"] = entry.period
    if entry.role:
        data["role"] = entry.role
    if entry.environments:
        data["environments"] = list(entry.environments)
    if entry.bound_cidrs:
        data["bound_cidrs"] = list(entry.bound_cidrs)
    return data
