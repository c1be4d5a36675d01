"""Files with references in them, to be filled: pure, over texts.

    password: {{ sr://production/app#DB_PASSWORD }}
    config: {{ sr:///app#CONFIG | json }}
    DB_PASSWORD=sr:///app#DB_PASSWORD

A reference in double braces may stand anywhere; a bare one must be a whole value: after the start of a line, a space, ``=`` or
a quote, and before the end of a line, a space, a comma or a quote. Other double braces are left alone, since they belong to other
tools. What is filled in is never looked at again.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import NamedTuple

from strongroom.delivery.reference import BadReference, Reference, parse

_BRACED = re.compile(r"\{\{-?\s*(sr://[^\s|}]*)\s*(?:\|\s*([^\s}]*)\s*)?-?\}\}")
_BARE = re.compile(r"""(?<![^\s='"])sr://[^\s'",]+(?![^\s'",])""")
_MARK = "sr://"


class BadTemplate(Exception):
    """A template that cannot be filled. Names the line."""


class Hole(NamedTuple):
    """A place to fill: on which line, with which value, in which form (``""`` for as it is)."""

    line: int
    reference: Reference
    form: str


Piece = str | Hole


def pieces(text: str) -> list[Piece]:
    """``text`` as what stands between the holes, and the holes. Raises BadTemplate."""
    found: list[Piece] = []
    at = 0
    while (start := text.find(_MARK, at)) >= 0:
        match = _match_at(text, start)
        line = text.count("\n", 0, start) + 1
        if match is None:
            raise BadTemplate(
                f"line {line}: a reference within a word or without an end; "
                "write it in double braces, as in {{ sr://ENV/PATH#KEY }}"
            )
        found.append(text[at : match.start()])
        found.append(_hole(match, line))
        at = match.end()
    found.append(text[at:])
    return found


def fill(parts: list[Piece], value_of: Callable[[Hole], str]) -> str:
    """The text with every hole filled, in its form."""
    return "".join(part if isinstance(part, str) else FORMS[part.form](value_of(part)) for part in parts)


def _match_at(text: str, start: int) -> re.Match[str] | None:
    opening = text.rfind("{{", 0, start)
    if opening >= 0 and (braced := _BRACED.match(text, opening)) and braced.start(1) == start:
        return braced
    before = text[:start].rstrip()
    return None if before.endswith(("{{", "{{-")) else _BARE.match(text, start)


def _hole(match: re.Match[str], line: int) -> Hole:
    is_braced = match.re is _BRACED
    form = (match[2] or "") if is_braced else ""
    if form not in FORMS:
        raise BadTemplate(f"line {line}: a value can be written as {', '.join(filter(None, FORMS))}, or as it is")
    try:
        reference = parse(match[1] if is_braced else match[0])
    except BadReference as error:
        raise BadTemplate(f"line {line}: {error}") from None
    if not reference.key:
        raise BadTemplate(f"line {line}: {reference} names no key; put #KEY after the path")
    return Hole(line, reference, form)


def _as_json(value: str) -> str:
    import json

    return json.dumps(value)


def _for_a_shell(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


FORMS: dict[str, Callable[[str], str]] = {
    "": str,
    "base64": lambda value: base64.b64encode(value.encode("utf-8", "surrogatepass")).decode(),
    "json": _as_json,
    "shell": _for_a_shell,
}
"""How a value may be written, by the word after ``|``."""
