"""Notes about a secret that mean something to the server. Pure: from custom metadata, which is text, to what it says.

    owner           whose it is                               a text
    description     what it is for                            a text
    criticality     how bad its loss would be                 low, medium, high or critical
    expires_at      from when it must not be used any more    a time in RFC 3339, or a date, which begins at midnight UTC
    remind_before   how long before that somebody is told     durations with commas, such as 30d,7d
    max_age         how old a value may get                   a duration

Custom metadata may hold anything under these names, as in Vault: what cannot be read says nothing, and whoever writes it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from strongroom.logical.instant import NANOSECONDS, parse_duration, parse_rfc3339

OWNER, DESCRIPTION, CRITICALITY = "owner", "description", "criticality"
EXPIRES_AT, REMIND_BEFORE, MAX_AGE = "expires_at", "remind_before", "max_age"
_LATEST_NS = 253_402_300_799 * NANOSECONDS
"""The last second of the year 9999, beyond which no client can read a time."""
_REMIND_BEFORE_NS = 30 * 86_400 * NANOSECONDS


class Criticality(IntEnum):
    """How bad the loss of a secret would be."""

    UNKNOWN = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Notes(NamedTuple):
    """What notes say, as far as they can be read. Instants are nanoseconds since the epoch and 0 where there are none; so are durations."""

    owner: str = ""
    description: str = ""
    criticality: Criticality = Criticality.UNKNOWN
    expires_ns: int = 0
    remind_before_ns: tuple[int, ...] = ()
    max_age_ns: int = 0

    @property
    def reminds_ns(self) -> int:
        """When somebody is told for the first time; thirty days before where nothing else was said."""
        return self.expires_ns - max(self.remind_before_ns, default=_REMIND_BEFORE_NS) if self.expires_ns else 0

    def is_reminding(self, now_ns: int) -> bool:
        """Whether the first reminder is due, or the time itself has come."""
        return bool(self.expires_ns) and now_ns >= self.reminds_ns


def read_notes(notes: Mapping[str, str]) -> Notes:
    """What ``notes`` say."""
    return Notes(
        owner=notes.get(OWNER, ""),
        description=notes.get(DESCRIPTION, ""),
        criticality=_criticality(notes.get(CRITICALITY, "")) or Criticality.UNKNOWN,
        expires_ns=_instant(notes.get(EXPIRES_AT, "")) or 0,
        remind_before_ns=_durations(notes.get(REMIND_BEFORE, "")) or (),
        max_age_ns=_duration(notes.get(MAX_AGE, "")) or 0,
    )


def unreadable(notes: Mapping[str, str]) -> list[str]:
    """A sentence for each note under one of these names that says nothing. Never its text."""
    expected = {
        CRITICALITY: (_criticality, "low, medium, high or critical"),
        EXPIRES_AT: (_instant, "a time like 2027-01-31T12:00:00Z, or a date like 2027-01-31"),
        REMIND_BEFORE: (_durations, "durations like 30d,7d"),
        MAX_AGE: (_duration, "a duration like 90d"),
    }
    return [
        f"'{name}' was stored, but means nothing to this server: it understands {words}"
        for name, (read, words) in expected.items()
        if name in notes and not read(notes[name])
    ]


def new_texts(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """The notes of ``after`` that ``before`` has not and that are free text, so that they could hold a value that does not belong here."""
    said = (CRITICALITY, _criticality), (EXPIRES_AT, _instant), (REMIND_BEFORE, _durations), (MAX_AGE, _duration)
    understood = {name for name, read in said if name in after and read(after[name])}
    return {name: text for name, text in after.items() if name not in understood and before.get(name) != text}


def _criticality(text: str) -> Criticality | None:
    known = {one.name.lower(): one for one in Criticality if one is not Criticality.UNKNOWN}
    return known.get(text.strip().lower())


def _instant(text: str) -> int | None:
    stripped = text.strip()
    try:
        found = parse_rfc3339(stripped if len(stripped) > len("2027-01-31") else f"{stripped}T00:00:00Z")
    except (ValueError, OverflowError):
        return None
    return found if 0 < found <= _LATEST_NS else None


def _duration(text: str) -> int | None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return None
    return seconds * NANOSECONDS if seconds > 0 else None


def _durations(text: str) -> tuple[int, ...] | None:
    found = [_duration(one) for one in text.split(",") if one.strip()]
    lengths = tuple(one for one in found if one is not None)
    return lengths if lengths and len(lengths) == len(found) else None
