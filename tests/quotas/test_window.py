from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from strongroom.quotas.window import Windows


def test_a_client_has_its_number_of_requests_in_an_interval() -> None:
    windows = Windows(3, 10, 0)
    assert [windows.take("a", 100.0).is_allowed for _ in range(5)] == [True, True, True, False, False]


def test_each_client_is_counted_by_itself() -> None:
    windows = Windows(1, 10, 0)
    assert windows.take("a", 100.0).is_allowed
    assert windows.take("b", 100.0).is_allowed
    assert not windows.take("a", 100.0).is_allowed


def test_the_next_interval_begins_anew() -> None:
    windows = Windows(1, 10, 0)
    windows.take("a", 100.0)
    assert not windows.take("a", 109.9).is_allowed
    assert windows.take("a", 110.0).is_allowed


def test_an_answer_says_what_is_left_and_when_there_is_more() -> None:
    windows = Windows(2, 10, 0)
    assert tuple(windows.take("a", 100.0)) == (2, 1, 10, 0)
    assert tuple(windows.take("a", 103.5)) == (2, 0, 7, 0)
    assert tuple(windows.take("a", 105.0)) == (2, 0, 5, 5)


def test_whoever_asked_too_often_is_blocked_for_a_while() -> None:
    windows = Windows(1, 2, 60)
    windows.take("a", 100.0)
    assert windows.take("a", 101.0).retry_seconds == 60
    assert windows.take("a", 150.0).retry_seconds == 11
    assert windows.take("a", 161.0).is_allowed


def test_asking_while_blocked_does_not_lengthen_the_block() -> None:
    windows = Windows(1, 1, 10)
    windows.take("a", 100.0)
    for second in range(101, 111):
        windows.take("a", float(second))
    assert windows.take("a", 111.0).is_allowed


def test_a_block_shorter_than_the_interval_does_not_shorten_it() -> None:
    windows = Windows(1, 60, 5)
    windows.take("a", 100.0)
    assert windows.take("a", 101.0).retry_seconds == 59
    assert not windows.take("a", 110.0).is_allowed
    assert windows.take("a", 160.0).is_allowed


def test_a_million_clients_take_no_more_memory_than_the_table_has() -> None:
    windows = Windows(1, 3600, 3600, most=1000)
    for number in range(1_000_000 // 50):
        windows.take(f"client {number}", 100.0)
    assert len(windows) == 1000


def test_the_client_whose_interval_began_first_is_forgotten_first() -> None:
    windows = Windows(1, 10, 0, most=2)
    windows.take("a", 100.0)
    windows.take("b", 101.0)
    windows.take("c", 102.0)
    assert not windows.take("c", 102.0).is_allowed
    assert not windows.take("b", 102.0).is_allowed
    assert windows.take("a", 102.0).is_allowed


@given(
    st.integers(1, 5),
    st.integers(1, 20),
    st.integers(0, 20),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 8)), max_size=60),
)
def test_no_client_ever_gets_more_than_its_number_within_an_interval(
    limit: int, interval: int, block: int, asked: list[tuple[str, int]]
) -> None:
    windows = Windows(limit, interval, block)
    now = 1000.0
    granted: dict[str, list[float]] = {}
    began: dict[str, float] = {}
    for client, wait in asked:
        now += wait
        grant = windows.take(client, now)
        if grant.is_allowed:
            if client not in began or now - began[client] >= interval:
                began[client] = now
                granted[client] = []
            granted[client].append(now)
            assert len(granted[client]) <= limit
            assert grant.remaining == limit - len(granted[client])
        else:
            assert grant.retry_seconds >= 1
            assert len(granted[client]) == limit or block
