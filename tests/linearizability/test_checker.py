"""The checker of histories: what happened is found possible, and what cannot have happened is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.linearizability.checker import Verdict, check
from tests.linearizability.history import Done, Kind, Operation, Outcome, Refused, State
from tests.linearizability.seeded import LIES, Lie


def operation(random: Random, kind: Kind, begin: int, end: int, outcome: Outcome | None, state: State) -> Operation:
    if kind is not Kind.WRITE:
        return Operation(kind, begin, end, outcome)
    cas = random.choice([None, state.version, state.version, max(0, state.version - 1)])
    return Operation(kind, begin, end, outcome, f"value {begin} {end}", cas)


def told(one: Operation, state: State) -> tuple[Outcome, State]:
    """What a client is told by a secret that does what it should, and the state after it."""
    if one.kind is Kind.READ:
        return state, state
    if one.kind is Kind.DELETE:
        return Done(), State(state.version) if state.version else state
    if one.cas is not None and one.cas != state.version:
        return Refused(), state
    return Done(state.version + 1), State(state.version + 1, one.value)


def what_happened(seed: int, count: int, *, width: int, lost: float) -> list[Operation]:
    """A history of operations that took effect one after the other, ``10 * width`` of them under way at most.

    Of ``lost`` of them nobody heard; half of those never took effect.
    """
    random = Random(seed)
    state = State()
    history = []
    for number in range(1, count + 1):
        at = number * 10
        begin, end = at - random.randrange(10 * width), at + random.randrange(10 * width)
        one = operation(random, random.choice(list(Kind)), begin, end, None, state)
        is_lost = random.random() < lost
        if is_lost and random.random() < 0.5:
            history.append(one)
            continue
        outcome, state = told(one, state)
        history.append(one if is_lost else replace(one, outcome=outcome))
    random.shuffle(history)
    return history


def is_possible(history: Sequence[Operation]) -> bool:
    """The same by trying every order of every choice of those without an outcome: only for a handful of operations."""
    told_of = [one for one in history if one.outcome is not None]
    lost = [one for one in history if one.outcome is None]
    for choice in range(1 << len(lost)):
        happened = told_of + [one for index, one in enumerate(lost) if choice >> index & 1]
        if any(is_true(order) for order in permutations(happened)):
            return True
    return False


def is_true(order: Sequence[Operation]) -> bool:
    state = State()
    for index, one in enumerate(order):
        if any(later.outcome is not None and later.end < one.begin for later in order[index + 1 :]):
            return False
        following = one.after(state)
        if following is None:
            return False
        state = following
    return True


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=200), st.integers(min_value=1, max_value=6))
@settings(deadline=None)
def test_what_happened_is_legal(seed: int, count: int, width: int) -> None:
    assert check(what_happened(seed, count, width=width, lost=0.02)) is Verdict.LEGAL


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
@given(seed=st.integers(min_value=0), count=st.integers(min_value=5, max_value=150))
@settings(deadline=None)
def test_a_lie_is_found(lie: Lie, seed: int, count: int) -> None:
    history = lie(what_happened(seed, count, width=3, lost=0.0), Random(seed))
    if history is not None:
        assert check(history) is Verdict.ILLEGAL


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=5), st.data())
@settings(deadline=None, max_examples=300)
def test_the_verdict_is_that_of_trying_every_order(seed: int, count: int, data: st.DataObject) -> None:
    history = what_happened(seed, count, width=3, lost=0.2)
    index = data.draw(st.integers(min_value=0, max_value=count - 1))
    one = history[index]
    version = data.draw(st.integers(min_value=0, max_value=3))
    values = [None, *(other.value for other in history)]
    lies: dict[Kind, list[Outcome | None]] = {
        Kind.READ: [State(version, data.draw(st.sampled_from(values))), None],
        Kind.WRITE: [Done(version), Refused(), None],
        Kind.DELETE: [Done(), None],
    }
    history[index] = replace(one, outcome=data.draw(st.sampled_from(lies[one.kind])))

    expected = Verdict.LEGAL if is_possible(history) else Verdict.ILLEGAL
    assert check(history) is expected


def test_a_thousand_operations_of_eight_clients_are_decided() -> None:
    assert check(what_happened(1, 1000, width=8, lost=0.01)) is Verdict.LEGAL


WRITE = Operation(Kind.WRITE, 0, 10, Done(1), "a", 0)
READ = Operation(Kind.READ, 20, 30, State(1, "a"))


@pytest.mark.parametrize(
    ("history", "verdict"),
    [
        pytest.param([], Verdict.LEGAL, id="nothing"),
        pytest.param([WRITE, READ], Verdict.LEGAL, id="a read sees the write before it"),
        pytest.param([WRITE, replace(READ, outcome=State())], Verdict.ILLEGAL, id="a read misses the write before it"),
        pytest.param(
            [WRITE, replace(READ, begin=5, outcome=State())],
            Verdict.LEGAL,
            id="a read may miss a write that it overlaps",
        ),
        pytest.param([replace(WRITE, outcome=None), READ], Verdict.LEGAL, id="an unanswered write may have happened"),
        pytest.param(
            [replace(WRITE, outcome=None), replace(READ, outcome=State())], Verdict.LEGAL, id="or may not have happened"
        ),
        pytest.param(
            [
                replace(WRITE, outcome=None),
                replace(READ, outcome=State()),
                replace(READ, begin=40, end=50),
            ],
            Verdict.LEGAL,
            id="or may happen late",
        ),
        pytest.param(
            [replace(WRITE, outcome=None), READ, replace(READ, begin=40, end=50, outcome=State())],
            Verdict.ILLEGAL,
            id="but not be undone",
        ),
        pytest.param([WRITE, replace(WRITE, value="b")], Verdict.ILLEGAL, id="two cannot make one version"),
        pytest.param([WRITE, replace(WRITE, value="b", outcome=Refused())], Verdict.LEGAL, id="one of two is refused"),
        pytest.param([replace(WRITE, outcome=Refused())], Verdict.ILLEGAL, id="a refusal has a reason"),
    ],
)
def test_small_histories(history: list[Operation], verdict: Verdict) -> None:
    assert check(history) is verdict


def test_a_search_that_takes_too_long_is_given_up() -> None:
    assert check(what_happened(2, 100, width=6, lost=0.0), steps_max=50) is Verdict.UNDECIDED
