"""The pool before which requests wait: in order, not too many, and not too long."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from tests.kit import JumpingClock

from strongroom.http.message import HttpResponse
from strongroom.server.pool import Pool

PATIENCE = 30.0
DONE = HttpResponse(200, (), b"done")


class Scene:
    """A pool with one thread and room for two who wait, and a way to keep the thread busy."""

    def __init__(self, *, has_timer: bool = True) -> None:
        self.clock = JumpingClock()
        self.failures: list[Exception] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.ran: list[str] = []
        self.gate = threading.Event()
        self.pool = Pool(
            self.clock,
            self.failures.append,
            call_later=self._call_later if has_timer else None,
            threads=1,
            waiting_max=2,
        )

    def _call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.timers.append((self.clock.monotonic() + seconds, call))

    def let_timers_pass(self) -> None:
        for when, call in self.timers:
            if when <= self.clock.monotonic():
                call()

    def submit(
        self, name: str, *, seconds: float = 60, wait: bool = False, address: str = "", is_vital: bool = False
    ) -> Answer:
        def work() -> HttpResponse:
            self.ran.append(name)
            answer.started.set()
            if wait:
                assert self.gate.wait(PATIENCE)
            return DONE

        answer = Answer()
        self.pool.submit(
            work,
            answer.respond,
            deadline=self.clock.monotonic() + seconds,
            address=address,
            is_vital=is_vital,
        )
        return answer


class Answer:
    """What one client got."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.responses: list[HttpResponse] = []
        self._arrived = threading.Event()

    def respond(self, response: HttpResponse) -> None:
        self.responses.append(response)
        self._arrived.set()

    def status(self) -> int:
        """The status of the answer, once it is there."""
        assert self._arrived.wait(PATIENCE)
        return self.responses[0].status


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.gate.set()
    scene.pool.close()


def test_what_waits_is_run_in_order_as_soon_as_there_is_a_thread(scene: Scene) -> None:
    first = scene.submit("first", wait=True)
    others = [scene.submit("second"), scene.submit("third")]

    scene.gate.set()

    assert [answer.status() for answer in (first, *others)] == [200, 200, 200]
    assert scene.ran == ["first", "second", "third"]


def test_beyond_the_places_to_wait_nobody_waits(scene: Scene) -> None:
    for name in ("first", "second", "third"):
        scene.submit(name, wait=True)

    refused = scene.submit("fourth")

    assert refused.status() == 429
    assert ("Retry-After", "1") in refused.responses[0].headers


def test_whoever_asks_more_makes_room_for_whoever_asks_less(scene: Scene) -> None:
    busy = scene.submit("busy", wait=True, address="a")
    assert busy.started.wait(PATIENCE)
    first, second = (scene.submit(name, address="a") for name in ("first", "second"))

    other = scene.submit("other", address="b")

    assert second.status() == 429
    scene.gate.set()
    assert (first.status(), other.status()) == (200, 200)
    assert scene.pool.refused == 1


def test_what_is_vital_runs_while_everything_else_is_taken(scene: Scene) -> None:
    for name in ("first", "second", "third"):
        scene.submit(name, wait=True)

    vital = scene.submit("vital", is_vital=True)

    assert vital.status() == 200
    assert scene.ran == ["first", "vital"]


def test_what_is_over_is_not_kept_until_its_time_would_have_been(scene: Scene) -> None:
    class Body:
        """Stands for what a request holds."""

        def answer(self) -> HttpResponse:
            return DONE

    body = Body()
    gone = weakref.ref(body)
    answer = Answer()
    scene.pool.submit(partial(Body.answer, body), answer.respond, deadline=scene.clock.monotonic() + 60)
    assert answer.status() == 200
    del body
    scene.pool.close()
    gc.collect()
    assert gone() is None
    assert scene.timers


def test_a_request_that_cannot_begin_in_time_is_told_when_the_time_is_over_and_never_run(scene: Scene) -> None:
    busy = scene.submit("busy", wait=True)
    assert busy.started.wait(PATIENCE)
    late = scene.submit("late", seconds=60)
    patient = scene.submit("patient", seconds=600)

    scene.clock.jump(60)
    scene.let_timers_pass()

    assert late.status() == 503
    assert b"was not run" in late.responses[0].body
    scene.gate.set()
    assert (busy.status(), patient.status()) == (200, 200)
    scene.pool.close()
    assert scene.ran == ["busy", "patient"]
    assert len(late.responses) == 1


def test_work_that_has_begun_is_not_interrupted_and_its_client_hears_what_became_of_it(scene: Scene) -> None:
    busy = scene.submit("busy", seconds=60, wait=True)
    assert busy.started.wait(PATIENCE)

    scene.clock.jump(61)
    scene.let_timers_pass()
    scene.gate.set()

    assert busy.status() == 200
    scene.pool.close()
    assert len(busy.responses) == 1


def test_without_a_timer_a_late_request_is_not_run_either() -> None:
    scene = Scene(has_timer=False)
    busy = scene.submit("busy", wait=True)
    assert busy.started.wait(PATIENCE)
    late = scene.submit("late", seconds=60)

    scene.clock.jump(60)
    scene.gate.set()

    assert late.status() == 503
    scene.pool.close()
    assert scene.ran == ["busy"]


def test_places_come_back_whatever_became_of_the_work(scene: Scene) -> None:
    def fail() -> HttpResponse:
        raise ValueError("a mistake")

    for _ in range(10):
        answer = Answer()
        scene.pool.submit(fail, answer.respond)
        assert answer.status() == 500
        late = scene.submit("late", seconds=0)
        assert late.status() == 503
    assert [str(failure) for failure in scene.failures] == ["a mistake"] * 10
    assert scene.ran == []
