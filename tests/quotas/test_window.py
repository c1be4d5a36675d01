from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from strongroom.quotas.counts import Counts
from strongroom.quotas.window import Windows


def windows_for(limit: int, interval: int, block: int, *, counts: Counts | None = None) -> Windows:
    return Windows(limit, interval, block, counts or Counts(clients_max=64), b"rule")


def test_a_client_has_its_number_of_requests_in_an_interval() -> None:
    windows = windows_for(3, 10, 0)
    assert [windows.take("a", 100.0).is_allowed for _ in range(5)] == [True, True, True, False, False]


def test_each_client_is_counted_by_itself() -> None:
    windows = windows_for(1, 10, 0)
    assert windows.take("a", 100.0).is_allowed
    assert windows.take("b", 100.0).is_allowed
    assert not windows.take("a", 100.0).is_allowed


def test_the_next_interval_begins_anew() -> None:
    windows = windows_for(1, 10, 0)
    windows.take("a", 100.0)
    assert not windows.take("a", 109.9).is_allowed
    assert windows.take("a", 110.0).is_allowed


def test_an_answer_says_what_is_left_and_when_there_is_more() -> None:
    windows = windows_for(2, 10, 0)
    assert tuple(windows.take("a", 100.0)) == (2, 1, 10, 0)
    assert tuple(windows.take("a", 103.5)) == (2, 0, 7, 0)
    assert tuple(windows.take("a", 105.0)) == (2, 0, 5, 5)


def test_whoever_asked_too_often_is_blocked_for_a_while() -> None:
    windows = windows_for(1, 2, 60)
    windows.take("a", 100.0)
    assert windows.take("a", 101.0).retry_seconds == 60
    assert windows.take("a", 150.0).retry_seconds == 11
    assert windows.take("a", 161.0).is_allowed


def test_asking_while_blocked_does_not_lengthen_the_block() -> None:
    windows = windows_for(1, 1, 10)
    windows.take("a", 100.0)
    for second in range(101, 111):
        windows.take("a", float(second))
    assert windows.take("a", 111.0).is_allowed


def test_a_block_shorter_than_the_interval_does_not_shorten_it() -> None:
    windows = windows_for(1, 60, 5)
    windows.take("a", 100.0)
    assert windows.take("a", 101.0).retry_seconds == 59
    assert not windows.take("a", 110.0).is_allowed
    assert windows.take("a", 160.0).is_allowed


def test_many_clients_take_no_more_memory_than_the_table_has() -> None:
    counts = Counts(clients_max=1024)
    windows = windows_for(1, 3600, 3600, counts=counts)
    for number in range(20_000):
        windows.take(f"client {number}", 100.0)
    assert len(counts.clients) == 1024


def test_the_client_whose_time_is_over_first_is_forgotten_first() -> None:
    windows = windows_for(1, 10, 0, counts=Counts(clients_max=16))
    for number in range(17):
        windows.take(f"client {number}", 100.0 + number / 10)
    assert not windows.take("client 16", 102.0).is_allowed
    assert not windows.take("client 1", 102.0).is_allowed
    assert windows.take("client 0", 102.0).is_allowed


def test_a_client_that_is_blocked_is_not_forgotten_for_those_that_are_not() -> None:
    counts = Counts(clients_max=16)
    blocked, other = windows_for(1, 10, 1000, counts=counts), Windows(1, 10, 0, counts, b"other")
    blocked.take("a", 100.0)
    blocked.take("a", 100.0)
    for number in range(100):
        other.take(f"client {number}", 101.0 + number / 100)
    assert not blocked.take("a", 150.0).is_allowed


def test_rules_that_share_a_table_count_apart() -> None:
    counts = Counts(clients_max=64)
    first, second = windows_for(1, 10, 0, counts=counts), Windows(1, 10, 0, counts, b"other")
    assert first.take("a", 100.0).is_allowed
    assert second.take("a", 100.0).is_allowed
    assert not first.take("a", 100.0).is_allowed


@given(
    st.integers(1, 5),
    st.integers(1, 20),
    st.integers(0, 20),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 8)), max_size=60),
)
def test_no_client_ever_gets_more_than_its_number_within_an_interval(
    limit: int, interval: int, block: int, asked: list[tuple[str, int]]
) -> None:
    windows = windows_for(limit, interval, block)
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
