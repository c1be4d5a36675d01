"""A template: checked when it is made, rendered as often as wanted."""

from __future__ import annotations

from collections.abc import Iterable

from strongroom.agent.template.errors import BadTemplate
from strongroom.agent.template.evaluate import Secrets, known_functions, render
from strongroom.agent.template.parser import parse
from strongroom.agent.template.refused import refuse
from strongroom.agent.template.tree import Node


class Template:
    """One template. Raises BadTemplate when it is made of a text that is none of ours."""

    def __init__(
        self,
        source: str,
        *,
        delimiters: tuple[str, str] = ("{{", "}}"),
        strict: bool = False,
        denied: Iterable[str] = (),
    ) -> None:
        callable_here = known_functions()
        denied_here = frozenset(denied)

        def check(line: int, name: str) -> None:
            if name in denied_here:
                raise BadTemplate(line, f"{name} is in function_denylist")
            if name not in callable_here:
                raise refuse(name, line)

        self._tree: tuple[Node, ...] = parse(source, delimiters, check)
        self._strict = strict

    def __repr__(self) -> str:
        return "Template()"

    def render(self, secrets: Secrets) -> str:
        """The text. Raises CannotRender, and what ``secrets`` raises."""
        return render(self._tree, secrets, strict=self._strict)
