"""Reads the requests of a batch, and turns away those that are beyond their quota before anything of their bodies is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from strongroom.audit.facts import Facts
from strongroom.core.admission import gate_for, settle_logins
from strongroom.core.pipeline import STORE_FAILURES
from strongroom.encoding.uuid4 import uuid4_text
from strongroom.http.codec import decode_request, operation_of
from strongroom.http.errors import encode_error
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.logical.errors import AuditUnavailable, LogicalError, Sealed
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request
from strongroom.quotas.gate import Gate, Pending, header_fields
from strongroom.quotas.ruleset import QuotaExceeded
from strongroom.quotas.window import Grant
from strongroom.server.meter import Meter
from strongroom.system.node import Node
from strongroom.system.unsealed import Unsealed


class Asks(Protocol):
    """A request that waits for its answer: of this process's listener, or forwarded by a sibling process."""

    @property
    def request(self) -> HttpRequest:
        """What was asked."""
        ...

    def respond(self, response: HttpResponse) -> None:
        """Answer it, from any thread."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """``asked``, whose answer also says what the quota said."""

    asked: Asks
    grant: Grant

    @property
    def request(self) -> HttpRequest:
        """What was asked."""
        return self.asked.request

    def respond(self, response: HttpResponse) -> None:
        """Answer it."""
        headers = (*response.headers, *header_fields(self.grant))
        self.asked.respond(HttpResponse(response.status, headers, response.body))


Read = tuple[Asks, Request]


class Doorman:
    """Stands before the pipeline. Belongs to the loop's thread."""

    def __init__(self, node: Node, meter: Meter) -> None:
        self._node = node
        self._meter = meter

    def read(self, asked: Sequence[Asks], unsealed: Unsealed | None) -> list[Read]:
        """The requests that may go on. Who is refused has been answered."""
        gate = None if unsealed is None else gate_for(unsealed)
        if gate is None or unsealed is None:
            return self._read_all(asked)
        return self._read_through(gate, asked, unsealed)

    def _read_all(self, asked: Sequence[Asks]) -> list[Read]:
        read: list[Read] = []
        for one in asked:
            http = one.request
            request_id = http.id or self._new_id()
            http.id = request_id
            try:
                read.append((one, decode_request(http, request_id=request_id)))
            except LogicalError as error:
                response = encode_error(error, request_id)
                self._meter.malformed(http, response)
                one.respond(response)
        return read

    def _read_through(self, gate: Gate, asked: Sequence[Asks], unsealed: Unsealed) -> list[Read]:
        read: list[Read] = []
        logins: list[tuple[Asks, Request, Pending]] = []
        refused: list[tuple[Asks, QuotaExceeded]] = []
        for one in asked:
            http = one.request
            if http.id:  # a sibling process has let it through
                read.extend(self._read_all((one,)))
                continue
            http.id = self._new_id()
            gate.begin()
            try:
                request = decode_request(http, request_id=http.id, admit=gate.admit)
            except LogicalError as error:
                self._refuse(gate, one, gate.refusal_of_unread(error), refused)
                continue
            if gate.pending is not None:
                logins.append((one, request, gate.pending))
            else:
                read.append((_told(gate, one, gate.grant), request))
        if logins:
            read.extend(self._settle(gate, logins, refused, unsealed))
        self._answer_refused(gate, refused, unsealed)
        return read

    def _settle(
        self,
        gate: Gate,
        logins: Sequence[tuple[Asks, Request, Pending]],
        refused: list[tuple[Asks, QuotaExceeded]],
        unsealed: Unsealed,
    ) -> list[Read]:
        try:
            settled = settle_logins(unsealed, gate, [(request, pending) for _, request, pending in logins])
        except (Sealed, *STORE_FAILURES):
            # The pipeline will meet the same and say so.
            return [(one, request) for one, request, _ in logins]
        read: list[Read] = []
        for (one, request, _), said in zip(logins, settled, strict=True):
            if isinstance(said, QuotaExceeded):
                refused.append((one, said))
            else:
                read.append((_told(gate, one, said), request))
        return read

    def _refuse(self, gate: Gate, one: Asks, error: LogicalError, refused: list[tuple[Asks, QuotaExceeded]]) -> None:
        if isinstance(error, QuotaExceeded):
            refused.append((one, error))
        else:
            response = encode_error(error, one.request.id)
            self._meter.malformed(one.request, response)
            _told(gate, one, gate.grant).respond(response)

    def _answer_refused(self, gate: Gate, refused: Sequence[tuple[Asks, QuotaExceeded]], unsealed: Unsealed) -> None:
        problem = self._record(refused, unsealed) if refused and gate.is_audited else None
        for one, exceeded in refused:
            response = encode_error(problem or exceeded, one.request.id)
            self._meter.limited(exceeded, one.request, response)
            _told(gate, one, exceeded.grant).respond(response)

    def _record(self, refused: Sequence[tuple[Asks, QuotaExceeded]], unsealed: Unsealed) -> LogicalError | None:
        broker = unsealed.broker
        try:
            broker.write([broker.request_line(Facts(request=_outline(one, error)), error) for one, error in refused])
        except (AuditUnavailable, Sealed) as error:
            return error
        return None

    def _new_id(self) -> str:
        return uuid4_text(self._node.entropy.bytes(16))


def _told(gate: Gate, one: Asks, grant: Grant | None) -> Asks:
    return one if grant is None or not gate.shows_headers else Told(one, grant)


def _outline(one: Asks, exceeded: QuotaExceeded) -> Request:
    """What an audit record of a refusal says of a request whose body was never read."""
    http = one.request
    return Request(
        id=http.id,
        operation=operation_of(http.method) or Operation.READ,
        path=exceeded.path,
        connection=http.connection,
        method=http.method,
    )
