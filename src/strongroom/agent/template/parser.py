"""From tokens to a tree: blocks that open and close, pipelines, and names of functions that must exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from strongroom.agent.template.errors import BadTemplate
from strongroom.agent.template.lexer import Piece, Token, pieces
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

SOURCE_CHARACTERS_MAX = 1 << 20
DEPTH_MAX = 60

_CONSTANTS = {"true": True, "false": False, "nil": None}
_BLOCKS = frozenset({"if", "with", "range"})
_REFUSED = frozenset({"define", "template", "block"})

CheckName = Callable[[int, str], None]
"""Raises BadTemplate for a function, in a line, that is not to be called."""


def parse(source: str, delimiters: tuple[str, str], check: CheckName) -> tuple[Node, ...]:
    """The tree of ``source``. Raises BadTemplate."""
    if len(source) > SOURCE_CHARACTERS_MAX:
        raise BadTemplate(0, f"the template is longer than {SOURCE_CHARACTERS_MAX:,} characters")
    return _Parser(pieces(source, *delimiters), check).all()


class _Parser:
    """Reads pieces one after the other; ``_tokens`` are those of the present action, from the next on."""

    def __init__(self, found: Iterable[Piece], check: CheckName) -> None:
        self._pieces = iter(found)
        self._check = check
        self._tokens: list[Token] = []
        self._loops = 0
        self._scopes: list[set[str]] = [{""}]

    def all(self) -> tuple[Node, ...]:
        nodes, closed_by = self._body(0)
        if closed_by:
            raise BadTemplate(self._tokens[0].line, f"{closed_by} stands here without a block that it belongs to")
        return nodes

    def _body(self, depth: int) -> tuple[tuple[Node, ...], str]:
        """The nodes up to ``end`` or ``else``, and which of them it was; "" at the end of the template."""
        nodes: list[Node] = []
        for piece in self._pieces:
            if piece.tokens is None:
                if piece.text:
                    nodes.append(Text(piece.text))
                continue
            self._tokens = list(reversed(piece.tokens))
            word = self._peek()
            if word.kind == "word" and word.value in {"end", "else"}:
                self._next()
                if word.value == "end":
                    self._close()
                return tuple(nodes), str(word.value)
            node = self._node(word, depth)
            if node is not None:
                nodes.append(node)
        return tuple(nodes), ""

    def _node(self, word: Token, depth: int) -> Node | None:
        if word.kind == "end":
            raise BadTemplate(word.line, "there is nothing between the delimiters")
        if word.kind == "word" and word.value in _REFUSED:
            raise BadTemplate(word.line, f"{word.value} is not supported: write the text where it is needed")
        if word.kind == "word" and word.value in {"break", "continue"}:
            self._next()
            self._close()
            if not self._loops:
                raise BadTemplate(word.line, f"{word.value} stands outside of a range")
            return Jump(is_break=word.value == "break")
        if word.kind == "word" and word.value in _BLOCKS:
            self._next()
            return self._block(word, depth)
        pipeline = self._pipeline(0, declares=True)
        self._close()
        return Output(pipeline)

    def _block(self, word: Token, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise BadTemplate(word.line, f"blocks are nested deeper than {DEPTH_MAX} levels")
        self._scopes.append(set())
        pipeline = self._pipeline(0, declares=True, ranges=word.value == "range")
        self._close()
        self._loops += word.value == "range"
        body, closed_by = self._scoped(depth + 1)
        self._loops -= word.value == "range"
        otherwise: tuple[Node, ...] = ()
        if closed_by == "else":
            otherwise = self._otherwise(word, depth)
        elif not closed_by:
            raise BadTemplate(word.line, f"this {word.value} is never closed; expected end")
        self._scopes.pop()
        if word.value == "range":
            return Range(pipeline, body, otherwise)
        return If(pipeline, body, otherwise, binds=word.value == "with")

    def _otherwise(self, word: Token, depth: int) -> tuple[Node, ...]:
        following = self._peek()
        if following.kind == "word" and following.value in {"if", "with"} and word.value != "range":
            self._next()
            return (self._block(following, depth + 1),)
        self._close()
        body, closed_by = self._scoped(depth + 1)
        if closed_by != "end":
            raise BadTemplate(word.line, f"this {word.value} is never closed; expected end after else")
        return body

    def _scoped(self, depth: int) -> tuple[tuple[Node, ...], str]:
        self._scopes.append(set())
        found = self._body(depth)
        self._scopes.pop()
        return found

    def _pipeline(self, depth: int, *, declares: bool, ranges: bool = False) -> Pipeline:
        if depth > DEPTH_MAX:
            raise BadTemplate(self._peek().line, f"parentheses are nested deeper than {DEPTH_MAX} levels")
        line = self._peek().line
        names, new = self._names(ranges=ranges) if declares else ((), True)
        commands = [self._command(depth)]
        while self._take("|"):
            commands.append(self._command(depth))
        for command in commands[1:]:
            if not isinstance(command.operands[0], Call):
                raise BadTemplate(command.line, "expected a function after |")
        if new:
            self._scopes[-1].update(names)
        return Pipeline(line, tuple(commands), names, new)

    def _names(self, *, ranges: bool) -> tuple[tuple[str, ...], bool]:
        """``$a :=``, ``$a =`` or ``$i, $v :=`` at the beginning of a pipeline."""
        tokens = self._tokens
        count = 2 if len(tokens) > 3 and tokens[-2].value == "," and tokens[-2].kind == "sign" else 1
        sign = tokens[-2 * count] if len(tokens) >= 2 * count else None
        if tokens[-1].kind != "variable" or sign is None or sign.kind != "sign" or sign.value not in {":=", "="}:
            return (), True
        if count == 2 and not ranges:
            raise BadTemplate(tokens[-1].line, "two variables can only be set by range")
        names = tuple(str(tokens[-1 - 2 * number].value)[1:] for number in range(count))
        for name in names:
            if not name or "." in name:
                raise BadTemplate(tokens[-1].line, "expected a variable like $name before :=")
            if sign.value == "=":
                self._known(name, tokens[-1].line)
        del tokens[-2 * count :]
        return names, sign.value == ":="

    def _command(self, depth: int) -> Command:
        line = self._peek().line
        operands: list[Operand] = []
        while (operand := self._operand(depth)) is not None:
            operands.append(operand)
        if not operands:
            raise BadTemplate(line, "expected a value or a function")
        if len(operands) > 1 and not isinstance(operands[0], Call):
            raise BadTemplate(line, "only a function takes arguments")
        return Command(line, tuple(operands))

    def _operand(self, depth: int) -> Operand | None:
        token = self._peek()
        if token.kind == "end" or (token.kind == "sign" and token.value != "("):
            return None
        self._next()
        if token.kind in {"string", "number"}:
            return Literal(token.value)
        if token.kind == "field":
            return Dot(tuple(filter(None, token.value.split("."))))
        if token.kind == "variable":
            name, *names = token.value[1:].split(".")
            self._known(name, token.line)
            return Variable(name, tuple(names))
        if token.kind == "sign":
            return self._group(depth)
        if token.value in _CONSTANTS:
            return Literal(_CONSTANTS[token.value])
        self._check(token.line, token.value)
        return Call(token.value)

    def _group(self, depth: int) -> Group:
        pipeline = self._pipeline(depth + 1, declares=False)
        if not self._take(")"):
            raise BadTemplate(self._peek().line, "expected )")
        following = self._peek()
        if following.kind == "field" and following.glued and following.value != ".":
            self._next()
            return Group(pipeline, tuple(filter(None, following.value.split("."))))
        return Group(pipeline, ())

    def _known(self, name: str, line: int) -> None:
        if not any(name in scope for scope in self._scopes):
            raise BadTemplate(line, f"the variable ${name} is not set before")

    def _peek(self) -> Token:
        return self._tokens[-1]

    def _next(self) -> Token:
        return self._tokens.pop()

    def _take(self, sign: str) -> bool:
        token = self._peek()
        if token.kind == "sign" and token.value == sign:
            self._next()
            return True
        return False

    def _close(self) -> None:
        token = self._peek()
        if token.kind != "end":
            raise BadTemplate(token.line, "expected the end of the action here")
