"""``sys/capabilities``: what a token may do on a path, asked by token, by accessor, or by the token itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.logical.secret import Secret
from strongroom.system.node import Node
from strongroom.system.reach import is_out_of_bounds
from strongroom.tokens.entry import TokenEntry

_PATHS_DOC = Doc("The paths to ask about.", public=True)


@dataclass(slots=True)
class OfSelf:
    """Ask for the calling token."""

    paths: Annotated[list[str], _PATHS_DOC] = field(default_factory=list)
    path: Annotated[list[str], Doc("The older name of `paths`.", public=True)] = field(default_factory=list)


@dataclass(slots=True)
class OfToken(OfSelf):
    """Ask for another token."""

    token: Annotated[Secret[str], Doc("The token to ask about.")] = field(default_factory=lambda: Secret(""))


@dataclass(slots=True)
class OfAccessor(OfSelf):
    """Ask for the token that an accessor names."""

    accessor: Annotated[str, Doc("The accessor of the token to ask about.")] = ""


class CapabilityArea:
    """What tokens may do."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        shape = Shape.ENVELOPE_AND_TOP_LEVEL
        return (
            Path(
                "capabilities",
                "The capabilities of a token on paths.",
                (Endpoint(Operation.UPDATE, self.of_token, "Ask about a token.", shape=shape),),
            ),
            Path(
                "capabilities-self",
                "The capabilities of the calling token on paths.",
                (
                    Endpoint(
                        Operation.UPDATE, self.of_self, "Ask about the calling token.", shape=shape, open_to_bound=True
                    ),
                ),
            ),
            Path(
                "capabilities-accessor",
                "The capabilities on paths of the token that an accessor names.",
                (Endpoint(Operation.UPDATE, self.of_accessor, "Ask by accessor.", shape=shape),),
            ),
        )

    def of_self(self, context: Context, request: OfSelf) -> Response:
        """The calling token's capabilities."""
        tokens = self._node.require().tokens
        if context.request.token is None:
            raise InvalidRequest("no token was sent")
        return self._answer(context, tokens.find(context.storage, context.request.token), request)

    def of_token(self, context: Context, request: OfToken) -> Response:
        """The named token's capabilities."""
        entry = self._node.require().tokens.find(context.storage, request.token)
        return self._answer(context, entry, request)

    def of_accessor(self, context: Context, request: OfAccessor) -> Response:
        """The capabilities of the token behind an accessor."""
        entry = self._node.require().tokens.by_accessor(context.storage, request.accessor)
        if entry is None:
            raise InvalidRequest("invalid accessor")
        return self._answer(context, entry, request)

    def _answer(self, context: Context, entry: TokenEntry | None, request: OfSelf) -> Response:
        if entry is None:
            raise InvalidRequest("invalid token")
        asked = request.paths or request.path
        if not asked:
            raise InvalidRequest("no path was given; name one or more in 'paths'")
        unsealed = self._node.require()
        epoch = self._node.epoch(context.storage)
        acl = unsealed.acl_for(context.storage, entry, epoch)
        data: dict[str, list[str]] = {}
        for path in asked:
            bare = path.removeprefix("/")
            is_barred = is_out_of_bounds(self._node, context.storage, entry, bare)
            data[path] = ["deny"] if is_barred else list(acl.capabilities(bare, now_ns=context.now_ns()))
        if len(asked) == 1:
            data["capabilities"] = data[asked[0]]
        return Response(data=data)
