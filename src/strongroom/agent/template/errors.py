"""What can be wrong with a template, as its author reads it. No text holds a value."""

from __future__ import annotations


class TemplateError(Exception):
    """Root of the tree. ``line`` counts from 1; 0 where none is known."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}" if line else text)
        self.line = line


class BadTemplate(TemplateError):
    """The text is no template of ours: it can never be rendered."""


class CannotRender(TemplateError):
    """The template and the values do not go together: a key is missing, a kind is wrong, a limit was reached."""
