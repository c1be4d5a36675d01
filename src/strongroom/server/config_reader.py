"""Reads one block of the configuration by its table, and gathers everything that is wrong with it.

A mistake never ends the reading: a person who starts a server wants to hear of all of them at once. Texts name the file, the
line and the setting, and never quote a value.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from strongroom.encoding.hcl import Body
from strongroom.server.config_schema import Section


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where. ``line`` 0 means the file as a whole."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        where = ":".join(part for part in (self.file, str(self.line) if self.line else "") if part)
        return f"{where}: {self.text}" if where else self.text


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """``problems`` by file and line."""
    return sorted(problems, key=lambda problem: (problem.file, problem.line))


class ConfigError(Exception):
    """The configuration cannot be used. ``problems`` are all that was found."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(in_order(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(slots=True)
class Findings:
    """What was found in one file: problems, and settings that were accepted without effect."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def wrong(self, line: int, text: str) -> None:
        """The configuration cannot be used because of ``text``."""
        self.problems.append(Problem(self.file, line, text))

    def odd(self, line: int, text: str) -> None:
        """The configuration can be used, but somebody may expect more of it."""
        self.warnings.append(Problem(self.file, line, text))


def read_section(
    body: Body, section: Section, findings: Findings, *, elsewhere: tuple[str, ...] = ()
) -> tuple[dict[str, Any], dict[str, int]]:
    """The values that ``body`` sets, and the line of each setting in it, also of those whose value cannot be used.

    ``elsewhere`` are names of blocks that somebody else reads.
    """
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    known = {setting.name: setting for setting in section.settings}
    for attribute in body.attributes:
        if attribute.name in elsewhere:
            continue
        setting = known.get(attribute.name)
        if setting is None:
            _explain_unknown(attribute.name, attribute.line, section, findings, elsewhere)
            continue
        lines[attribute.name] = attribute.line
        try:
            values[attribute.name] = setting.kind.decode(attribute.value)
        except ValueError:
            findings.wrong(attribute.line, f"{attribute.name} must be {setting.kind.expected}")
    for block in body.blocks:
        if block.type in elsewhere:
            continue
        if block.type in known:
            expected = known[block.type].kind.expected
            findings.wrong(block.line, f"{block.type} must be {expected}, written as {block.type} = ...")
        else:
            _explain_unknown(block.type, block.line, section, findings, elsewhere)
    return values, lines


def with_defaults(values: dict[str, Any], section: Section) -> dict[str, Any]:
    """``values``, and the default of every setting that is not among them."""
    return {setting.name: values.get(setting.name, setting.default) for setting in section.settings}


def require(lines: Mapping[str, int], names: tuple[str, ...], line: int, what: str, findings: Findings) -> None:
    """Each of ``names`` that is not in ``lines`` is a problem of the block that begins in ``line``."""
    for name in names:
        if name not in lines:
            findings.wrong(line, f"{what} needs {name}")


def _explain_unknown(name: str, line: int, section: Section, findings: Findings, elsewhere: tuple[str, ...]) -> None:
    if name in section.ignored:
        if name not in section.quiet:
            findings.odd(line, f"{name} has no effect: {section.ignored[name]}")
        return
    if name in section.refused:
        findings.wrong(line, f"{name} is not supported: {section.refused[name]}")
        return
    candidates = sorted({*(setting.name for setting in section.settings), *elsewhere, *section.ignored})
    nearest = difflib.get_close_matches(name, candidates, n=1, cutoff=0.5)
    shown = name if name.isprintable() and len(name) <= 64 else "this setting"
    if nearest:
        findings.wrong(line, f"{shown} is not a setting here; did you mean {nearest[0]}?")
    else:
        names = ", ".join(candidates) if len(candidates) <= 8 else "see docs/reference/configuration.md"
        findings.wrong(
            line, f"{shown} is not a setting here; known are: {names}" if names else f"{shown} is not a setting here"
        )
