"""A report with everything in it that could go wrong: hostile names, layers, a history, problems."""

from __future__ import annotations

import pytest

from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.problem import Problem
from strongroom.scanner.reports.report import Report
from strongroom.scanner.rule import Kind, Rule, Severity

SECRET = b"zzSECRETzz0123456789abcdefghijk"
HOSTILE_NAMES = [
    "a\nb::error file=x::pwned",
    "\x1b[31mred\x1b]0;title\x07",
    '"><script>alert(1)</script>',
    "=cmd|'/c calc'!A1",
    "@import, semi;colon, comma:colon",
    "a;=1+1;@b",
    "\u202egnp.exe",
    "percent%0Aencoded",
    "javascript:alert(1)",
    "//host/share",
    "a.zip!/x/y z#?.py",
    "\ud800lone",
    "]]>&amp;<!--",
]
RULE = Rule(
    "test-key",
    "Test <b>key</b>",
    "x",
    severity=Severity.CRITICAL,
    provider="Test & Co",
    revoke='Revoke it at the console, then "rotate".',
)
GUESS = Rule("test-guess", "Test guess", "y", kind=Kind.GENERIC, severity=Severity.LOW)


@pytest.fixture
def report() -> Report:
    places = [Occurrence(name, number + 1, number + 2, 3, 9) for number, name in enumerate(HOSTILE_NAMES)]
    history = Occurrence(
        "src/app.py",
        7,
        7,
        5,
        30,
        "c0ffee" * 6 + "abcd",
        "Ann \x1b[1m<a@b>",
        "2026-01-02T03:04:05Z",
        False,
        ("base64", "hex"),
    )
    return Report(
        [
            Finding(RULE, "ab" * 32, SECRET, 0.99, ("its checksum holds", "why\nnot"), [*places, history]),
            Finding(
                GUESS, "cd" * 32, b"hunter22", 0.61, (), [Occurrence("plain.txt", 1, 1, 1, 9)], verification="dead"
            ),
        ],
        [Problem("locked\x1b[2J.bin", "not read: permission denied"), Problem("link", "not followed", is_note=True)],
        "1.2.3",
        "2026-11-25T01:02:03",
        "2026-11-25T01:02:04",
        fragments=5,
        size=12345,
    )
