"""One chain as a verifier sees it go by: what fits, and what a line that does not fit must mean.

A line that does not fit is judged by the lines after it, which say what they followed when they were written. So every judgement waits
for the next line of the chain. Memory is bounded: only the last lines are known by hash.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import NamedTuple

from strongroom.evidence.chain import BEFORE_ALL, Head, Place, hash_of, place_of
from strongroom.evidence.checkpoint import Reason, is_checkpoint, read_checkpoint
from strongroom.evidence.findings import Finding, Kind

WINDOW = 4096
"""So many lines back a repeated or moved line is recognised for what it is."""
EARLY_MAX = 64
GAPS_MAX = 1024

Tell = Callable[[Finding], None]


class Spot(NamedTuple):
    """Where a line stands: the number of its file among those given, the file's name, the line's number."""

    file_number: int
    file: str
    line: int

    def finding(self, kind: Kind, sequence: int, text: str) -> Finding:
        """A finding here."""
        return Finding(kind, self.file, self.line, sequence, text)


@dataclass(slots=True)
class Stray:
    """A line that belonged nowhere. If the next line followed it when it was written, it was no stranger but was edited."""

    spot: Spot
    digest: bytes | None
    kind: Kind
    text: str
    sequence: int = 0
    is_known: bool = False
    """Whether it is certain already what it is."""

    @property
    def finding(self) -> Finding:
        """What it is if nothing follows it."""
        return self.spot.finding(self.kind, self.sequence, self.text)


@dataclass(slots=True)
class _Suspect:
    """The last line, where it did not fit: what stood before it, and the hash that it should have had (None after a jump)."""

    spot: Spot
    sequence: int
    base_sequence: int
    base: bytes
    computed: bytes | None
    line: bytes = b""


@dataclass(slots=True)
class _Gap:
    first: int
    last: int
    finding: Finding | None
    """None for the gap before the first line that was met: the track's ``beginning`` says what it means."""


