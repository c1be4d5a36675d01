from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from strongroom.http.message import HttpResponse
from strongroom.server.lane import Lane, Waiting

_numbers = itertools.count()


def waiting(address: str) -> Waiting:
    return Waiting(next(_numbers), lambda: HttpResponse(200, ()), lambda _: None, address, 0.0)


def test_addresses_take_turns() -> None:
    lane = Lane(10)
    for address in "aaabbc":
        assert lane.enter(waiting(address)) is None
    turns = []
    while (one := lane.next()) is not None:
        turns.append(one.address)
    assert "".join(turns) == "abcaba"


def test_of_one_address_whoever_came_first_is_first() -> None:
    lane = Lane(10)
    ones = [waiting("a") for _ in range(3)]
    for one in ones:
        lane.enter(one)
    assert [lane.next() for _ in range(4)] == [*ones, None]


def test_who_asks_much_gives_a_place_up_for_who_asks_less() -> None:
    lane = Lane(3)
    many = [waiting("a") for _ in range(3)]
    for one in many:
        lane.enter(one)
    late = waiting("a")
    assert lane.enter(late) is late
    assert lane.enter(waiting("b")) is many[2]
    other = waiting("b")
    assert lane.enter(other) is other


def test_a_place_is_taken_until_what_ran_is_over() -> None:
    lane = Lane(1)
    lane.enter(waiting("a"))
    assert lane.next() is not None
    late = waiting("b")
    assert lane.enter(late) is late
    lane.done()
    assert lane.enter(late) is None


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 3)), max_size=80))
def test_everybody_runs_or_goes_once_and_no_more_wait_than_there_are_places(steps: list[tuple[str, int]]) -> None:
    lane = Lane(5)
    there: dict[int, Waiting] = {}
    running = 0
    for address, what in steps:
        if what < 2:
            one = waiting(address)
            there[one.number] = one
            out = lane.enter(one)
            if out is not None:
                del there[out.number]
                held = Counter(other.address for other in there.values())
                assert out is one or held[address] <= held[out.address] + 1
        elif what == 2:
            turn = lane.next()
            assert (turn is None) == (not there)
            if turn is not None:
                del there[turn.number]
                running += 1
        elif there:
            lane.leave(there.pop(next(iter(there))))
        elif running:
            lane.done()
            running -= 1
        assert len(lane) == len(there)
        assert len(there) + running <= 5
