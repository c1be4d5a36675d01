"""``sys/in-flight-req``: what this process is answering right now."""

from __future__ import annotations

import hashlib
from typing import Any

from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Capability, Operation
from strongroom.logical.request import Request, Response
from strongroom.policy.decision import Question
from strongroom.system.area import Nothing
from strongroom.system.node import Node
from strongroom.system.unsealed import Unsealed


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
                (Endpoint(Operation.READ, self.read, shown, shape=Shape.BARE),),
            ),
        )

    def read(self, context: Context, _: Nothing) -> Response:
        """Every request of the batch on the loop, this one among them, and every one on the pool."""
        unsealed = self._node.require()
        shows_paths = self._may_see_paths(context)
        return Response(
            data={
                request.id: _described(unsealed, started_ns, request, shows_path=shows_paths)
                for started_ns, request in self._node.in_flight.all()
            },
            returned_keys=(),
            is_documentation=True,
        )

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


def _described(unsealed: Unsealed, started_ns: int, request: Request, *, shows_path: bool) -> dict[str, Any]:
    connection = request.connection
    address = f"{connection.remote_address}:{connection.remote_port}" if connection.remote_address else ""
    return {
        "start_time": rfc3339(started_ns),
        "client_remote_address": address,
        "request_path": f"/v1/{request.path}" if shows_path else "",
        "request_method": request.method,
        "client_id": _client_id(unsealed, request),
    }


def _client_id(unsealed: Unsealed, request: Request) -> str:
    """The same for every request with the same token, and of no use for anything else."""
    if request.token is None:
        return ""
    return hashlib.sha256(b"client id\0" + unsealed.tokens.id_of(request.token).encode()).hexdigest()
