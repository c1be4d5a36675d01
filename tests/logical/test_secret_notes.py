from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.secret_notes import Criticality, Notes, read_notes, unreadable

DAY_NS = 86400 * NANOSECONDS


def test_notes_are_read() -> None:
    assert read_notes(
        {
            "owner": "ana",
            "description": "for the app",
            "criticality": "High",
            "expires_at": "1970-01-02",
            "remind_before": "30d, 12h",
            "max_age": "1d",
            "team": "x",
        }
    ) == Notes("ana", "for the app", Criticality.HIGH, DAY_NS, (30 * DAY_NS, DAY_NS // 2), DAY_NS)
    assert read_notes({}) == Notes()


@pytest.mark.parametrize("text", ["1970-01-02T00:00:00Z", "1970-01-02T01:00:00+01:00", " 1970-01-02 "])
def test_a_time_may_be_written_in_several_ways(text: str) -> None:
    assert read_notes({"expires_at": text}).expires_ns == DAY_NS


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("expires_at", "in spring"),
        ("expires_at", "2027-02-30"),
        ("expires_at", "1969-12-31"),
        ("expires_at", "9999-12-31T23:59:59-23:00"),
        ("expires_at", ""),
        ("max_age", "0"),
        ("max_age", "-1d"),
        ("max_age", "two days"),
        ("remind_before", "7d,soon"),
        ("remind_before", ","),
        ("criticality", "unknown"),
        ("criticality", "very"),
    ],
)
def test_what_cannot_be_read_says_nothing_and_is_told_without_its_text(name: str, text: str) -> None:
    assert read_notes({name: text}) == Notes()
    (said,) = unreadable({name: text})
    assert name in said
    assert len(text) < 4 or text not in said


def test_a_reminder_is_due_from_the_earliest_of_its_times() -> None:
    notes = Notes(expires_ns=10 * DAY_NS, remind_before_ns=(DAY_NS, 3 * DAY_NS))
    assert [notes.is_reminding(day * DAY_NS) for day in (6, 7, 9, 11)] == [False, True, True, True]
    assert not Notes(remind_before_ns=(DAY_NS,)).is_reminding(DAY_NS)
    assert [Notes(expires_ns=40 * DAY_NS).is_reminding(day * DAY_NS) for day in (9, 10)] == [False, True]


@given(st.dictionaries(st.sampled_from(["criticality", "expires_at", "remind_before", "max_age"]), st.text()))
def test_any_text_is_read_or_told(notes: dict[str, str]) -> None:
    found = read_notes(notes)
    said = unreadable(notes)
    values = {
        "criticality": found.criticality,
        "expires_at": found.expires_ns,
        "remind_before": found.remind_before_ns,
        "max_age": found.max_age_ns,
    }
    assert len(said) == sum(1 for name in notes if not values[name])
