"""Between the listener and the pipeline: requests are decoded, answered in a batch or on the pool, and encoded."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

from strongroom.core.batch import Alarms, answer_alone, answer_batch
from strongroom.core.pipeline import Answer
from strongroom.core.sealed import handle_sealed
from strongroom.http.codec import decode_request, encode_response
from strongroom.http.errors import encode_error
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.logical.backend import Router
from strongroom.logical.errors import InternalFailure, LogicalError
from strongroom.logical.request import Request
from strongroom.server.pool import CallLater, Pool
from strongroom.system.node import Node


class Asks(Protocol):
    """A request that waits for its answer: of this process's listener, or forwarded by a sibling process."""

    @property
    def request(self) -> HttpRequest:
        """What was asked."""
        ...

    def respond(self, response: HttpResponse) -> None:
        """Answer it, from any thread."""
        ...


class Edge:
    """The application that the listener serves. One for the process; called on the loop's thread alone.

    ``forward`` gives a request to the process that may answer it: where it is set, this one neither has a pool nor opens the vault.
    ``call_later`` has something run on the loop's thread after some seconds; without it, who waits too long hears so only in the end.
    """

    def __init__(
        self,
        node: Node,
        alarms: Alarms,
        *,
        call_later: CallLater | None = None,
        forward: Callable[[Asks], None] | None = None,
    ) -> None:
        self._forward = forward
        if node.system_backend is None:
            raise ValueError("the node is not assembled")
        self._node = node
        self._alarms = alarms
        self._sealed_router = Router(node.system_backend)
        self._pool = Pool(node.clock, alarms.on_failure, call_later=call_later)

    def __call__(self, exchanges: Sequence[Asks]) -> None:
        """Answer a batch. What must run on the pool is answered later, from there."""
        waiting: list[tuple[Asks, Request]] = []
        for exchange in exchanges:
            request_id = self._new_id()
            try:
                waiting.append((exchange, decode_request(exchange.request, request_id=request_id)))
            except LogicalError as error:
                exchange.respond(encode_error(error, request_id))
        unsealed = self._node.unsealed
        if unsealed is None and self._forward is not None:
            for exchange, _ in waiting:
                self._forward(exchange)
            return
        if unsealed is None:
            for exchange, request in waiting:
                answer = handle_sealed(self._node, self._sealed_router, request, self._alarms)
                exchange.respond(self._encoded(answer, request))
            return
        answers = answer_batch(unsealed, [request for _, request in waiting], self._alarms)
        for (exchange, request), one in zip(waiting, answers, strict=True):
            if one is None:
                self._submit(exchange, request)
            else:
                exchange.respond(self._encoded(one, request))

    def close(self) -> None:
        """Finish what the pool has begun."""
        self._pool.close()

    def _submit(self, exchange: Asks, request: Request) -> None:
        if self._forward is not None:
            self._forward(exchange)
            return
        self._pool.submit(lambda: self._answer_slowly(request), exchange.respond, deadline=exchange.request.deadline)

    def _answer_slowly(self, request: Request) -> HttpResponse:
        unsealed = self._node.unsealed
        if unsealed is None:
            answer = handle_sealed(self._node, self._sealed_router, request, self._alarms)
        else:
            answer = answer_alone(unsealed, request, self._alarms)
        return self._encoded(answer, request)

    def _encoded(self, answer: Answer, request: Request) -> HttpResponse:
        try:
            return encode(answer, request)
        except Exception as failure:  # noqa: BLE001 -- one answer that cannot be written must not take the others with it
            self._alarms.on_failure(failure)
            return encode_error(InternalFailure())

    def _new_id(self) -> str:
        return str(uuid.UUID(bytes=self._node.entropy.bytes(16), version=4))


def encode(answer: Answer, request: Request) -> HttpResponse:
    """An answer as HTTP."""
    if answer.error is not None:
        return encode_error(answer.error, request.id)
    return encode_response(answer.response, request, answer.shape)
