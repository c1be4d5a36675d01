"""Marks in the scanned text that allow what stands on the same line.

`strongroom:allow reason="test key of the sandbox" until=2027-01-31` names a reason, which is required, and may name the last day on which it holds.
`gitleaks:allow` is honoured as it is written.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from strongroom.scanner.regex import compile_regex

_MARK = b"strongroom:allow"
_FOREIGN_MARK = b"gitleaks:allow"
_REASON = rb"reason=(?:\\?\"([^\"\\\r\n]{1,500})\\?\"|'([^'\r\n]{1,500})'|([^\s\"'\\]{1,500}))"
_UNTIL = rb"until=[\"']?([0-9]{4}-[0-9]{2}-[0-9]{2})\b"
_AFTER = 700


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a mark says: whether it allows, and why it does not, if it does not."""

    is_allowed: bool
    objection: str = ""


def allowance(text: bytes, today: dt.date) -> Allowance | None:
    """What a mark in `text`, the lines of a finding, says on the day `today`; None without one."""
    if _FOREIGN_MARK in text:
        return Allowance(is_allowed=True)
    at = text.find(_MARK)
    if at < 0:
        return None
    words = text[at + len(_MARK) : at + len(_MARK) + _AFTER].split(b"\n", 1)[0]
    reason = compile_regex(_REASON).search(words)
    if reason is None or not words[reason.start() : reason.end()].strip(b"reason=\"'\\ \t"):
        return Allowance(is_allowed=False, objection='its strongroom:allow has no reason: write reason="…"')
    if b"until=" not in words:
        return Allowance(is_allowed=True)
    return _until(words, today)


def _until(words: bytes, today: dt.date) -> Allowance:
    until = compile_regex(_UNTIL).search(words)
    try:
        last_day = dt.date.fromisoformat(words[slice(*until.span(1))].decode()) if until is not None else None
    except ValueError:
        last_day = None
    if last_day is None:
        return Allowance(
            is_allowed=False, objection="its strongroom:allow has no date that can be read: write until=2027-01-31"
        )
    if today > last_day:
        return Allowance(is_allowed=False, objection=f"its strongroom:allow ended on {last_day.isoformat()}")
    return Allowance(is_allowed=True)
