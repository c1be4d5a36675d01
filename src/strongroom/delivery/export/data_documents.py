r"""JSON, YAML, TOML and CSV: every value is text, as a program would get it; the file is ASCII but for CSV.

``json``: one object (RFC 8259). ``yaml``: one mapping of double-quoted scalars, which YAML 1.1 and 1.2 read alike; a key is bare
where no version takes it for anything but text. ``toml``: one table of basic strings (TOML 1.0). ``csv``: RFC 4180, all fields in
quotes, the first row ``name,value``. A spreadsheet runs a field that starts with ``=`` as a formula: ``csv`` is for programs.
"""

from __future__ import annotations

import json
import re

from strongroom.delivery.export.document import Export, escaped, refused

_YAML_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_YAML_KEY_LENGTH_MAX = 1000
"""A key on one line may be 1,024 characters long."""

_TOML_KEY = re.compile(r"[A-Za-z0-9_-]+")


def as_json(export: Export) -> bytes:
    """An object of texts. Raises CannotDeliver."""
    return (json.dumps(dict(export.pairs()), indent=2) + "\n").encode("ascii")


def yaml(export: Export) -> bytes:
    """A mapping of texts. Raises CannotDeliver."""
    return mapping(export.pairs()).encode("ascii")


def mapping(pairs: list[tuple[str, str]], indent: str = "") -> str:
    """``pairs`` as lines of a YAML mapping. Raises CannotDeliver."""
    lines = []
    for name, value in pairs:
        is_plain = _YAML_KEY.fullmatch(name) and name.lower() not in _YAML_WORDS
        key = name if is_plain else escaped(name)
        if len(key) > _YAML_KEY_LENGTH_MAX:
            raise refused(f"{name[:40]!a}…", f"has a key that is longer than {_YAML_KEY_LENGTH_MAX} characters")
        lines.append(f"{indent}{key}: {escaped(value)}\n")
    return "".join(lines) or f"{indent}{{}}\n"


def toml(export: Export) -> bytes:
    """A table of texts. Raises CannotDeliver."""
    lines = [
        f"{name if _TOML_KEY.fullmatch(name) else escaped(name)} = {escaped(value)}\n" for name, value in export.pairs()
    ]
    return "".join(lines).encode("ascii")


def csv(export: Export) -> bytes:
    """Rows of two fields. Raises CannotDeliver."""
    rows = [("name", "value"), *export.pairs()]
    for name, value in rows:
        if "\0" in name + value:
            raise refused(repr(name), "holds a zero byte, which no row of CSV can carry")
    return "".join(f"{_field(name)},{_field(value)}\r\n" for name, value in rows).encode()


def _field(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
