"""Between the listener and the pipeline: requests are decoded, answered in a batch or on the pool, and encoded."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

from strongroom.core.batch import Alarms, answer_alone, answer_batch
from strongroom.core.pipeline import Answer
from strongroom.core.sealed import handle_sealed
from strongroom.http.codec import decode_request, encode_response
from strongroom.http.errors import encode_error
from strongroom.http.message import HttpResponse
from strongroom.http.shared import Exchange
from strongroom.logical.backend import Router
from strongroom.logical.errors import InternalFailure, LogicalError, RateLimited
from strongroom.logical.request import Request
from strongroom.system.node import Node

POOL_THREADS = 4
"""A busy thread halves the loop's throughput, so there are few (DESIGN 8); their work is in C and lets the loop run."""
POOL_WAITING_MAX = 64
RETRY_AFTER_SECONDS = 1


class Edge:
    """The application that the listener serves. One for the process; called on the loop's thread alone."""

    def __init__(self, node: Node, alarms: Alarms) -> None:
        if node.system_backend is None:
            raise ValueError("the node is not assembled")
        self._node = node
        self._alarms = alarms
        self._sealed_router = Router(node.system_backend)
        self._pool = ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="slow")
        self._free = threading.BoundedSemaphore(POOL_THREADS + POOL_WAITING_MAX)

    def __call__(self, exchanges: list[Exchange]) -> None:
        """Answer a batch. What must run on the pool is answered later, from there."""
        waiting: list[tuple[Exchange, Request]] = []
        for exchange in exchanges:
            request_id = self._new_id()
            try:
                waiting.append((exchange, decode_request(exchange.request, request_id=request_id)))
            except LogicalError as error:
                exchange.respond(encode_error(error, request_id))
        unsealed = self._node.unsealed
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
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _submit(self, exchange: Exchange, request: Request) -> None:
        if not self._free.acquire(blocking=False):
            busy = RateLimited(
                "too many slow requests at once; try again in a second", retry_after_seconds=RETRY_AFTER_SECONDS
            )
            exchange.respond(encode_error(busy))
            return
        self._pool.submit(self._answer_slowly, exchange, request)

    def _answer_slowly(self, exchange: Exchange, request: Request) -> None:
        try:
            unsealed = self._node.unsealed
            if unsealed is None:
                answer = handle_sealed(self._node, self._sealed_router, request, self._alarms)
            else:
                answer = answer_alone(unsealed, request, self._alarms)
            response = self._encoded(answer, request)
        except Exception as failure:  # noqa: BLE001 -- the client must get an answer whatever happened
            self._alarms.on_failure(failure)
            response = encode_error(InternalFailure())
        finally:
            self._free.release()
        exchange.respond(response)

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
