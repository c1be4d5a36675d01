"""``sys/internal``: what clients ask before they ask: which mount lies under a path, and the OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from strongroom.describe.openapi import Part, document
from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import PermissionDenied
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.mounts.entry import MountEntry
from strongroom.mounts.table import LiveMount, MountMap
from strongroom.policy.acl import ACL
from strongroom.policy.resultant import resultant_acl
from strongroom.system.area import Nothing
from strongroom.system.mounts import described
from strongroom.system.node import Node
from strongroom.tokens.addresses import is_address_allowed
from strongroom.tokens.entry import TokenEntry


@dataclass(slots=True)
class Preflight:
    """A path whose mount is wanted."""

    path: Annotated[str, Doc("Any path below the mount.", public=True)]


@dataclass(slots=True)
class Specification:
    """How the document shall look."""

    generic_mount_paths: Annotated[
        bool, Doc("Show a parameter where the name of a mount would stand.", public=True)
    ] = False
    context: Annotated[str, Doc("Kept for compatibility.", public=True)] = ""


class InternalArea:
    """Questions of clients and user interfaces."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        read = Operation.READ
        return (
            Path(
                "internal/ui/mounts",
                "The mounts that the caller may see; without a token, those that are shown to anybody.",
                (Endpoint(read, self.visible, "List visible mounts.", unauthenticated=True),),
            ),
            Path(
                "internal/ui/mounts/{path...}",
                "The mount under a path, for any token with some access below it.",
                # It answers only about mounts below which the token has some access.
                (Endpoint(read, self.preflight, "Ask about a mount.", any_access=True),),
            ),
            Path(
                "internal/ui/resultant-acl",
                "What the policies of the calling token allow together, for user interfaces.",
                (Endpoint(read, self.resultant_acl, "Ask about the token.", any_access=True),),
            ),
            Path(
                "internal/ui/namespaces",
                "The namespaces; there is only the root one.",
                (Endpoint(read, self.namespaces, "List them.", any_access=True),),
            ),
            Path(
                "internal/specs/openapi",
                "The whole API as an OpenAPI 3 document, derived from the declarations of all mounts.",
                (
                    # Large where there are many mounts, so not in the loop.
                    Endpoint(read, self.openapi, "Read the document.", any_access=True, slow=True, shape=Shape.BARE),
                    Endpoint(
                        Operation.UPDATE,
                        self.openapi,
                        "Read the document.",
                        any_access=True,
                        slow=True,
                        shape=Shape.BARE,
                    ),
                ),
            ),
        )

    def visible(self, context: Context, _: Nothing) -> Response:
        """Mounts by what the caller may see."""
        caller, acl = self._asking(context)
        secret: dict[str, Any] = {}
        auth: dict[str, Any] = {}
        for live in self._mounts(context):
            entry = live.entry
            is_shown = entry.config.listing_visibility == "unauth"
            if caller is not None and self._is_barred(context, caller, entry):
                continue
            if not is_shown and (acl is None or not acl.has_any_access(entry.path, now_ns=context.now_ns())):
                continue
            into = auth if entry.is_auth else secret
            into[entry.path.removeprefix("auth/")] = described(entry) if acl is not None else _brief(entry)
        return Response(data={"auth": auth, "secret": secret})

    def preflight(self, context: Context, request: Preflight) -> Response:
        """The mount under a path. No access and no mount are the same answer, so that mounts cannot be guessed."""
        found = self._map(context).find(request.path.rstrip("/"))
        caller, acl = self._asking(context)
        entry = found[0].entry if found else None
        may_see = acl is not None and entry is not None and acl.has_any_access(entry.path, now_ns=context.now_ns())
        if entry is None or not may_see or (caller is not None and self._is_barred(context, caller, entry)):
            # The path as it was asked, never the mount's: its length would show where a mount ends.
            raise PermissionDenied(
                "preflight capability check returned 403, please ensure client's policies grant access to path "
                f'"{request.path.strip("/")}/"'
            )
        return Response(data={**described(entry), "path": entry.path.removeprefix("auth/")})

    def resultant_acl(self, context: Context, _: Nothing) -> Response:
        """Root, or the rules of all the token's policies together."""
        acl = self._asking(context)[1]
        if acl is None:
            raise PermissionDenied
        return Response(data=resultant_acl(acl, context.now_ns()))

    def namespaces(self, context: Context, _: Nothing) -> Response:
        """The root namespace alone."""
        del context
        return Response(data={"keys": [""]})

    def openapi(self, context: Context, request: Specification) -> Response:
        """The document of every mount that the caller may see something of."""
        caller, acl = self._asking(context)
        now = context.now_ns()
        parts = [
            Part(live.entry.path, live.router)
            for live in self._mounts(context)
            if acl is not None
            and caller is not None
            and acl.has_any_access(live.entry.path, now_ns=now)
            and not self._is_barred(context, caller, live.entry)
        ]
        return Response(data=document(parts, generic=request.generic_mount_paths), is_documentation=True)

    def _mounts(self, context: Context) -> list[LiveMount]:
        mounts = self._map(context)
        return [*mounts.all(is_auth=False), *mounts.all(is_auth=True)]

    def _map(self, context: Context) -> MountMap:
        return self._node.require().mounts.at(context.storage, self._node.epoch(context.storage))

    def _asking(self, context: Context) -> tuple[TokenEntry | None, ACL | None]:
        """Who asks and what they may do, where the request shows a good token."""
        unsealed = self._node.require()
        token = context.request.token
        entry = unsealed.tokens.find(context.storage, token) if token else None
        # Where no token is needed nobody has looked yet from where this one is shown.
        if entry is None or not is_address_allowed(entry, context.request.connection.remote_address):
            return None, None
        return entry, unsealed.acl_for(context.storage, entry, self._node.epoch(context.storage))

    def _is_barred(self, context: Context, caller: TokenEntry, entry: MountEntry) -> bool:
        epoch = self._node.epoch(context.storage)
        return self._node.require().is_barred(context.storage, caller, entry.uuid, epoch)


def _brief(entry: MountEntry) -> dict[str, Any]:
    return {"description": entry.description, "options": entry.options, "type": entry.type}
