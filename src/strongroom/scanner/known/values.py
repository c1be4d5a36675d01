"""The question of this package, "is this one of ours?", and the answer. Whoever can answer it implements `KnownValues`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

DIGEST_BYTES = 32
HEAD_BYTES = 4


class CannotAsk(Exception):
    """Nobody answered, or not as agreed. What was scanned must not count as clean. The text says what to do next."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A secret that holds a value, as far as whoever asks may know: where it stands, under which key, since which version.

    `place` is a path in a vault or the name of a file. `version` is 0 where there are none; `is_current` is None where nobody knows.
    """

    place: str
    key: str = ""
    version: int = 0
    is_current: bool | None = None

    def __str__(self) -> str:
        key = f", key {self.key}" if self.key else ""
        if not self.version:
            return f"it is the value of {self.key} in {self.place}" if self.key else f"it is the value of {self.place}"
        age = {True: " (the current one)", False: " (an old one)", None: ""}[self.is_current]
        return f"it is version {self.version}{age} of {self.place}{key}"


@dataclass(frozen=True, slots=True)
class Recognition:
    """A value is one of ours. `holders` are those that whoever asks may know of; there may be none."""

    holders: tuple[Holder, ...] = ()
    note: str = ""
    """Who says so, where no holder is named."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is a finding, in words."""
        if self.holders:
            return tuple(map(str, self.holders))
        return (f"it is a secret of ours{f' ({self.note})' if self.note else ''}",)


class KnownValues(Protocol):
    """Tells which values are ours."""

    @property
    def patience(self) -> int:
        """How many digests are worth asking about together: 0 where asking costs nothing, many where each question is a journey."""
        ...

    @property
    def heads(self) -> frozenset[bytes] | None:
        """The first `HEAD_BYTES` of every form that is ours, where they are known in this process; they save most of the work. Else None."""
        ...

    def ask(self, digests: Sequence[bytes]) -> Mapping[bytes, Recognition]:
        """Those of `digests` (of forms, see `digest_of`) that are ours. Raises CannotAsk."""
        ...

    def forked(self) -> None:
        """This process is a copy: let go of what it shares with the one that it was copied from."""
        ...


def digest_of(form: bytes) -> bytes:
    """What stands for a form: its SHA-256. It never leaves the process, since anybody could try guesses on it."""
    return hashlib.sha256(form).digest()


def holders_in_order(holders: Iterable[Holder]) -> tuple[Holder, ...]:
    """`holders`, each once: current versions first, then newer before older, then by name."""
    return tuple(sorted(set(holders), key=lambda one: (one.is_current is not True, one.place, one.key, -one.version)))
