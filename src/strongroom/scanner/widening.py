"""Patterns as the wide stage has them: what may repeat a bounded number of times may repeat without a bound.

A count takes as many states of an automaton as it counts to, a loop takes one. The wide stage only says where to look, so it may say so too often: the exact
stage has the exact pattern. For the rules that come with Strongroom this adds one event in a hundred, and halves the time that compiling takes.
"""

from __future__ import annotations

import re

WIDENING = 2
"""Counts the changes of what this makes of patterns: what was compiled before is compiled anew."""

_BOUNDS = re.compile(rb"\{([0-9]+),([0-9]+)\}(?![*+{])")
_CLASS = re.compile(rb"\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_QUOTED = b"\\Q"
_LEAST = 16
"""From so many optional repetitions on a loop is worth it."""


def widened(pattern: bytes) -> bytes:
    """A pattern that matches wherever `pattern` does, in as few states as that takes. What it cannot be sure of stays as it is."""
    if _QUOTED in pattern:
        return pattern
    parts: list[bytes] = []
    position = 0
    while position < len(pattern):
        end = _unit(pattern, position)
        unit = pattern[position:end]
        bounds = _BOUNDS.match(pattern, position)
        if bounds is not None:
            unit, end = _loop(bounds), bounds.end()
        parts.append(unit)
        position = end
    return b"".join(parts)


def _unit(pattern: bytes, position: int) -> int:
    """Where the escape, the class or the character at `position` ends."""
    if pattern[position : position + 1] == b"\\":
        return position + 2
    found = _CLASS.match(pattern, position)
    return found.end() if found is not None else position + 1


def _loop(bounds: re.Match[bytes]) -> bytes:
    least, most = int(bounds[1]), int(bounds[2])
    if most - least < _LEAST:
        return bounds[0]
    return {0: b"*", 1: b"+"}.get(least, b"{%d,}" % least)
