"""Whether a history is linearizable: whether its operations have an order, each of them taking effect at one instant between its
begin and its end, in which every client was told the truth.

This is the search of Wing and Gong with Lowe's memory: G. Lowe, "Testing for linearizability", Concurrency and Computation 29(4),
2017. Operations are tried in every order that their times allow; a set of operations that leads to a state where it led before is not
looked at again. An operation without an outcome ends at no time, and may be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tests.linearizability.history import Kind, Operation, State

STEPS_MAX = 2_000_000


class Verdict(Enum):
    """What a history is. UNDECIDED means that the search was given up."""

    LEGAL = "legal"
    ILLEGAL = "illegal"
    UNDECIDED = "undecided"


class _Event:
    """A begin or an end, in a list from which operations are taken out and put back in constant time."""

    __slots__ = ("after", "before", "bit", "end", "operation")

    def __init__(self, operation: Operation | None, bit: int) -> None:
        self.operation = operation
        """None at an end."""
        self.bit = bit
        self.end: _Event | None = None
        self.before: _Event = self
        self.after: _Event = self

    def take_out(self) -> None:
        self.before.after, self.after.before = self.after, self.before

    def put_back(self) -> None:
        self.before.after = self.after.before = self


@dataclass(slots=True)
class _Chosen:
    event: _Event
    state: State
    """The state before it."""


def check(operations: Sequence[Operation], *, steps_max: int = STEPS_MAX) -> Verdict:
    """The verdict about the history of one secret, which did not exist before."""
    # A read that was told nothing says nothing.
    told = [one for one in operations if one.outcome is not None or one.kind is not Kind.READ]
    root, missing = _events(told)
    state, taken = State(), 0
    seen = {(taken, state)}
    chosen: list[_Chosen] = []
    event = root.after
    for _ in range(steps_max):
        if not missing:
            return Verdict.LEGAL
        if event is not root and event.operation is not None:
            following = event.operation.after(state)
            if following is not None and (taken | event.bit, following) not in seen:
                chosen.append(_Chosen(event, state))
                state, taken = following, taken | event.bit
                seen.add((taken, state))
                _take_out(event)
                missing -= event.end is not None
                event = root.after
            else:
                event = event.after
            continue
        # An operation ended here that must have taken effect before, or nothing is left to try: the last choice was wrong.
        if not chosen:
            return Verdict.ILLEGAL
        last = chosen.pop()
        _put_back(last.event)
        state, taken = last.state, taken & ~last.event.bit
        missing += last.event.end is not None
        event = last.event.after
    return Verdict.UNDECIDED


def _events(operations: Sequence[Operation]) -> tuple[_Event, int]:
    """The list of all events by time, behind its root, and how many operations have an end."""
    placed: list[tuple[int, int, int, _Event]] = []
    ended = 0
    for number, operation in enumerate(operations):
        begin = _Event(operation, 1 << number)
        placed.append((operation.begin, 0, number, begin))
        if operation.outcome is not None:
            ended += 1
            begin.end = _Event(None, 0)
            # At the same instant begins come first: such operations overlap.
            placed.append((operation.end, 1, number, begin.end))
    root = _Event(None, 0)
    for *_, event in sorted(placed, key=lambda item: item[:3]):
        event.before, event.after = root.before, root
        root.before.after = event
        root.before = event
    return root, ended


def _take_out(event: _Event) -> None:
    event.take_out()
    if event.end is not None:
        event.end.take_out()


def _put_back(event: _Event) -> None:
    # In the other order than they were taken out: each then finds the neighbours that it had.
    if event.end is not None:
        event.end.put_back()
    event.put_back()
