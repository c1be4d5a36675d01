"""Merged rules, and the search for the one that decides about a path.

Exact paths stand in a dict. Prefixes stand in a dict too, and are tried from the longest length that occurs to the shortest.
Paths with ``+`` stand in a list, the highest priority first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from strongroom.policy.constraints import Constraints, ConstraintsBuilder
from strongroom.policy.decision import Decision
from strongroom.policy.rule import CAPABILITY_BITS, DENY_BIT, PathRule

FILLER = "\x00"
"""A name that no canonical path holds, so that only ``+`` and ``*`` ever match it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """All rules of one path, merged.

    ``segments`` are those of the path without its final ``*``. Entries are compared by ``priority``; exact ones never are.
    """

    path: str
    bits: int
    constraints: Constraints | None
    segments: tuple[str, ...]
    is_prefix: bool
    priority: tuple[int, bool, int, int, str]
    allowed: Decision
    denied: Decision

    @property
    def denies(self) -> bool:
        """Whether any of the merged rules is a deny."""
        return self.bits == DENY_BIT

    @property
    def grants(self) -> bool:
        """Whether anything is granted."""
        return self.bits & ~DENY_BIT != 0

    def matches(self, segments: list[str]) -> bool:
        """Whether the path with these segments is one that this one stands for."""
        own = self.segments
        if len(segments) != len(own) and not (self.is_prefix and len(segments) > len(own)):
            return False
        last = len(own) - 1
        return all(
            segment in {"+", candidate} or (index == last and self.is_prefix and candidate.startswith(segment))
            for index, (segment, candidate) in enumerate(zip(own, segments, strict=False))
        )


_REMEMBERED_MAX = 4096
_REMEMBERED_LENGTH_MAX = 256


class Table:
    """The rules that are in force at one time. Immutable after construction, but for what it remembers of the last paths."""

    __slots__ = ("_exact", "_lengths", "_patterns", "_prefixes", "_remembered")

    def __init__(self, rules: Iterable[PathRule]) -> None:
        self._exact: dict[str, Entry] = {}
        self._remembered: dict[str, Entry | None] = {}
        self._prefixes: dict[str, Entry] = {}
        patterns: list[Entry] = []
        for entry in _merged(rules):
            if "+" in entry.segments:
                patterns.append(entry)
            elif entry.is_prefix:
                self._prefixes[entry.path[:-1]] = entry
            else:
                self._exact[entry.path] = entry
        self._lengths = tuple(sorted({len(prefix) for prefix in self._prefixes}, reverse=True))
        self._patterns = tuple(sorted(patterns, key=lambda entry: entry.priority, reverse=True))

    def find(self, path: str) -> Entry | None:
        """The entry that decides about ``path``, or None."""
        remembered = self._remembered
        if path in remembered:
            return remembered[path]
        entry = self._exact.get(path)
        if entry is None:
            entry = self._find_inexact(path)
        if len(path) <= _REMEMBERED_LENGTH_MAX:
            if len(remembered) >= _REMEMBERED_MAX:
                self._remembered = remembered = {}
            remembered[path] = entry
        return entry

    @property
    def remembered(self) -> int:
        """Of how many paths it is remembered which entry decides."""
        return len(self._remembered)

    def find_list(self, path: str) -> Entry | None:
        """The entry that decides about listing ``path``, with or without its trailing slash, or None."""
        bare = path.removesuffix("/")
        folder = f"{bare}/"
        exact, exact_bare = self._exact.get(folder), self._exact.get(bare)
        if exact is not None or exact_bare is not None:
            if exact is None or (exact_bare is not None and exact_bare.denies):
                return exact_bare
            return exact
        entry, entry_bare = self._find_inexact(folder), self._find_inexact(bare)
        if entry is None or (entry_bare is not None and entry_bare.denies and entry_bare.priority > entry.priority):
            return entry_bare
        return entry

    @property
    def exact(self) -> Mapping[str, Entry]:
        """The entries of exact paths, by path."""
        return self._exact

    @property
    def prefixes(self) -> Mapping[str, Entry]:
        """The entries of paths that end in ``*``, by what stands before it; those with a ``+`` are not among them."""
        return self._prefixes

    def witnesses(self, prefix: str) -> Iterator[str]:
        """For each granting entry that can match below ``prefix``, a path there that nothing more specific is likely to match.

        If one of them is granted then something below ``prefix`` is, and if none is then nothing is.
        """
        for entry in self._exact.values():
            if entry.grants and entry.path.startswith(prefix):
                yield entry.path
        for start, entry in self._prefixes.items():
            if entry.grants and start.startswith(prefix):
                yield start + FILLER
        for entry in self._patterns:
            witness = _witness(entry, prefix) if entry.grants else None
            if witness is not None:
                yield witness

    def _find_inexact(self, path: str) -> Entry | None:
        best: Entry | None = None
        for length in self._lengths:
            # A length beyond the path's end yields the whole path, which is the longest prefix there can be.
            best = self._prefixes.get(path[:length])
            if best is not None:
                break
        if not self._patterns:
            return best
        segments = path.split("/")
        for entry in self._patterns:
            if best is not None and best.priority > entry.priority:
                return best
            if entry.matches(segments):
                return entry
        return best


def _merged(rules: Iterable[PathRule]) -> Iterator[Entry]:
    by_path: dict[str, tuple[list[str], ConstraintsBuilder]] = {}
    for rule in rules:
        capabilities, constraints = by_path.setdefault(rule.path, ([], ConstraintsBuilder()))
        capabilities.extend(rule.capabilities)
        constraints.add(rule)
    for path, (capabilities, constraints) in by_path.items():
        bits = 0
        for name in capabilities:
            bits |= CAPABILITY_BITS[name]
        if bits & DENY_BIT:
            yield _entry(path, DENY_BIT, None)
        else:
            yield _entry(path, bits, constraints.build())


def _entry(path: str, bits: int, constraints: Constraints | None) -> Entry:
    is_prefix = path.endswith("*")
    stem = path[:-1] if is_prefix else path
    segments = tuple(stem.split("/"))
    pluses = segments.count("+")
    before = segments[: segments.index("+")] if pluses else ()
    first = sum(map(len, before)) + len(before) if pluses else len(stem)
    return Entry(
        path=path,
        bits=bits,
        constraints=constraints,
        segments=segments,
        is_prefix=is_prefix,
        priority=(first, not is_prefix, -pluses, len(stem.encode()), stem),
        allowed=Decision(allowed=True, reasons=(path,)),
        denied=Decision(allowed=False, reasons=(path,)),
    )


def _witness(entry: Entry, prefix: str) -> str | None:
    *folders, rest = prefix.split("/")
    found: list[str] = []
    last = len(entry.segments) - 1
    for index, segment in enumerate(entry.segments):
        open_ended = index == last and entry.is_prefix
        if index < len(folders):
            if open_ended and folders[index].startswith(segment):
                return prefix + FILLER
            if segment not in {"+", folders[index]}:
                return None
            found.append(folders[index])
        else:
            start = rest if index == len(folders) else ""
            name = _segment_witness(segment, start, open_ended=open_ended)
            if name is None:
                return None
            found.append(name)
    return "/".join(found) if len(found) > len(folders) else None


def _segment_witness(segment: str, start: str, *, open_ended: bool) -> str | None:
    """A segment that begins with ``start`` and that the pattern's ``segment`` matches."""
    if segment == "+":
        return start + FILLER
    if open_ended and start.startswith(segment):
        return start + FILLER
    if not segment.startswith(start):
        return None
    return segment + FILLER if open_ended else segment
