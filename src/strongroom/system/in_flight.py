"""``sys/in-flight-req``: what the processes of this server are answering right now."""

from __future__ import annotations

from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.operation import Capability, Operation
from strongroom.logical.request import Response
from strongroom.policy.decision import Question
from strongroom.system.area import Nothing
from strongroom.system.node import Node


class InFlightArea:
    """The requests under way."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        shown = "Show them, by request id. Paths are shown to root tokens, and to those that have sudo here."
        return (
            Path(
                "in-flight-req",
                "The requests that this server is answering right now.",
                (Endpoint(Operation.READ, self.read, shown, slow=True, shape=Shape.BARE),),
            ),
        )

    def read(self, context: Context, _: Nothing) -> Response:
        """Every request of each process's batch, and every one on the pool, this one among them."""
        found = self._node.under_way()
        if self._node.siblings is not None:
            # It runs in the process that leads, which asks the others.
            found = {**found, **self._node.siblings.under_way()}
        if not self._may_see_paths(context):
            found = {number: {**one, "request_path": ""} for number, one in found.items()}
        oldest_first = dict(sorted(found.items(), key=lambda item: item[1]["start_time"].rstrip("Z")))
        return Response(data=oldest_first, returned_keys=(), is_documentation=True)

    def _may_see_paths(self, context: Context) -> bool:
        unsealed = self._node.require()
        token = context.request.token
        entry = unsealed.tokens.find(context.storage, token) if token else None
        if entry is None:
            return False
        acl = unsealed.acl_for(context.storage, entry, self._node.epoch(context.storage))
        question = Question(
            path=context.request.path, capability=Capability.READ, needs_sudo=True, now_ns=context.now_ns()
        )
        return acl.decide(question).allowed
