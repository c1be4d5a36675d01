"""The checker must find what it is for, or its silence would say nothing."""

from __future__ import annotations

import pytest
from tests.telemetry.promlint import problems, read

GOOD = '# HELP app_things_total Things.\n# TYPE app_things_total counter\napp_things_total{kind="a"} 3\n'
HISTOGRAM = (
    "# HELP app_wait_seconds Waits.\n# TYPE app_wait_seconds histogram\n"
    'app_wait_seconds_bucket{le="0.1"} 1\napp_wait_seconds_bucket{le="+Inf"} 2\n'
    "app_wait_seconds_sum 0.5\napp_wait_seconds_count 2\n"
)


@pytest.mark.parametrize("text", [GOOD, HISTOGRAM, GOOD + HISTOGRAM])
def test_a_good_scrape_has_no_problems(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD.replace("_total", ""), "a counter does not end in _total"),
        (GOOD.replace("counter", "gauge"), "what is no counter ends in _total"),
        (GOOD.replace("Things.", ""), "has no help"),
        (GOOD.replace("things", "thing_counter"), "has its type in its name"),
        (GOOD.replace("things", "wait_milliseconds"), "has a unit that is no base unit"),
        (GOOD.replace("things", "wait_ms"), "has an abbreviated unit"),
        (GOOD.replace("things", "wait_seconds_of"), "has a unit before its end"),
        (GOOD.replace("things", "allThings"), "is in camel case"),
        (GOOD.replace("app_", "app:"), "has a colon"),
        (GOOD.replace("kind=", "theKind="), "has a label in camel case"),
        (GOOD.replace("kind=", "le="), "has a reserved label"),
        (GOOD.replace(" 3", " -3"), "counts below zero"),
        (GOOD + 'app_things_total{kind="a"} 4\n', "has the same series twice"),
        (GOOD.rpartition("app_things")[0], "has no sample"),
        (HISTOGRAM.replace('"} 1', '"} 5'), "has buckets that are not cumulative or not in order"),
        (HISTOGRAM.replace("count 2", "count 3"), "has no last bucket that holds all"),
    ],
)
def test_each_mistake_is_found(text: str, problem: str) -> None:
    assert problem in "\n".join(problems(text))


@pytest.mark.parametrize(
    "text",
    [
        GOOD.rstrip("\n"),
        GOOD + GOOD,
        GOOD.replace('"a"', '"a'),
        GOOD.replace('"a"', '"a",kind="b"'),
        GOOD.replace(" 3", " three"),
        GOOD + "other_total 1\n",
        GOOD + "# TYPE app_things_total counter\n",
        GOOD + "\n\n",
        GOOD + "# a remark\n",
    ],
)
def test_what_is_not_of_the_format_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"line|twice|place|labels"):
        read(text)
