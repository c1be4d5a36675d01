"""Output in the form that was asked for: table, JSON, YAML, or one field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from strongroom.cli import secret_view, tables
from strongroom.cli.errors import CommandFailed
from strongroom.cli.go_text import plain
from strongroom.client import exact_json

_FORMATS = frozenset({"table", "json", "yaml", "yml", "raw", "pretty"})
_WARNING_WIDTH = 78


class Printer:
    """Prints data on ``out``. Raises CommandFailed for a format that does not exist or does not fit."""

    def __init__(self, format_name: str, field: str, out: TextIO) -> None:
        self.format = format_name.lower()
        self.field = field
        self._out = out
        if self.format not in _FORMATS:
            raise CommandFailed(f"Invalid output format: {format_name}")

    @property
    def is_table(self) -> bool:
        """Whether a person reads this."""
        return self.format == "table"

    def secret(self, answer: Mapping[str, Any]) -> None:
        """A whole answer, or the field of it that was asked for."""
        if self.field:
            self.one_field(secret_view.field(answer, self.field), "secret")
        elif self.is_table:
            pairs = secret_view.rows(answer)
            if pairs:
                self.text(tables.key_values(pairs))
        else:
            self.data(secret_view.shown(answer))

    def mapping(self, data: Mapping[str, Any]) -> None:
        """A plain object, or the field of it that was asked for."""
        if self.field:
            self.one_field(data.get(self.field), "map")
        elif self.is_table:
            self.text(tables.key_values(tables.mapping_pairs(data)))
        else:
            self.data(data)

    def listing(self, names: Sequence[Any]) -> None:
        """A list of keys."""
        if self.is_table:
            self.text(tables.keys(names))
        else:
            self.data(names)

    def data(self, value: Any) -> None:
        """Any value in a machine-readable format."""
        self.text(self._formatted(value))

    def one_field(self, value: Any, where: str) -> None:
        """One value by itself: bare in the table format, and without a final newline unless a person looks at it."""
        if value is None:
            raise CommandFailed(f'Field "{self.field}" not present in {where}')
        shown = plain(value) if self.is_table else self._formatted(secret_view.ordered(value))
        self.bare(shown if self.format not in {"yaml", "yml"} else shown + "\n")

    def bare(self, text: str) -> None:
        """``text`` without a newline, unless a person looks at it."""
        self._out.write(text + "\n" if self._out.isatty() and not text.endswith("\n") else text)

    def text(self, text: str) -> None:
        """``text`` and a newline."""
        self._out.write(text + "\n")

    def _formatted(self, value: Any) -> str:
        if self.format == "json":
            return exact_json.encode(value, indent=2)
        if self.format in {"yaml", "yml"}:
            from strongroom.cli.yaml_text import encode

            return encode(value)
        if self.format == "raw":
            raise CommandFailed("This command does not support the -format=raw option.")
        raise CommandFailed("Could not parse output: cannot use the pretty formatter for this type")


def warnings_text(answer: Mapping[str, Any] | None) -> str:
    """The server's warnings for a person; ``""`` where there are none."""
    found = (answer or {}).get("warnings") or []
    if not found:
        return ""
    import textwrap

    paragraphs = [
        textwrap.fill(str(text), _WARNING_WIDTH, initial_indent="  * ", subsequent_indent="  ") for text in found
    ]
    return "WARNING! The following warnings were returned from the server:\n\n" + "\n\n".join(paragraphs) + "\n"
