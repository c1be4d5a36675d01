from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.scanner.watch.pace import LEAST_REST, LONGEST_BACK_OFF, LONGEST_REST, Told, back_off, interval, told

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("status", "headers", "body", "rest", "is_refused"),
    [
        (200, {}, b"", None, False),
        (200, {"x-ratelimit-remaining": "59", "x-ratelimit-reset": str(int(NOW) + 900)}, b"", None, False),
        (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 900)}, b"", 900, False),
        (200, {"ratelimit-remaining": "0", "ratelimit-reset": str(int(NOW) + 60)}, b"", 60, False),
        (200, {"ratelimit-remaining": "0", "ratelimit-reset": "30"}, b"", 30, False),
        (200, {"ratelimit-remaining": "0"}, b"", LEAST_REST, False),
        (304, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) - 5)}, b"", 1, False),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 900)}, b"", 900, True),
        (403, {"retry-after": "120"}, b"", 120, True),
        (403, {}, b'{"message": "You have exceeded a secondary rate limit."}', LEAST_REST, True),
        (403, {}, b'{"message": "Resource not accessible by personal access token"}', None, False),
        (429, {}, b"", LEAST_REST, True),
        (429, {"retry-after": "Fri, 15 Jan 2027 08:10:00 GMT"}, b"", 600, True),
        (429, {"retry-after": "soon"}, b"", LEAST_REST, True),
        (429, {"retry-after": "1e308"}, b"", LONGEST_REST, True),
        (429, {"retry-after": "nan"}, b"", LEAST_REST, True),
        (429, {"retry-after": "-5"}, b"", LEAST_REST, True),
        (429, {"retry-after": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "900"}, b"", 900, True),
        (503, {"retry-after": "90"}, b"", 90, True),
        (503, {}, b"", None, False),
    ],
)
def test_what_an_answer_says_about_pace_is_heard(
    status: int, headers: dict[str, str], body: bytes, rest: float | None, *, is_refused: bool
) -> None:
    assert told(status, headers, body, NOW) == Told(rest, is_refused)


@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-reset"]),
        st.text(max_size=40),
    ),
)
def test_no_header_makes_us_fail_or_wait_for_ever(status: int, headers: dict[str, str]) -> None:
    rest = told(status, headers, b"", NOW).rest
    assert rest is None or 0 < rest <= LONGEST_REST


def test_a_feed_may_ask_for_a_longer_interval_and_not_for_a_shorter_one() -> None:
    assert interval({"x-poll-interval": "120"}, 60) == 120
    assert interval({"x-poll-interval": "5"}, 60) == 60
    assert interval({"x-poll-interval": "999999"}, 60) == 3600
    assert interval({}, 60) == 60


def test_failures_in_a_row_wait_twice_as_long_each_up_to_an_hour() -> None:
    assert [back_off(count, 1.0) for count in (1, 2, 3)] == [30, 60, 120]
    assert back_off(1000, 1.0) == LONGEST_BACK_OFF
    assert back_off(1, 0.0) == 15
