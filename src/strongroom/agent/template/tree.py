"""A template as a tree. Nodes are what stands between the delimiters, operands are what stands in a pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number, true, false or nil."""

    value: Any


@dataclass(frozen=True, slots=True)
class Dot:
    """``.``, or ``.Name.Name``."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name``, or ``$name.Name``; the name without its dollar, "" for the root."""

    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Group:
    """A pipeline in parentheses, or ``(pipeline).Name``."""

    pipeline: Pipeline
    names: tuple[str, ...]


Operand = Literal | Dot | Variable | Call | Group


@dataclass(frozen=True, slots=True)
class Command:
    """One part of a pipeline: a function with its arguments, or a single operand."""

    line: int
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each with the result of the one before as its last argument. ``names`` are the variables it sets.

    ``declares`` tells ``:=`` from ``=``.
    """

    line: int
    commands: tuple[Command, ...]
    names: tuple[str, ...] = ()
    declares: bool = True


@dataclass(frozen=True, slots=True)
class Text:
    """What stands between the actions."""

    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """An action whose value is written; none is where it only sets a variable."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class If:
    """``if``, and with ``binds`` ``with``, which makes the value the dot."""

    pipeline: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    binds: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """``range``: the body for each element."""

    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """``break`` or ``continue``."""

    is_break: bool


Node = Text | Output | If | Range | Jump
