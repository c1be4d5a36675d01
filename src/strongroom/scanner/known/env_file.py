"""Values from a file of assignments, as `.env` files are written."""

from __future__ import annotations

import re
from collections.abc import Iterator

LARGEST = 1024 * 1024
"""Bytes of the largest file that is read."""
_ASSIGNMENT = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]{0,200})[ \t]*=[ \t]*"
    r"(?:'(?P<single>[^']{0,65536})'|\"(?P<double>(?:[^\"\\]|\\.){0,65536}+)\"|(?P<bare>[^\n]{0,65536}))",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"[ \t]+#.*")


def assignments(text: str) -> Iterator[tuple[str, bytes]]:
    """Each name in `text` with its value. Escapes are left as they are: a value has that form, and the one without them."""
    for found in _ASSIGNMENT.finditer(text):
        value = found["single"]
        if value is None:
            value = found["double"]
        if value is None:
            value = _COMMENT.sub("", found["bare"]).strip()
        if value:
            yield found["name"], value.encode("utf-8", "surrogateescape")
