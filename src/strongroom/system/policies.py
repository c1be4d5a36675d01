"""``sys/policies/acl`` and the older ``sys/policy``: the same policies in two spellings."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated

from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.mounts.table import touch_epoch
from strongroom.policy.names import is_policy_name
from strongroom.system.area import Named, Nothing, listed
from strongroom.system.node import Node

_FOLDED = frozenset({"name"})


@dataclass(slots=True)
class WritePolicy:
    """A policy to store. ``rules`` is the older name of ``policy``."""

    name: Annotated[str, Doc("The policy's name; letters are taken as small letters.", public=True)]
    policy: Annotated[str, Doc("The policy, in HCL or JSON, plain or in base64.", public=True)] = ""
    rules: Annotated[str, Doc("The older name of `policy`.", public=True)] = ""


class PolicyArea:
    """Policies, written and read back as text."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path(
                "policies/acl",
                "The names of all policies.",
                (Endpoint(Operation.LIST, self.list, "List the policies."),),
            ),
            Path(
                "policies/acl/{name...}",
                "One policy. A policy grants capabilities on paths; a token has the union of its policies, and deny wins.",
                (
                    Endpoint(Operation.READ, self.read, "Read a policy."),
                    Endpoint(Operation.UPDATE, self.write, "Create or replace a policy."),
                    Endpoint(Operation.DELETE, self.delete, "Delete a policy; tokens that name it keep the name."),
                ),
                folded=_FOLDED,
            ),
            Path(
                "policy",
                "The names of all policies, in the older spelling.",
                (
                    Endpoint(
                        Operation.READ, self.list_legacy, "List the policies.", shape=Shape.ENVELOPE_AND_TOP_LEVEL
                    ),
                    Endpoint(
                        Operation.LIST, self.list_legacy, "List the policies.", shape=Shape.ENVELOPE_AND_TOP_LEVEL
                    ),
                ),
            ),
            Path(
                "policy/{name...}",
                "One policy, in the older spelling: the text is called `rules`.",
                (
                    Endpoint(Operation.READ, self.read_legacy, "Read a policy.", shape=Shape.ENVELOPE_AND_TOP_LEVEL),
                    Endpoint(Operation.UPDATE, self.write, "Create or replace a policy."),
                    Endpoint(Operation.DELETE, self.delete, "Delete a policy."),
                ),
                folded=_FOLDED,
            ),
        )

    def list(self, context: Context, _: Nothing) -> Response:
        """All names, ``root`` among them."""
        return listed(self._node.require().policies.names(context.storage))

    def list_legacy(self, context: Context, _: Nothing) -> Response:
        """All names, under both words that clients look for."""
        names = self._node.require().policies.names(context.storage)
        return Response(data={"keys": names, "policies": names})

    def read(self, context: Context, request: Named) -> Response:
        """The text, in today's spelling."""
        name, text = self._stored(context, request.name)
        return Response(data={"name": name, "policy": text})

    def read_legacy(self, context: Context, request: Named) -> Response:
        """The text, in the older spelling."""
        name, text = self._stored(context, request.name)
        return Response(data={"name": name, "rules": text})

    def write(self, context: Context, request: WritePolicy) -> None:
        """Parse and store; what the parser refuses changes nothing."""
        text = request.policy or request.rules
        if not text.strip():
            raise InvalidRequest("'policy' parameter not supplied or empty")
        self._node.require().policies.put(context.storage, request.name, _plain(text))
        touch_epoch(context.storage)

    def delete(self, context: Context, request: Named) -> None:
        """Delete; nothing happens where there is none, as under a name that no policy can have."""
        if not is_policy_name(request.name):
            return
        self._node.require().policies.delete(context.storage, request.name)
        touch_epoch(context.storage)

    def _stored(self, context: Context, name: str) -> tuple[str, str]:
        stored = self._node.require().policies.get(context.storage, name) if is_policy_name(name) else None
        if stored is None:
            raise NotFound
        return stored.name, stored.text


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text
