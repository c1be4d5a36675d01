"""Reads one block of the agent's configuration by its table, and gathers everything that is wrong with it.

A mistake never ends the reading: a person who starts an agent wants to hear of all of them at once. Texts name the line and the
setting, and never quote a value.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from strongroom.encoding.hcl import Block, Body, HclError


class Problem(NamedTuple):
    """What is wrong, and in which line; 0 means the file as a whole."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.line else self.text


class BadConfig(Exception):
    """The configuration cannot be used. The text has all problems, one a line, after the name of the file."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(f"{file}: {problem}" for problem in self.problems))


@dataclass(slots=True)
class Findings:
    """What was found: problems, and settings that are accepted without effect."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def wrong(self, line: int, text: str) -> None:
        """The configuration cannot be used because of ``text``."""
        self.problems.append(Problem(line, text))

    def odd(self, line: int, text: str) -> None:
        """The configuration can be used, but somebody may expect more of it."""
        self.warnings.append(Problem(line, text))


class Kind(NamedTuple):
    """A kind of value. ``expected`` completes "must be ..."; ``decode`` raises ValueError."""

    expected: str
    decode: Callable[[Any], Any]


class Setting(NamedTuple):
    """One setting of a block: its name, its kind, and what it is where it does not stand."""

    name: str
    kind: Kind
    default: Any = None


class Section(NamedTuple):
    """What may stand in a block. ``blocks`` are read by somebody else; ``ignored`` and ``refused`` say why, by name."""

    what: str
    settings: tuple[Setting, ...]
    required: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    ignored: Mapping[str, str] = {}
    refused: Mapping[str, str] = {}


class Values(dict[str, Any]):
    """The values of a block, the defaults among them. ``lines`` has those that were written; ``line`` is the block's."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


def read(body: Body, section: Section, findings: Findings, line: int = 0) -> Values:
    """The values of ``body``. What is wrong with them is found; what then is missing has its default."""
    values = Values(line)
    known = {setting.name: setting for setting in section.settings}
    values.update({setting.name: setting.default for setting in section.settings})
    for attribute in body.attributes:
        if attribute.name in section.blocks:
            continue
        setting = known.get(attribute.name)
        if setting is None:
            _explain(attribute.name, attribute.line, section, findings)
            continue
        values.lines[attribute.name] = attribute.line
        try:
            values[attribute.name] = setting.kind.decode(attribute.value)
        except ValueError:
            findings.wrong(attribute.line, f"{attribute.name} must be {setting.kind.expected}")
    for block in body.blocks:
        if block.type in known:
            findings.wrong(block.line, f"{block.type} must be {known[block.type].kind.expected}, after an =")
        elif block.type not in section.blocks:
            _explain(block.type, block.line, section, findings)
    for name in section.required:
        if name not in values.lines:
            findings.wrong(line, f"{section.what} needs {name}")
    return values


def blocks(body: Body, kind: str, labels: int, findings: Findings) -> list[Block]:
    """The blocks of one kind, however they were written; none where one has another shape, which is found."""
    try:
        return body.sections(kind, labels)
    except HclError as error:
        findings.wrong(error.line, error.message)
        return []


def single(body: Body, kind: str, findings: Findings) -> Block | None:
    """The only block of its kind, if there is one. A second one is found."""
    found = blocks(body, kind, 0, findings)
    for extra in found[1:]:
        findings.wrong(extra.line, f"there is a second {kind}; keep one of them")
    return found[0] if found else None


def _explain(name: str, line: int, section: Section, findings: Findings) -> None:
    if name in section.ignored:
        findings.odd(line, f"{name} has no effect: {section.ignored[name]}")
        return
    if name in section.refused:
        findings.wrong(line, f"{name} is not supported: {section.refused[name]}")
        return
    known = sorted({*(setting.name for setting in section.settings), *section.blocks})
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    shown = name if name.isprintable() and len(name) <= 64 else "this setting"
    hint = f"did you mean {nearest[0]}?" if nearest else f"known are: {', '.join(known)}"
    findings.wrong(line, f"{shown} is not a setting of {section.what}; {hint}")
