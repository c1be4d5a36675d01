"""Scripts are read by PowerShell where it is installed, and always by a reader of the few rules that they use.

The rules, of PowerShell's tokenizer (ScanStringLiteral, CharExtensions.IsSingleQuote): within single quotes nothing is special
but a quote, and of those there are five; two together stand for the second. ``[char]0x…`` is a unit of UTF-16.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from tests.delivery.export.values import VALUES, exported

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.powershell import powershell

QUOTES = "'\u2018\u2019\u201a\u201b"
OPERAND = re.compile(rf"\[char\]0x([0-9A-F]{{4}})|[{QUOTES}]((?:[^{QUOTES}]|[{QUOTES}]{{2}})*)[{QUOTES}]")
HOSTILE = {"A": 'it\'s \u2019 ‘x’ "$(id)" `n $env:X', "B": "\r\n", "C": "😀é", "D": "'", "E": "''\\"}


def read(content: bytes) -> dict[str, str]:
    found = {}
    for line in content.decode("ascii").splitlines():
        name, _, expression = line.removeprefix("$env:").partition(" = ")
        units, at = b"", 0
        while at < len(expression):
            match = OPERAND.match(expression, at)
            assert match is not None, expression
            assert at or match[1] is None, "a number in front would add up"
            text = chr(int(match[1], 16)) if match[1] else re.sub(f"[{QUOTES}]([{QUOTES}])", r"\1", match[2])
            units += text.encode("utf-16-le", "surrogatepass")
            at = match.end()
            assert expression[at : at + 3] in {"", " + "}
            at += 3
        found[name] = units.decode("utf-16-le")
    return found


def held(values: dict[str, str]) -> dict[str, str]:
    """Of names that differ in capitals alone the first, and no empty values."""
    first: dict[str, tuple[str, str]] = {}
    for name, value in values.items():
        if value:
            first.setdefault(name.lower(), (name, value))
    return dict(first.values())


@given(VALUES)
@example(HOSTILE)
def test_a_reader_of_the_rules_gives_every_value_back(values: dict[str, str]) -> None:
    wanted = held(values)
    assert read(powershell(exported(wanted))) == wanted


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="pwsh is not installed; neither Debian nor PyPI has it")
@given(VALUES)
@example(HOSTILE)
@settings(max_examples=10, deadline=None)
def test_powershell_gives_every_value_back(tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]) -> None:
    wanted = held(values)
    script = Path(tmp_path_factory.mktemp("pwsh")) / "script.ps1"
    script.write_bytes(powershell(exported(wanted)) + b"& /usr/bin/env -0\n")
    done = subprocess.run(["pwsh", "-NoProfile", "-File", str(script)], capture_output=True, check=True)
    got = dict(entry.split("=", 1) for entry in done.stdout.decode().split("\0") if "=" in entry)
    assert {name: got.get(name) for name in wanted} == wanted


def test_an_empty_value_is_refused() -> None:
    with pytest.raises(CannotDeliver, match="the value of A is empty, and PowerShell removes a variable"):
        powershell(exported({"A": ""}))


def test_names_that_are_one_on_windows_are_refused() -> None:
    with pytest.raises(CannotDeliver, match="Path_A and PATH_A are one variable on Windows"):
        powershell(exported({"Path_A": "CANARY", "PATH_A": "CANARY"}))
