"""Rendering: a tree and a source of secrets become a text, within limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from strongroom.agent.template.errors import CannotRender
from strongroom.agent.template.functions import FUNCTIONS, RESULT_CHARACTERS_MAX, bounded
from strongroom.agent.template.tree import (
    Call,
    Command,
    Dot,
    Group,
    If,
    Jump,
    Literal,
    Node,
    Operand,
    Output,
    Pipeline,
    Range,
    Text,
    Variable,
)
from strongroom.agent.template.values import Record, WrongKind, is_true, printed, text

STEPS_MAX = 1_000_000
OUTPUT_CHARACTERS_MAX = RESULT_CHARACTERS_MAX

ASKING = ("pkiCert", "secret", "secrets")
"""The functions that ask the server."""
_LAZY = ("and", "or")


class Secrets(Protocol):
    """Where a template's secrets come from. What it raises ends the rendering."""

    def secret(self, path: str, parameters: Sequence[str]) -> Record:
        """What is at a path; with parameters (``name=value``) what the server answers to a write."""
        ...

    def names(self, path: str) -> list[str]:
        """What is below a path."""
        ...

    def certificate(self, path: str, parameters: Sequence[str]) -> Record:
        """A certificate that the server issues."""
        ...


def known_functions() -> frozenset[str]:
    """Everything that a template may call."""
    return frozenset({*FUNCTIONS, *ASKING, *_LAZY})


def render(tree: Sequence[Node], secrets: Secrets, *, strict: bool) -> str:
    """The text. With ``strict`` a key that is missing is an error. Raises CannotRender, and what ``secrets`` raises."""
    evaluation = _Evaluation(secrets, strict=strict)
    try:
        evaluation.run(tree, None)
    except RecursionError:
        raise CannotRender(0, "a value is nested too deep") from None
    return evaluation.output()


class _Jump(Exception):
    """Leaves the body of a loop."""

    def __init__(self, *, is_break: bool) -> None:
        super().__init__()
        self.is_break = is_break


