from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strongroom.logical.instant import (
    DURATION_SECONDS_MAX,
    NANOSECONDS,
    format_duration,
    parse_duration,
    parse_rfc3339,
    rfc3339,
)

LATEST_NS = 253_402_300_799 * NANOSECONDS  # the last second of the year 9999


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("0", 0),
        ("0s", 0),
        ("3600", 3600),
        (" 60 ", 60),
        ("30s", 30),
        ("15m", 900),
        ("1h30m", 5400),
        ("1h0m0s", 3600),
        ("24h0m0s", 86400),
        ("768h", 2764800),
        ("7d", 604800),
        ("1.5h", 5400),
        ("0.4s", 1),
        ("1500ms", 2),
        ("1ns", 1),
        ("1us", 1),
        ("1µs", 1),
        ("-1h", -3600),
        ("-0.4s", -1),
        (str(DURATION_SECONDS_MAX), DURATION_SECONDS_MAX),
    ],
)
def test_a_duration_is_read_in_every_form_that_clients_write(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "1x",
        "h",
        "1h 30m",
        "1h30",
        "1.5",
        "1e3",
        "--1h",
        "+1h",
        "1H",
        "٣s",
        "1h-30m",
        "-",
        "0x10",
        "1.0000000001s",
        str(DURATION_SECONDS_MAX + 1),
        "9" * 19 + "h",
        "9" * 5000,
        "1h" * 5000 + "x",
        "NaN",
        "inf",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_duration_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="duration") as refused:
        parse_duration(text)
    assert len(text) < 5 or text not in str(refused.value)


@given(st.integers(-DURATION_SECONDS_MAX, DURATION_SECONDS_MAX))
def test_what_we_write_as_a_duration_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds
    assert parse_duration(str(seconds)) == seconds


@given(st.text(max_size=30))
def test_any_text_is_a_bounded_duration_or_a_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert abs(seconds) <= DURATION_SECONDS_MAX


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (45, "45s"), (90, "1m30s"), (3600, "1h0m0s"), (10800, "3h0m0s"), (-90, "-1m30s"), (90061, "25h1m1s")],
)
def test_durations_are_written_in_the_form_of_go(seconds: int, text: str) -> None:
    assert format_duration(seconds) == text


def test_an_instant_is_written_with_nine_digits_and_in_utc() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000000000Z"
    assert rfc3339(1_900_000_000 * NANOSECONDS + 5) == "2030-03-17T17:46:40.000000005Z"


@given(st.integers(-62_135_596_800 - 10**6, 253_402_300_800 + 10**6), st.integers(0, NANOSECONDS - 1))
@example(-62_135_596_800, 0)
@example(-62_135_596_801, 1)
@example(253_402_300_799, NANOSECONDS - 1)
@example(253_402_300_800, 0)
def test_an_instant_is_written_as_the_calendar_of_the_system_has_it(seconds: int, nanoseconds: int) -> None:
    moment = time.gmtime(seconds)
    expected = f"{moment.tm_year:04d}-{moment.tm_mon:02d}-{moment.tm_mday:02d}T{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}"
    assert rfc3339(seconds * NANOSECONDS + nanoseconds) == f"{expected}.{nanoseconds:09d}Z"


@given(st.integers(0, LATEST_NS))
def test_an_instant_reads_back_to_the_nanosecond(instant: int) -> None:
    assert parse_rfc3339(rfc3339(instant)) == instant


@given(st.integers(0, LATEST_NS), st.integers(0, LATEST_NS))
def test_the_texts_of_instants_are_ordered_as_the_instants_are(one: int, other: int) -> None:
    assert (rfc3339(one) < rfc3339(other)) is (one < other)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:01Z", NANOSECONDS),
        ("1970-01-01t00:00:01z", NANOSECONDS),
        ("1970-01-01 00:00:01.5Z", NANOSECONDS + 500_000_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:30:00-00:30", 0),
    ],
)
def test_instants_are_read_with_offsets_and_fewer_digits(text: str, instant: int) -> None:
    assert parse_rfc3339(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-13-01T00:00:00Z",
        "1970-01-01T25:00:00Z",
        "٢٠٢٠-01-01T00:00:00Z",
        "1970-01-01T00:00:00.1234567890Z",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_rfc3339(text)
