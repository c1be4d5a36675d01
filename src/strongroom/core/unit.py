"""One request's unit of work: its transaction, its audit lines, and what happens once it is durable.

A unit of a *batch* only collects: the batch makes the request lines of all its units durable with one write, commits all changes
with one group commit, then writes the response lines. An *immediate* unit, for endpoints that are slow or reach outside, writes
each line when it is recorded. Either way nothing takes effect before its request line is durable.
"""

from __future__ import annotations

from collections.abc import Callable

from strongroom import failpoints
from strongroom.audit.broker import Broker
from strongroom.audit.facts import Facts
from strongroom.audit.line import Line
from strongroom.barrier.transaction import Footprint, Transaction


class Deferred(Exception):
    """This request must run on the pool, in an immediate unit. Nothing has happened yet."""


class Unit:
    """The unit of one request. ``transaction`` is the root view of the barrier, with this request's changes in it."""

    __slots__ = (
        "_immediate",
        "after_commit",
        "facts",
        "failure",
        "footprint",
        "has_leaned",
        "is_emergency",
        "issued",
        "request_lines",
        "response_lines",
        "take_back",
        "transaction",
    )

    def __init__(self, transaction: Transaction, *, immediate: Broker | None = None) -> None:
        self.transaction = transaction
        self.request_lines: list[Line] = []
        self.response_lines: list[Line] = []
        self.after_commit: list[Callable[[], None]] = []
        self.take_back: list[Callable[[], None]] = []
        self.issued: list[str] = []
        """Ids of the tokens made here: revoked again if the response cannot be recorded."""
        self.facts: Facts | None = None
        """What the records say of the request, once that is known: for the record of an end that its handler did not see."""
        self.failure: Exception | None = None
        """A mistake of ours that ended the request, for the server's log."""
        self.footprint: Footprint | None = None
        """What it would write and what that rests on; None where it changes nothing."""
        self.has_leaned = False
        """Whether it has looked at what others of its batch would write."""
        self.is_emergency = False
        """Whether it goes on without a durable record: see ``Endpoint.audit_exempt``. Set once the caller is authorised."""
        self._immediate = immediate

    @property
    def is_batched(self) -> bool:
        """Whether lines wait for the batch."""
        return self._immediate is None

    def record_request(self, line: Line) -> None:
        """Record that the request is about to happen. Raises AuditUnavailable in an immediate unit."""
        if self._immediate is not None:
            write = self._immediate.write_or_owe if self.is_emergency else self._immediate.write
            failpoints.reach("before_audit_request")
            write([line])
            failpoints.reach("after_audit_request")
        else:
            self.request_lines.append(line)

    def merge(self) -> None:
        """Give its changes to the transaction of the batch, and remember them."""
        transaction = self.transaction
        self.has_leaned = transaction.take_leaning()
        if transaction.has_changes:  # most requests only read
            self.footprint = transaction.footprint()
            transaction.merge()

    def run_after_commit(self) -> None:
        """Do what waited until the changes were durable and the response was recorded."""
        for action in self.after_commit:
            action()

    def record_response(self, line: Line) -> None:
        """Record what will be answered; written after the commit and before a byte leaves."""
        self.response_lines.append(line)
