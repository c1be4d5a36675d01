"""Lies that are put into a history which is true, each of which makes it impossible: the checker must find them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from tests.linearizability.history import Done, Kind, Operation, Refused, State

Lie = Callable[[Sequence[Operation], Random], list[Operation] | None]
"""Gives the history with one lie in it, or None where it has no place for one."""


def with_a_stale_read(history: Sequence[Operation], random: Random) -> list[Operation] | None:
    """A read is told the version before one that was acknowledged before the read began."""
    acknowledged = {
        one.outcome.version: one for one in history if one.kind is Kind.WRITE and isinstance(one.outcome, Done)
    }
    places = [
        (index, one.outcome.version)
        for index, one in enumerate(history)
        if isinstance(one.outcome, State)
        and one.outcome.version in acknowledged
        and acknowledged[one.outcome.version].end < one.begin
    ]
    if not places:
        return None
    index, version = random.choice(places)
    before = acknowledged.get(version - 1)
    told = State(version - 1, before.value if before else None)
    return [*history[:index], replace(history[index], outcome=told), *history[index + 1 :]]


def with_a_lost_update(history: Sequence[Operation], random: Random) -> list[Operation] | None:
    """A write that was refused, because another one had made the next version, is told that it made it."""
    made = {one.outcome.version for one in history if one.kind is Kind.WRITE and isinstance(one.outcome, Done)}
    places = [
        (index, one.cas + 1)
        for index, one in enumerate(history)
        if isinstance(one.outcome, Refused) and one.cas is not None and one.cas + 1 in made
    ]
    if not places:
        return None
    index, version = random.choice(places)
    return [*history[:index], replace(history[index], outcome=Done(version)), *history[index + 1 :]]


LIES: dict[str, Lie] = {"stale read": with_a_stale_read, "lost update": with_a_lost_update}
