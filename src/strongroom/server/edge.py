"""Between the listener and the pipeline: requests are decoded, answered in a batch or on the pool, and encoded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from strongroom.core.batch import Alarms, answer_alone, answer_batch
from strongroom.core.pipeline import Answer
from strongroom.core.sealed import handle_sealed
from strongroom.http.codec import encode_response
from strongroom.http.errors import encode_error
from strongroom.http.message import HttpResponse
from strongroom.logical.backend import Router
from strongroom.logical.errors import InternalFailure
from strongroom.logical.request import Request
from strongroom.quotas.ruleset import client_of
from strongroom.server.doorman import Asks, Doorman, Read
from strongroom.server.log import Log
from strongroom.server.meter import Meter
from strongroom.server.pool import CallLater, Pool
from strongroom.server.vital import is_vital
from strongroom.system.node import Node
from strongroom.system.unsealed import Unsealed


class Edge:
    """The application that the listener serves. One for the process; called on the loop's thread alone.

    ``forward`` gives a request to the process that may answer it: where it is set, this one neither has a pool nor opens the vault.
    ``call_later`` has something run on the loop's thread after some seconds; without it, who waits too long hears so only in the end.
    ``log`` is told of requests that took long.
    """

    def __init__(
        self,
        node: Node,
        alarms: Alarms,
        *,
        call_later: CallLater | None = None,
        forward: Callable[[Asks], None] | None = None,
        log: Log | None = None,
    ) -> None:
        self._forward = forward
        if node.system_backend is None:
            raise ValueError("the node is not assembled")
        self._node = node
        self._alarms = alarms
        self._sealed_router = Router(node.system_backend)
        self._meter = Meter(node.telemetry, node.clock, log)
        self._doorman = Doorman(node, self._meter)
        self.pool = Pool(node.clock, alarms.on_failure, call_later=call_later)

    def __call__(self, exchanges: Sequence[Asks]) -> None:
        """Answer a batch. What must run on the pool is answered later, from there."""
        began = self._meter.now()
        unsealed = self._node.unsealed
        waiting = self._doorman.read(exchanges, unsealed)
        if unsealed is None and self._forward is not None:
            for exchange, _ in waiting:
                self._forward(exchange)
        elif waiting:
            self._answer(unsealed, waiting, began)

    def close(self) -> None:
        """Finish what the pool has begun."""
        self.pool.close()

    def _answer(self, unsealed: Unsealed | None, waiting: Sequence[Read], began: float) -> None:
        node = self._node
        requests = [request for _, request in waiting]
        answers: Sequence[Answer | None]
        node.in_flight.begin_batch(requests, node.clock.now_ns())
        if unsealed is None:
            answers = [handle_sealed(node, self._sealed_router, request, self._alarms) for request in requests]
        else:
            answers = answer_batch(unsealed, requests, self._alarms)
        node.in_flight.begin_batch((), 0)
        responses: list[HttpResponse | None] = []
        for (exchange, request), one in zip(waiting, answers, strict=True):
            response = None if one is None else self._encoded(one, request)
            if response is None:
                self._submit(exchange, request, began)
            else:
                exchange.respond(response)
            responses.append(response)
        self._meter.batch(began, requests, answers, responses)

    def _submit(self, exchange: Asks, request: Request, began: float) -> None:
        if self._forward is not None:
            self._forward(exchange)
            return
        in_flight = self._node.in_flight
        has_run = threading.Event()

        def work() -> HttpResponse:
            has_run.set()
            return self._answer_slowly(request, began)

        def respond(response: HttpResponse) -> None:
            in_flight.end_slow(request)
            if not has_run.is_set():
                self._meter.overdue(request, response)
            exchange.respond(response)

        in_flight.begin_slow(request, self._node.clock.now_ns())
        self.pool.submit(
            work,
            respond,
            deadline=exchange.request.deadline,
            address=client_of(request.connection.remote_address),
            is_vital=is_vital(exchange.request.target),
        )

    def _answer_slowly(self, request: Request, began: float) -> HttpResponse:
        unsealed = self._node.unsealed
        if unsealed is None:
            answer = handle_sealed(self._node, self._sealed_router, request, self._alarms)
        else:
            answer = answer_alone(unsealed, request, self._alarms)
        response = self._encoded(answer, request)
        self._meter.alone(began, request, answer, response)
        return response

    def _encoded(self, answer: Answer, request: Request) -> HttpResponse:
        try:
            return encode(answer, request)
        except Exception as failure:  # noqa: BLE001 -- one answer that cannot be written must not take the others with it
            self._alarms.on_failure(failure)
            return encode_error(InternalFailure())


def encode(answer: Answer, request: Request) -> HttpResponse:
    """An answer as HTTP."""
    if answer.error is not None:
        return encode_error(answer.error, request.id)
    return encode_response(answer.response, request, answer.shape)
