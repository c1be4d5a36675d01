"""``sys/leases``: looking at, renewing and ending what was given out for a time (CONTRACT part 1 §6, part 2 B.3).

Today every lease is that of a token, because nothing else is given out for a time: each service token that expires has one (see
``tokens.lease_index``). Renewing and revoking a lease is renewing and revoking its token. Whether the request waits (``sync``) or
not, a revocation is in force before it is answered; only the status tells the two apart, as clients expect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from strongroom.logical.backend import Context, Endpoint, Handler, Path
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc, Duration
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.system.area import Nothing, listed
from strongroom.system.node import Node
from strongroom.system.token_renewal import renewed
from strongroom.system.token_steps import revoke_all, tidy

_ACCEPTED = 202
_IRREVOCABLE = "irrevocable"


@dataclass(slots=True)
class OfLease:
    """A request about one lease."""

    lease_id: Annotated[str, Doc("The lease.")] = ""


@dataclass(slots=True)
class RenewLease(OfLease):
    """How long a lease shall live on."""

    increment: Annotated[Duration, Doc("Wished lifetime from now; 0 for the lease's own.", public=True)] = 0


@dataclass(slots=True)
class RevokeLease(OfLease):
    """A lease to end."""

    sync: Annotated[bool, Doc("Answer 204 when it is done, instead of 202; it is done either way.", public=True)] = True


@dataclass(slots=True)
class BelowPrefix:
    """A folder of leases."""

    prefix: Annotated[str, Doc("A path; it ends at a `/`, whether that is written or not.", public=True)] = ""


@dataclass(slots=True)
class RevokePrefix(BelowPrefix):
    """Leases to end together."""

    sync: Annotated[bool, Doc("Answer 204 when it is done, instead of 202; it is done either way.", public=True)] = True


@dataclass(slots=True)
class LeasesOfType:
    """Which leases to count."""

    type: Annotated[str, Doc("Must be `irrevocable`.", public=True)] = ""
    include_child_namespaces: Annotated[bool, Doc("Kept for compatibility.", public=True)] = False


@dataclass(slots=True)
class ListLeasesOfType(LeasesOfType):
    """Which leases to show."""

    limit: Annotated[str, Doc("How many at most: a whole number above 0, or `none`.", public=True)] = ""


class LeaseArea:
    """Leases, in today's paths and in those of older clients."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path(
                "leases",
                "The leases that could not be ended because what they stand for could not be reached.",
                (Endpoint(Operation.READ, self.of_type, "Show the irrevocable leases.", sudo=True),),
            ),
            Path(
                "leases/count",
                "How many leases could not be ended.",
                (Endpoint(Operation.READ, self.count, "Count the irrevocable leases."),),
            ),
            Path(
                "leases/lookup",
                "What is known of a lease.",
                (Endpoint(Operation.UPDATE, self.lookup, "Look up a lease.", open_to_bound=True),),
            ),
            Path(
                "leases/lookup/{prefix*}",
                "The leases below a path, as in a folder.",
                # Large where there are many leases, so not in the loop.
                (Endpoint(Operation.LIST, self.list, "List the leases.", sudo=True, slow=True),),
            ),
            Path(
                "leases/tidy",
                "Remove what expired leases left behind. It happens by itself; this does it now.",
                (Endpoint(Operation.UPDATE, self.tidy, "Tidy now.", slow=True),),
            ),
            *self._acts("leases/", deprecated=False),
            *self._acts("", deprecated=True),
        )

    def _acts(self, folder: str, *, deprecated: bool) -> tuple[Path, ...]:
        spelling = ", in the older spelling" if deprecated else ""

        def act(template: str, text: str, handler: Handler, summary: str, *, on_many: bool = False) -> Path:
            # Acts on whole prefixes take as long as there are leases. What takes access away works in any case.
            endpoint = Endpoint(
                Operation.UPDATE,
                handler,
                summary,
                sudo=on_many,
                slow=on_many,
                deprecated=deprecated,
                audit_exempt=handler != self.renew,
                open_to_bound=not on_many,
            )
            return Path(f"{folder}{template}", f"{text}{spelling}.", (endpoint,))

        renew, revoke = "Let a lease live on", "End a lease: what it stands for stops working"
        return (
            act("renew", renew, self.renew, "Renew a lease."),
            act("renew/{lease_id...}", renew, self.renew, "Renew a lease."),
            act("revoke", revoke, self.revoke, "Revoke a lease."),
            act("revoke/{lease_id...}", revoke, self.revoke, "Revoke a lease."),
            act(
                "revoke-prefix/{prefix...}",
                "End every lease below a path",
                self.revoke_prefix,
                "Revoke all leases below a path.",
                on_many=True,
            ),
            act(
                "revoke-force/{prefix...}",
                "End every lease below a path, and forget those that cannot be ended",
                self.revoke_prefix,
                "Revoke or forget all leases below a path.",
                on_many=True,
            ),
        )

    def lookup(self, context: Context, request: OfLease) -> Response:
        """One lease."""
        lease_id = _required(request.lease_id)
        entry = self._node.require().tokens.by_lease(context.storage, lease_id)
        if entry is None:
            raise InvalidRequest("invalid lease")
        return Response(
            data={
                "expire_time": rfc3339(entry.expire_time_ns),
                "id": lease_id,
                "issue_time": rfc3339(entry.creation_time_ns),
                "last_renewal": rfc3339(entry.last_renewal_ns) if entry.last_renewal_ns else None,
                "path": entry.path,
                "renewable": entry.renewable,
                "ttl": entry.remaining_seconds(context.now_ns()),
            }
        )

    def list(self, context: Context, request: BelowPrefix) -> Response:
        """What lies directly below a path."""
        return listed(self._node.require().tokens.lease_names(context.storage, request.prefix))

    def renew(self, context: Context, request: RenewLease) -> Response:
        """A longer life, if the login that made the token would still succeed."""
        lease_id = _required(request.lease_id)
        entry = self._node.require().tokens.by_lease(context.storage, lease_id)
        if entry is None:
            raise InvalidRequest("lease not found")
        renewed(self._node, context, entry, request.increment)
        return Response(
            lease_id=lease_id,
            lease_duration=entry.remaining_seconds(context.now_ns()),
            renewable=entry.renewable,
        )

    def revoke(self, context: Context, request: RevokeLease) -> Response | None:
        """End one lease. One that is not there has ended already."""
        tokens = self._node.require().tokens
        entry = tokens.by_lease(context.storage, _required(request.lease_id))
        if entry is not None:
            tokens.revoke_tree(context.storage, entry.id)
        return _done(is_sync=request.sync)

    def revoke_prefix(self, context: Context, request: RevokePrefix) -> Response | None:
        """End every lease below a path. A token needs nobody else to end, so none can be left over that would need force."""
        unsealed = self._node.require()
        revoke_all(unsealed, unsealed.tokens.ids_of_leases(context.storage, request.prefix))
        return _done(is_sync=request.sync)

    def tidy(self, context: Context, _: Nothing) -> Response:
        """Remove the expired."""
        del context
        tidy(self._node.require())
        return Response(
            status=_ACCEPTED, warnings=("Expired leases were removed with everything that belongs to them.",)
        )

    def count(self, context: Context, request: LeasesOfType) -> Response:
        """How many leases are irrevocable, by mount: none, as a token can always be revoked."""
        del context
        _check_type(request)
        return Response(data={"counts": {}, "lease_count": 0})

    def of_type(self, context: Context, request: ListLeasesOfType) -> Response:
        """The irrevocable leases: none, as a token can always be revoked."""
        del context
        _check_type(request)
        limit = request.limit
        if limit not in ("", "none") and not (limit.isascii() and limit.isdigit() and limit.strip("0")):
            raise InvalidRequest("limit must be 'none' or a positive integer")
        return Response(data={"lease_count": 0, "leases": []})


def _required(lease_id: str) -> str:
    if not lease_id:
        raise InvalidRequest("lease_id must be specified")
    return lease_id


def _done(*, is_sync: bool) -> Response | None:
    return None if is_sync else Response(status=_ACCEPTED)


def _check_type(request: LeasesOfType) -> None:
    # Vault has nothing to say of any other type, and says so in this way.
    if request.type.lower() != _IRREVOCABLE:
        raise NotFound
