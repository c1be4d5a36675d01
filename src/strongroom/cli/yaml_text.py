"""A small YAML writer for JSON values, laid out as Go's: sorted keys, block style.

Text is quoted wherever a reader could take it for a number, a boolean, a date or syntax. Only writing, only JSON's types: so no YAML library has to be trusted or loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from strongroom.client.exact_json import ExactFloat, text_of

# Text that a YAML reader (1.1 or 1.2) would not take for text.
_AMBIGUOUS = re.compile(
    r"y|n|yes|no|on|off|true|false|null|~|<<|=|[-+]?\.inf|\.nan"
    r"|[-+]?[0-9][0-9_,:]*\.?[0-9_]*(?:e[-+]?[0-9]+)?|[-+]?\.[0-9][0-9_]*(?:e[-+]?[0-9]+)?"
    r"|0x[0-9a-f_]+|0b[01_]+|0o[0-7_]+|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*",
    re.IGNORECASE | re.DOTALL,
)
_UNSAFE_START = frozenset("-?:,[]{}#&*!|>'\"%@` \t")


def encode(value: Any) -> str:
    """``value`` as a YAML document, without a final newline."""
    return "\n".join(_lines(value, "")) if _is_block(value) else _scalar(value, "  ")


def _is_block(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and bool(value)


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name in sorted(value):
            member = value[name]
            # Go's writer keeps a list at the level of its key.
            deeper = indent if isinstance(member, list | tuple) else indent + "  "
            yield from _entry(f"{indent}{_text(str(name), None)}:", member, deeper, indent)
        return
    for item in value:
        if _is_block(item):
            first, *rest = _lines(item, indent + "  ")
            yield f"{indent}- {first.removeprefix(indent + '  ')}"
            yield from rest
        else:
            yield f"{indent}- {_scalar(item, indent + '  ')}"


def _entry(label: str, member: Any, deeper: str, indent: str) -> Iterator[str]:
    if _is_block(member):
        yield label
        yield from _lines(member, deeper)
    else:
        yield f"{label} {_scalar(member, indent + '  ')}"


def _scalar(value: Any, indent: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, ExactFloat):
        return value.text
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    return _text(value, indent) if isinstance(value, str) else str(value)


def _text(text: str, indent: str | None) -> str:
    """``text`` plain, in quotes, or (where ``indent`` says how deep) as a block of lines."""
    if indent is not None and "\n" in text and _fits_in_a_block(text):
        return _block(text, indent)
    if not text.isprintable() or _AMBIGUOUS.fullmatch(text) or text == "":
        return text_of(text) if text.isprintable() else _escaped(text)
    if text[0] in _UNSAFE_START or text[-1] in " \t:" or ": " in text or " #" in text:
        return "'" + text.replace("'", "''") + "'"
    return text


def _fits_in_a_block(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n")) and text[0] not in " \n" and text.strip("\n") != ""


def _block(text: str, indent: str) -> str:
    body = text.rstrip("\n")
    trailing = len(text) - len(body)
    mark = "|-" if trailing == 0 else "|" if trailing == 1 else "|+"
    lines = body.split("\n") + [""] * max(trailing - 1, 0)
    return mark + "".join(f"\n{indent}{line}" if line else "\n" for line in lines)


def _escaped(text: str) -> str:
    """``text`` in double quotes, with everything that cannot be printed written as an escape."""
    quoted = text_of(text)
    return "".join(letter if letter.isprintable() else _escape(ord(letter)) for letter in quoted)


def _escape(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