class _Evaluation:
    """One rendering. ``_scopes`` are the variables, the innermost block last."""

    def __init__(self, secrets: Secrets, *, strict: bool) -> None:
        self._secrets = secrets
        self._strict = strict
        self._scopes: list[dict[str, Any]] = [{"": None}]
        self._written: list[str] = []
        self._size = 0
        self._steps = 0

    def output(self) -> str:
        return "".join(self._written)

    def run(self, nodes: Sequence[Node], dot: Any) -> None:
        for node in nodes:
            self._node(node, dot)

    def _node(self, node: Node, dot: Any) -> None:
        if isinstance(node, Text):
            self._write(node.text, 0)
        elif isinstance(node, Output):
            value = self._pipeline(node.pipeline, dot)
            self._assign(node.pipeline, value)
            if not node.pipeline.names:
                self._write(_shown(value, node.pipeline.line), node.pipeline.line)
        elif isinstance(node, If):
            self._if(node, dot)
        elif isinstance(node, Range):
            self._range(node, dot)
        elif isinstance(node, Jump):
            raise _Jump(is_break=node.is_break)

    def _if(self, node: If, dot: Any) -> None:
        self._scopes.append({})
        try:
            value = self._pipeline(node.pipeline, dot)
            self._assign(node.pipeline, value)
            if is_true(value):
                self._inner(node.then, value if node.binds else dot)
            else:
                self._inner(node.otherwise, dot)
        finally:
            self._scopes.pop()

    def _range(self, node: Range, dot: Any) -> None:
        self._scopes.append({})
        try:
            value = self._pipeline(node.pipeline, dot)
            pairs = _pairs(value, node.pipeline.line)
            for key, item in pairs:
                self._step(node.pipeline.line)
                for name, bound in zip(
                    node.pipeline.names, (item,) if len(node.pipeline.names) == 1 else (key, item), strict=False
                ):
                    self._set(name, bound, declares=node.pipeline.declares)
                try:
                    self._inner(node.body, item)
                except _Jump as jump:
                    if jump.is_break:
                        break
            if not pairs:
                self._inner(node.otherwise, dot)
        finally:
            self._scopes.pop()

    def _inner(self, nodes: Sequence[Node], dot: Any) -> None:
        self._scopes.append({})
        try:
            self.run(nodes, dot)
        finally:
            self._scopes.pop()

    def _assign(self, pipeline: Pipeline, value: Any) -> None:
        for name in pipeline.names:
            self._set(name, value, declares=pipeline.declares)

    def _set(self, name: str, value: Any, *, declares: bool) -> None:
        if declares:
            self._scopes[-1][name] = value
            return
        for scope in reversed(self._scopes):
            if name in scope:
                scope[name] = value
                return

    def _variable(self, name: str) -> Any:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        return None

    def _pipeline(self, pipeline: Pipeline, dot: Any) -> Any:
        piped: tuple[Any, ...] = ()
        for command in pipeline.commands:
            piped = (self._command(command, dot, piped),)
        return piped[0]

    def _command(self, command: Command, dot: Any, piped: tuple[Any, ...]) -> Any:
        self._step(command.line)
        first, *rest = command.operands
        if not isinstance(first, Call):
            return self._operand(first, dot, command.line)
        if first.name in _LAZY:
            return self._lazy(first.name, rest, dot, piped, command.line)
        arguments = [*(self._operand(operand, dot, command.line) for operand in rest), *piped]
        return self._call(first.name, arguments, command.line)

    def _lazy(self, name: str, rest: list[Operand], dot: Any, piped: tuple[Any, ...], line: int) -> Any:
        value: Any = None
        for operand in rest:
            value = self._operand(operand, dot, line)
            if is_true(value) == (name == "or"):
                return value
        if not rest and not piped:
            raise CannotRender(line, f"{name}: expected a value")
        return piped[0] if piped else value

    def _call(self, name: str, arguments: list[Any], line: int) -> Any:
        try:
            if name in ASKING:
                return self._ask(name, [text(argument) for argument in arguments])
            return _in_bounds(FUNCTIONS[name](*arguments))
        except WrongKind as error:
            raise CannotRender(line, f"{name}: expected {error}") from None
        except (UnicodeError, OverflowError):
            raise CannotRender(line, f"{name}: this value cannot be written so") from None
        except TypeError:
            raise CannotRender(line, f"{name}: it takes another number of values, or other kinds of them") from None

    def _ask(self, name: str, words: list[str]) -> Any:
        if not words or not words[0].strip("/ "):
            raise WrongKind("a path")
        path, *parameters = words
        if any("=" not in parameter for parameter in parameters):
            raise WrongKind("parameters like name=value after the path")
        if name == "secrets":
            if parameters:
                raise WrongKind("a path alone")
            return self._secrets.names(path)
        return (
            self._secrets.certificate(path, parameters) if name == "pkiCert" else self._secrets.secret(path, parameters)
        )

    def _operand(self, operand: Operand, dot: Any, line: int) -> Any:
        self._step(line)
        if isinstance(operand, Literal):
            return operand.value
        if isinstance(operand, Dot):
            return self._members(dot, operand.names, line)
        if isinstance(operand, Variable):
            return self._members(self._variable(operand.name), operand.names, line)
        if isinstance(operand, Group):
            return self._members(self._pipeline(operand.pipeline, dot), operand.names, line)
        return self._call(operand.name, [], line)

    def _members(self, value: Any, names: Sequence[str], line: int) -> Any:
        for name in names:
            if isinstance(value, Record):
                if name not in value:
                    raise CannotRender(line, f"there is no field {name}; known are {', '.join(value)}")
                value = value[name]
            elif isinstance(value, Mapping):
                if name not in value and self._strict:
                    raise CannotRender(line, f"there is no key {name}")
                value = value.get(name)
            else:
                what = "nothing" if value is None else "a value without fields"
                raise CannotRender(line, f"{name} is asked of {what}")
        return value

    def _write(self, written: str, line: int) -> None:
        self._size += len(written)
        if self._size > OUTPUT_CHARACTERS_MAX:
            raise CannotRender(line, f"the result is longer than {OUTPUT_CHARACTERS_MAX:,} characters")
        self._written.append(written)

    def _step(self, line: int) -> None:
        self._steps += 1
        if self._steps > STEPS_MAX:
            raise CannotRender(line, f"the template takes more than {STEPS_MAX:,} steps")


def _shown(value: Any, line: int) -> str:
    try:
        return printed(value)
    except WrongKind as error:
        raise CannotRender(line, f"expected {error}") from None


def _in_bounds(result: Any) -> Any:
    if isinstance(result, str):
        bounded(len(result))
    return result


def _pairs(value: Any, line: int) -> list[tuple[Any, Any]]:
    if value is None:
        return []
    if isinstance(value, Record):
        raise CannotRender(line, "range needs a list or a map")
    if isinstance(value, Mapping):
        return [(key, value[key]) for key in sorted(value)]
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    raise CannotRender(line, "range needs a list or a map")
