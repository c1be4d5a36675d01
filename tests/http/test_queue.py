"""Who comes next, and who is refused, when more is asked than can be answered."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from strongroom.http.loop import Loop
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.http.queue import Patience, Queue
from strongroom.http.shared import Exchange, Shared
from strongroom.http.visitors import Visitors
from strongroom.logical.ambient import SystemClock
from strongroom.logical.request import Connection


@dataclass
class Talk:
    """A conversation that only has an address."""

    address: str
    shed_requests: list[HttpRequest] = field(default_factory=list)

    def answer(self, request: HttpRequest, response: HttpResponse) -> None:
        raise NotImplementedError

    def shed(self, request: HttpRequest) -> None:
        self.shed_requests.append(request)

    def park(self) -> None:
        raise NotImplementedError

    def resume(self) -> None:
        raise NotImplementedError

    def end_if_idle(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


FAILURES: list[Exception] = []
SHARED = Shared(Loop(SystemClock(), FAILURES.append), Visitors(), FAILURES.append)


def exchange(target: str, address: str = "a") -> Exchange:
    return Exchange(Talk(address), HttpRequest("GET", target, {}, b"", Connection()), SHARED)


def queue(**patience: float) -> Queue:
    settings = {"wait": 0.2, "least_wait": 0.05, "batch": 4, "batch_least": 2, "round": 0.04} | patience
    return Queue(
        Patience(
            settings["wait"],
            settings["least_wait"],
            int(settings["batch"]),
            int(settings["batch_least"]),
            settings["round"],
        ),
        lambda target: target.startswith("vital"),
    )


def targets(exchanges: list[Exchange]) -> list[str]:
    return [one.request.target for one in exchanges]


def test_who_comes_first_is_answered_first_while_there_is_time() -> None:
    waiting = queue()
    for number in range(6):
        waiting.put(exchange(f"{number}"), 100.0 + number / 100)
    first, refused = waiting.take(100.1)
    assert (targets(first), refused) == (["0", "1", "2", "3"], [])
    second, refused = waiting.take(100.15)
    assert (targets(second), refused) == (["4", "5"], [])
    assert not waiting.is_overloaded
    assert len(waiting) == 0


def test_who_waited_too_long_is_refused_and_the_newest_come_first() -> None:
    waiting = queue()
    for number in range(6):
        waiting.put(exchange(f"old {number}"), 100.0)
    for number in range(6):
        waiting.put(exchange(f"new {number}"), 100.25)
    batch, refused = waiting.take(100.3)
    assert targets(refused) == [f"old {number}" for number in range(6)]
    assert targets(batch) == ["new 5", "new 4", "new 3", "new 2"]
    assert waiting.is_overloaded
    assert waiting.shed == 6


def test_nobody_is_refused_for_whom_there_is_room_however_long_they_waited() -> None:
    waiting = queue()
    for number in range(6):
        waiting.put(exchange(f"{number}"), 100.0)
    batch, refused = waiting.take(200.0)
    assert targets(refused) == ["0", "1"]
    assert sorted(targets(batch)) == ["2", "3", "4", "5"]


def test_while_there_are_too_many_nobody_is_kept_waiting_for_a_refusal() -> None:
    waiting = queue()
    for number in range(12):
        waiting.put(exchange(f"{number}"), 100.0 if number < 5 else 100.3)
    assert targets(waiting.take(100.31)[1]) == ["0", "1", "2", "3", "4"]
    for number in range(12, 16):
        waiting.put(exchange(f"{number}"), 100.4)
    batch, refused = waiting.take(100.4)
    assert targets(refused) == ["5", "6", "7"]
    assert targets(batch) == ["15", "14", "13", "12"]


def test_an_overload_ends_when_all_who_wait_have_room() -> None:
    waiting = queue()
    for number in range(9):
        waiting.put(exchange(f"{number}"), 100.0 if number < 4 else 100.3)
    waiting.take(100.31)
    assert waiting.is_overloaded
    batch, refused = waiting.take(100.32)
    assert (targets(batch), refused) == (["4"], [])
    assert not waiting.is_overloaded


def test_whoever_asks_little_is_not_held_up_by_whoever_asks_much() -> None:
    waiting = queue()
    for number in range(50):
        waiting.put(exchange(f"flood {number}", "flood"), 100.0)
    waiting.put(exchange("normal", "normal"), 100.01)
    assert "normal" in targets(waiting.take(100.02)[0])
    waiting.put(exchange("normal again", "normal"), 100.02)
    batch, refused = waiting.take(100.5)
    assert "normal again" in targets(batch)
    assert set(targets(refused)) <= {f"flood {number}" for number in range(50)}


def test_addresses_take_turns_over_batches() -> None:
    waiting = queue(batch=2)
    for address in "abc":
        for number in range(2):
            waiting.put(exchange(f"{address}{number}", address), 100.0)
    taken = [targets(waiting.take(100.01)[0]) for _ in range(3)]
    assert taken == [["a0", "b0"], ["c0", "a1"], ["b1", "c1"]]


def test_what_is_vital_is_never_refused_and_leaves_room_for_others() -> None:
    waiting = queue()
    for number in range(9):
        waiting.put(exchange(f"vital {number}"), 100.0)
        waiting.put(exchange(f"other {number}"), 100.0)
    batch, refused = waiting.take(300.0)
    assert targets(batch)[:2] == ["vital 0", "vital 1"]
    assert len(batch) == 4
    assert not any(target.startswith("vital") for target in targets(refused))


def test_batches_get_smaller_where_requests_take_long_but_not_too_small() -> None:
    waiting = queue(batch=100, batch_least=10)
    assert waiting.room == 100
    for _ in range(50):
        waiting.took(100, 0.2)
    assert 18 <= waiting.room <= 22
    for _ in range(50):
        waiting.took(20, 10.0)
    assert waiting.room == 10
    waiting.took(1, 0.0)
    assert waiting.room == 10, "a single request tells nothing about a batch"


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.sampled_from("abc"), st.booleans()),
            st.tuples(st.just("take"), st.floats(0, 0.5), st.just(False)),
        ),
        max_size=80,
    )
)
def test_everybody_is_answered_or_refused_once(steps: list[tuple[str, float | str, bool]]) -> None:
    waiting, now = queue(), 100.0
    put: list[str] = []
    gone: list[str] = []
    for number, (what, detail, is_vital) in enumerate(steps):
        if what == "put":
            put.append(f"{'vital ' if is_vital else ''}{number}")
            waiting.put(exchange(put[-1], str(detail)), now)
        else:
            now += float(detail)
            batch, refused = waiting.take(now)
            assert len(batch) <= 4
            assert len(batch) == 4 or not len(waiting) or not refused
            gone += targets(batch) + targets(refused)
        assert len(waiting) == len(put) - len(gone)
    while len(waiting):
        batch, refused = waiting.take(now)
        gone += targets(batch) + targets(refused)
    assert sorted(gone) == sorted(put)
