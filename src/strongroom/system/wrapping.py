"""``sys/wrapping``: take out what was wrapped, ask about it, wrap anything, or wrap it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

from strongroom.encoding import json
from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc, WholeBody
from strongroom.logical.operation import Operation
from strongroom.logical.policy_name import RESPONSE_WRAPPING
from strongroom.logical.request import Response
from strongroom.logical.secret import Secret
from strongroom.system.node import Node
from strongroom.tokens.entry import TokenEntry

_INVALID = "wrapping token is not valid or does not exist"


@dataclass(slots=True)
class OfWrappingToken:
    """A wrapping token, in the body or shown as the client's own token."""

    token: Annotated[Secret[str], Doc("The wrapping token; without it, the client's token is meant.")] = field(
        default_factory=lambda: Secret("")
    )


@dataclass(slots=True)
class Anything:
    """Whatever shall be wrapped."""

    body: Annotated[WholeBody, Doc("What to wrap.")]


class WrappingArea:
    """Single-use tokens that stand in for an answer."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        update = Operation.UPDATE
        return (
            Path(
                "wrapping/unwrap",
                "Take out what a wrapping token stands for; it works once.",
                (Endpoint(update, self.unwrap, "Unwrap.", unauthenticated=True),),
            ),
            Path(
                "wrapping/lookup",
                "What is known of a wrapping token, without using it.",
                (
                    Endpoint(update, self.lookup, "Ask about a wrapping token.", unauthenticated=True),
                    Endpoint(Operation.READ, self.lookup, "Ask about the client's own token.", unauthenticated=True),
                ),
            ),
            Path(
                "wrapping/wrap",
                "Wrap whatever is sent; the wrapping TTL is taken from the X-Vault-Wrap-TTL header.",
                (Endpoint(update, self.wrap, "Wrap.", shape=Shape.ENVELOPE_AND_TOP_LEVEL, open_to_bound=True),),
            ),
            Path(
                "wrapping/rewrap",
                "Exchange a wrapping token for a fresh one with the same contents and lifetime.",
                (Endpoint(update, self.rewrap, "Wrap again.", unauthenticated=True),),
            ),
        )

    def unwrap(self, context: Context, request: OfWrappingToken) -> Response:
        """The wrapped answer, byte for byte. The token is used up in the same transaction."""
        entry, kept = self._open(context, request)
        self._node.require().tokens.revoke_tree(context.storage, entry.id)
        wrapped = kept["response"].encode()
        return Response(wrapped_envelope=wrapped, returned_keys=_names(json.decode(wrapped)))

    def lookup(self, context: Context, request: OfWrappingToken) -> Response:
        """When and where it was made, and for how long."""
        _, kept = self._open(context, request)
        return Response(data={name: kept[name] for name in ("creation_path", "creation_time", "creation_ttl")})

    def wrap(self, context: Context, request: Anything) -> Response:
        """Give back what was sent, for the pipeline to wrap."""
        if not context.request.wrap_ttl:
            raise InvalidRequest("endpoint requires response wrapping to be used: send the X-Vault-Wrap-TTL header")
        return Response(data=request.body)

    def rewrap(self, context: Context, request: OfWrappingToken) -> Response:
        """A fresh token for the same contents."""
        entry, kept = self._open(context, request)
        unsealed = self._node.require()
        unsealed.tokens.revoke_tree(context.storage, entry.id)
        return Response(wrap_info=unsealed.wrapped.put(context.storage, kept, environments=entry.environments))

    def _open(self, context: Context, request: OfWrappingToken) -> tuple[TokenEntry, dict[str, Any]]:
        token = request.token or context.request.token
        unsealed = self._node.require()
        entry = unsealed.tokens.find(context.storage, token) if token else None
        if entry is None or entry.policies != (RESPONSE_WRAPPING,) or self._is_from_elsewhere(context, entry):
            raise InvalidRequest(_INVALID)
        kept = unsealed.wrapped.get(context.storage, entry.id)
        if kept is None:
            raise InvalidRequest(_INVALID)
        return entry, kept

    def _is_from_elsewhere(self, context: Context, wrapping: TokenEntry) -> bool:
        """Whether the caller's own token is bound to environments, and the answer comes from another one."""
        token = context.request.token
        caller = self._node.require().tokens.find(context.storage, token) if token else None
        if caller is None or not caller.environments:
            return False
        return not set(wrapping.environments) <= set(caller.environments)


def _names(envelope: dict[str, Any]) -> tuple[str, ...]:
    data = envelope.get("data") or {}
    inner = data.get("data")
    return tuple(inner) if isinstance(inner, dict) else tuple(data)
