"""Which secrets have notes that mean something: rows beside the secrets, kept in the same commit, so that nobody opens every secret to find them.

    noted/expires/<seconds>/<path>        when it expires, in seconds since the epoch, twelve digits
    noted/reminds/<seconds>/<path>        when somebody is told for the first time
    noted/criticality/<1 to 4>/<path>     how critical it is

A row says nothing but that it is there. What counts is the secret's own metadata.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.secret_notes import Criticality, read_notes
from strongroom.logical.storage import Storage

_EXPIRES, _REMINDS, _CRITICALITY = "noted/expires/", "noted/reminds/", "noted/criticality/"
_DIGITS = 12


def keep_rows(storage: Storage, path: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Have the rows of the secret at ``path`` say what its notes say now. ``before`` are those that the rows stand for."""
    old, new = set(rows(path, before)), set(rows(path, after))
    for key in old - new:
        storage.delete(key)
    for key in new - old:
        storage.put(key, b"")


def rows(path: str, notes: Mapping[str, str]) -> Iterator[str]:
    """The rows that a secret at ``path`` with these notes has."""
    if not notes:
        return
    found = read_notes(notes)
    if found.expires_ns:
        yield f"{_EXPIRES}{_seconds(found.expires_ns)}/{path}"
        yield f"{_REMINDS}{_seconds(found.reminds_ns)}/{path}"
    if found.criticality:
        yield f"{_CRITICALITY}{found.criticality:d}/{path}"


def expiring(storage: Storage, until_ns: int, *, by_reminder: bool) -> Iterator[tuple[int, str]]:
    """What expires, or has its first reminder, until then: the second and the path, the soonest first."""
    area = _REMINDS if by_reminder else _EXPIRES
    until = until_ns // NANOSECONDS
    for key in storage.scan(area):
        seconds, _, path = key[len(area) :].partition("/")
        if int(seconds) > until:
            return
        yield int(seconds), path


def critical(storage: Storage, least: Criticality) -> Iterator[tuple[Criticality, str]]:
    """What is at least so critical, the most critical first."""
    for level in sorted(Criticality, reverse=True):
        if level >= max(least, Criticality.LOW):
            area = f"{_CRITICALITY}{level:d}/"
            for key in storage.scan(area):
                yield level, key[len(area) :]


def _seconds(instant_ns: int) -> str:
    return f"{max(0, instant_ns // NANOSECONDS):0{_DIGITS}d}"