@dataclass(slots=True)
class Track:
    """A chain's state. ``sequence`` and ``digest`` are of the last line that was taken as part of it."""

    id: str
    sequence: int
    digest: bytes
    spot: Spot
    tell: Tell
    parents: tuple[Head, ...] = ()
    """Where other chains had got to when this one began, for which its signatures vouch."""
    device: str = ""
    vault: str = ""
    unsigned: int = 0
    last_reason: Reason | None = None
    is_orphan: bool = False
    beginning: Finding | None = None
    """What it means that the chain does not begin with its line 1, unless the lines before still come; None: nothing."""
    lost: Finding | None = None
    """The same, where it turns out that an orphan is the vault's own."""
    recent: dict[int, bytes] = field(default_factory=dict)
    _suspect: _Suspect | None = None
    _gaps: list[_Gap] = field(default_factory=list)
    _expected: list[tuple[int, Finding]] = field(default_factory=list)
    _early: dict[int, tuple[bytes, bytes, Spot]] = field(default_factory=dict)

    def follow(self, line: bytes, place: Place, spot: Spot, stray: Stray | None) -> Stray | None:
        """Take the next line of the chain. Answers a stray where it is no part of it."""
        if (
            self._suspect is None
            and place.sequence == self.sequence + 1
            and (hash_of(self.digest, line, place) == place.hash)
        ):
            self._accept(place, spot)
            return None
        return self._follow_oddly(line, place, spot, stray)

    def end(self) -> None:
        """There are no more lines: what was left open is told."""
        self.catch_up()
        self._settle_suspect()
        for sequence, finding in self._expected:
            if self.sequence >= sequence:
                text = "lines that stood before this one stand after it"
                self.tell(replace(finding, kind=Kind.REORDERED, text=text))
            else:
                self.tell(finding)
        for missing in dict.fromkeys(gap.finding or self.beginning for gap in self._gaps):
            if missing is not None:
                self.tell(missing)
        for sequence, (_, _, spot) in self._early.items():
            self.tell(spot.finding(Kind.INSERTED, sequence, "the line was added: nothing goes on from it"))

    def begin_late(self) -> None:
        """The first line that was met is not the chain's line 1."""
        self._gaps.append(_Gap(1, self.sequence - 1, None))

    def expect(self, sequence: int, finding: Finding) -> None:
        """Somebody saw the chain get as far as ``sequence`` before this place: ``finding`` is told unless the lines still come."""
        self._expected.append((sequence, finding))

    def catch_up(self) -> None:
        """Take lines that were met too early and belong at the end of what is known."""
        while (early := self._early.get(self.sequence + 1)) is not None:
            line, digest, spot = early
            place = place_of(line)
            if place is None or not compare_digest(hash_of(self.digest, line, place), digest):
                return
            del self._early[place.sequence]
            self._accept(place, self.spot)
            self.tell(spot.finding(Kind.REORDERED, place.sequence, "the line stood further down"))

    def knows(self, head: Head) -> bool | None:
        """Whether the line at ``head`` went by; None where it is too long ago to tell its hash."""
        if head.sequence > self.sequence:
            return False
        digest = self.recent.get(head.sequence)
        return None if digest is None else compare_digest(digest.hex().encode(), head.hash.encode())

    def hash_before(self, sequence: int) -> str | None:
        """The hash of the line before the one with this number, in hex; None where that line is missing."""
        before = BEFORE_ALL if sequence == 1 else self.recent.get(sequence - 1)
        return None if before is None else before.hex()

    @property
    def has_suspect(self) -> bool:
        """Whether the last line did not fit."""
        return self._suspect is not None

    def doubt_first(self, line: bytes, place: Place, spot: Spot) -> None:
        """The chain's first line does not carry the hash that a first line must have."""
        self._suspect = _Suspect(spot, place.sequence, 0, BEFORE_ALL, hash_of(BEFORE_ALL, line, place))

    def _accept(self, place: Place, spot: Spot) -> None:
        sequence = place.sequence
        self.recent[sequence] = place.hash
        if sequence > WINDOW:
            self.recent.pop(sequence - WINDOW, None)
        self.sequence, self.digest, self.spot = sequence, place.hash, spot
        self.unsigned += 1
        self.last_reason = None

    def _follow_oddly(self, line: bytes, place: Place, spot: Spot, stray: Stray | None) -> Stray | None:
        if self._suspect is not None and self._explains_suspect(line, place):
            self._accept(place, spot)
            return None
        self._settle_suspect()
        if place.sequence <= self.sequence:
            return self._late(line, place, spot)
        if place.sequence == self.sequence + 1:
            computed = hash_of(self.digest, line, place)
            if computed != place.hash:
                self._suspect = _Suspect(spot, place.sequence, self.sequence, self.digest, computed)
        else:
            self._jump(line, place, spot, stray)
        self._accept(place, spot)
        return None

    def _explains_suspect(self, line: bytes, place: Place) -> bool:
        """Whether this line says what the one before it was. If so that is told, and the state is as before this line."""
        suspect = self._suspect
        if suspect is None:
            return False
        expected = suspect.base_sequence + 1
        if place.sequence == expected and hash_of(suspect.base, line, place) == place.hash:
            self._take_back(suspect)
            return True
        goes_on = hash_of(self.digest, line, place) == place.hash
        if goes_on and place.sequence == suspect.sequence + 1:
            self._settle_suspect()
            return True
        if goes_on and suspect.computed is None and place.sequence == expected + 1:
            self._gaps.pop()
            self._suspect = None
            self.tell(suspect.spot.finding(Kind.EDITED, expected, "the number of the line was changed"))
            return True
        if (
            suspect.computed is not None
            and place.sequence == suspect.sequence + 1
            and hash_of(suspect.computed, line, place) == place.hash
        ):
            self.tell(suspect.spot.finding(Kind.EDITED, suspect.sequence, "the hash of the line was changed"))
            self._suspect = None
            self.recent[suspect.sequence] = suspect.computed
            return True
        return False

    def _take_back(self, suspect: _Suspect) -> None:
        """The chain went on as if the suspect were not there: it was put there, or it belongs further down."""
        self._suspect = None
        self.recent.pop(suspect.sequence, None)
        if suspect.computed is None:
            self._gaps.pop()
            if len(self._early) < EARLY_MAX:
                self._early[suspect.sequence] = (suspect.line, self.digest, suspect.spot)
                return
        self.tell(
            suspect.spot.finding(Kind.INSERTED, suspect.sequence, "the line was added: the chain goes on without it")
        )

    def _settle_suspect(self) -> None:
        suspect, self._suspect = self._suspect, None
        if suspect is not None and suspect.computed is not None:
            text = "this line, or the one before it with its hash, was changed"
            self.tell(suspect.spot.finding(Kind.EDITED, suspect.sequence, text))

    def _late(self, line: bytes, place: Place, spot: Spot) -> Stray:
        """A number that went by, or was missed, before."""
        sequence = place.sequence
        before = self.recent.get(sequence - 1)
        fits = before is None or hash_of(before, line, place) == place.hash
        for gap in self._gaps:
            if gap.first <= sequence <= gap.last and fits:
                self._fill(gap, place)
                return Stray(spot, None, Kind.REORDERED, "the line stood further up", sequence, is_known=True)
        known = self.recent.get(sequence)
        if (known is None or known == place.hash) and fits:
            return Stray(spot, place.hash, Kind.DUPLICATED, "the line stands here a second time", sequence)
        return Stray(spot, place.hash, Kind.INSERTED, "the line was added: its number is another line's", sequence)

    def _fill(self, gap: _Gap, place: Place) -> None:
        self._gaps.remove(gap)
        self.recent[place.sequence] = place.hash
        for first, last in ((gap.first, place.sequence - 1), (place.sequence + 1, gap.last)):
            if first <= last:
                self._gaps.append(_Gap(first, last, gap.finding))

    def _jump(self, line: bytes, place: Place, spot: Spot, stray: Stray | None) -> None:
        """Numbers are missing before this line: perhaps they were met before, or a line that was edited beyond recognition."""
        first, last = self.sequence + 1, place.sequence - 1
        if first == last and self._was_early(first, line, place):
            return
        if first == last and stray is not None and not stray.is_known and _is_followed(stray, line, place):
            stray.kind, stray.sequence, stray.is_known = Kind.EDITED, first, True
            stray.text = "the line was changed, its place in the chain too"
            return
        self._suspect = _Suspect(spot, place.sequence, self.sequence, self.digest, None, line)
        if len(self._gaps) < GAPS_MAX:
            self._gaps.append(_Gap(first, last, self._gap_finding(line, first, last, spot)))

    def _was_early(self, sequence: int, line: bytes, place: Place) -> bool:
        if sequence not in self._early or hash_of(self._early[sequence][1], line, place) != place.hash:
            return False
        self.catch_up()
        return self.sequence == sequence

    def _gap_finding(self, line: bytes, first: int, last: int, spot: Spot) -> Finding:
        missing = f"line {first}" if first == last else f"lines {first} to {last}"
        if spot.file_number == self.spot.file_number:
            return spot.finding(Kind.DELETED, first, f"{missing} of the chain are missing before this line")
        if self.last_reason is not Reason.ROTATE:
            return self.spot.finding(Kind.TAIL_TRUNCATED, first, f"the end of the file was cut off: {missing}")
        if reason_of(line) is not Reason.REOPENED:
            return spot.finding(Kind.HEAD_TRUNCATED, first, f"the beginning of the file was cut off: {missing}")
        return spot.finding(Kind.MISSING_FILE, first, f"a file is missing before this one: {missing}")


def reason_of(line: bytes) -> Reason | None:
    """Why the checkpoint in ``line`` was written; None where it is none."""
    checkpoint = read_checkpoint(line) if is_checkpoint(line) else None
    return checkpoint.reason if checkpoint else None


def _is_followed(stray: Stray, line: bytes, place: Place) -> bool:
    return stray.digest is None or hash_of(stray.digest, line, place) == place.hash
