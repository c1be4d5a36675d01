"""Counts what the edge answered, and says in the server's log what was slow.

Made for batches: what can be counted once for all requests of a batch is, and the rest costs well under a microsecond each.
"""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.core.pipeline import Answer
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.logical.ambient import Clock
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request
from strongroom.quotas.ruleset import QuotaExceeded
from strongroom.server.log import Field, Log
from strongroom.telemetry import catalog
from strongroom.telemetry.catalog import MOUNT_TYPES, NO_MOUNT_TYPE
from strongroom.telemetry.instruments import Telemetry
from strongroom.telemetry.labels import LoginOutcome, Outcome, Way, outcome_of

SLOW_SECONDS = 1.0
"""A request that took longer has a line in the log at level warn."""
SLOW_LINES_MAX = 16
"""How many such lines a batch may have: all of its requests took as long."""


class Meter:
    """Counts answers. ``log`` is where slow requests are told, and at level debug all of them."""

    def __init__(self, telemetry: Telemetry, clock: Clock, log: Log | None) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._log = log
        self._tells_all = log is not None and log.shows("debug")

    def now(self) -> float:
        """Where a measurement begins."""
        return self._clock.monotonic()

    def batch(
        self,
        began: float,
        requests: Sequence[Request],
        answers: Sequence[Answer | None],
        responses: Sequence[HttpResponse | None],
    ) -> None:
        """Count a batch that was answered. None stands for what goes on elsewhere."""
        seconds = self._clock.monotonic() - began
        counts: dict[tuple[Operation, Outcome, str], int] = {}
        answered = run = 0
        ok, type_of = Outcome.OK, self._type
        last: tuple[Operation, Outcome, str] = (Operation.READ, ok, "")
        for request, answer in zip(requests, answers, strict=True):
            if answer is None:
                continue
            answered += 1
            error = answer.error
            outcome = ok if error is None else outcome_of(error)
            kind = type_of(answer)
            # Most requests of a batch are like the one before, and looking costs less than a key of the table.
            if kind is not last[2] or request.operation is not last[0] or outcome is not last[1]:
                counts[last] = counts.get(last, 0) + run
                last, run = (request.operation, outcome, kind), 0
            run += 1
        counts[last] = counts.get(last, 0) + run
        if not answered:
            return
        telemetry = self._telemetry
        telemetry.add_all(
            catalog.REQUESTS,
            (
                ((operation, outcome, telemetry.word(MOUNT_TYPES, kind)), n)
                for (operation, outcome, kind), n in counts.items()
                if n
            ),
        )
        telemetry.observe(catalog.REQUEST_SECONDS, seconds, Way.BATCH, times=answered)
        telemetry.observe(catalog.BATCH_REQUESTS, answered)
        if self._tells_all or seconds > SLOW_SECONDS:
            self._tell_batch(seconds, requests, answers, responses)

    def alone(self, began: float, request: Request, answer: Answer, response: HttpResponse) -> None:
        """Count a request that ran on the pool; ``began`` is when it was handed there."""
        seconds = self._clock.monotonic() - began
        telemetry = self._telemetry
        kind = telemetry.word(MOUNT_TYPES, self._type(answer))
        telemetry.add(catalog.REQUESTS, request.operation, outcome_of(answer.error), kind)
        telemetry.observe(catalog.REQUEST_SECONDS, seconds, Way.POOL)
        if self._tells_all or seconds > SLOW_SECONDS:
            self._tell(seconds, request, answer, response)

    def overdue(self, request: Request, response: HttpResponse) -> None:
        """Count a request that the pool had no place or no time for."""
        outcome = Outcome.LIMITED if response.status == 429 else Outcome.UNAVAILABLE
        kind = self._telemetry.word(MOUNT_TYPES, NO_MOUNT_TYPE)
        self._telemetry.add(catalog.REQUESTS, request.operation, outcome, kind)
        if self._tells_all:
            self._tell(0.0, request, Answer(), response)

    def malformed(self, http: HttpRequest, response: HttpResponse) -> None:
        """Count a request that could not be read."""
        self._telemetry.add(catalog.MALFORMED)
        self._tell_unread("request that cannot be read", http, response)

    def limited(self, exceeded: QuotaExceeded, http: HttpRequest, response: HttpResponse) -> None:
        """Count a request that a quota refused."""
        self._telemetry.add(catalog.RATE_LIMITED, exceeded.scope)
        self._tell_unread("request beyond its quota", http, response)

    def _type(self, answer: Answer) -> str:
        """The type of the mount that answered; counts the login where there was one."""
        route = answer.route
        if route is None or route.live is None:
            return NO_MOUNT_TYPE
        mount = route.live.mount
        if mount.is_auth and route.is_unauthenticated:
            response = answer.response
            has_token = response is not None and (response.auth is not None or response.wrap_info is not None)
            outcome = LoginOutcome.OK if has_token else LoginOutcome.FAILED
            self._telemetry.add(catalog.LOGINS, self._telemetry.word(MOUNT_TYPES, mount.type), outcome)
        return mount.type

    def _tell_unread(self, message: str, http: HttpRequest, response: HttpResponse) -> None:
        if self._log is not None and self._tells_all:
            self._log.event(
                "debug",
                message,
                {
                    Field.REQUEST_ID: http.id,
                    Field.STATUS: response.status,
                    Field.REMOTE_ADDRESS: http.connection.remote_address,
                },
            )

    def _tell_batch(
        self,
        seconds: float,
        requests: Sequence[Request],
        answers: Sequence[Answer | None],
        responses: Sequence[HttpResponse | None],
    ) -> None:
        told = 0
        for request, answer, response in zip(requests, answers, responses, strict=True):
            if answer is None or response is None:
                continue
            told += 1
            if not self._tells_all and told > SLOW_LINES_MAX:
                break
            self._tell(seconds, request, answer, response)

    def _tell(self, seconds: float, request: Request, answer: Answer, response: HttpResponse) -> None:
        if self._log is None:
            return
        route = answer.route
        kind = route.live.mount.type if route is not None and route.live is not None else NO_MOUNT_TYPE
        is_slow = seconds > SLOW_SECONDS
        self._log.event(
            "warn" if is_slow else "debug",
            "slow request" if is_slow else "request",
            {
                Field.REQUEST_ID: request.id,
                Field.STATUS: response.status,
                Field.OPERATION: request.operation.value,
                Field.MOUNT_TYPE: kind,
                Field.DURATION_MS: round(seconds * 1000, 3),
                Field.REMOTE_ADDRESS: request.connection.remote_address,
            },
        )
