"""A disk that does not answer holds up nobody for long."""

from __future__ import annotations

import threading

import pytest

from strongroom.barrier.errand import Errand


def test_an_errand_answers_and_raises_what_its_work_does() -> None:
    errand = Errand()
    assert errand.run(lambda: 5) == 5

    def fail() -> None:
        raise PermissionError("no")

    with pytest.raises(PermissionError, match="no"):
        errand.run(fail)
    assert errand.run(lambda: None) is None


def test_what_hangs_is_not_waited_for_and_refuses_the_next_until_it_is_over() -> None:
    errand, answer = Errand(seconds=0.05), threading.Event()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            errand.run(answer.wait)
    assert sum(thread.name == "errand" for thread in threading.enumerate()) == 1
    answer.set()
    while True:
        try:
            assert errand.run(lambda: "again") == "again"
        except TimeoutError:
            continue
        break
