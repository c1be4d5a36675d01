"""Patterns that choose files by path: `*` and `?` within a name, `**` over folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strongroom.scanner.regex import compile_regex


@dataclass(frozen=True, slots=True)
class Choice:
    """Which paths, relative and with `/`, are scanned: those that match one of the included patterns, if any, and no excluded one.

    A pattern without a slash is about a file or a folder anywhere; one with a slash is about the path from the root. A pattern
    that names a folder is about all that is in it.
    """

    _included: Callable[[str], bool] | None
    _excluded: Callable[[str], bool] | None

    @classmethod
    def of(cls, include: Sequence[str], exclude: Sequence[str]) -> Choice:
        """The choice by these patterns."""
        return cls(_any_of(include), _any_of(exclude))

    def wants(self, path: str) -> bool:
        """Whether this file is to be scanned."""
        return not self.excludes(path) and (self._included is None or self._included(path))

    def excludes(self, path: str) -> bool:
        """Whether this file, or all of this folder, is left out."""
        return self._excluded is not None and self._excluded(path)


def _any_of(patterns: Sequence[str]) -> Callable[[str], bool] | None:
    if not patterns:
        return None
    # A pattern of a user's may be hostile, and this engine takes linear time for any.
    compiled = compile_regex("|".join(f"(?:{_translated(pattern)})" for pattern in patterns))
    return lambda path: compiled.fullmatch(path.encode()) is not None


def _translated(pattern: str) -> str:
    body = pattern.removeprefix("./").strip("/")
    lead = "" if "/" in pattern.removeprefix("./").rstrip("/") else "(?s:.*/)?"
    parts: list[str] = []
    position = 0
    while position < len(body):
        if body.startswith("**/", position):
            parts.append("(?s:.*/)?")
            position += 3
        elif body.startswith("**", position):
            parts.append("(?s:.*)")
            position += 2
        else:
            letter = body[position]
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(letter) or re.escape(letter))
            position += 1
    return lead + "".join(parts) + "(?s:/.*)?"
