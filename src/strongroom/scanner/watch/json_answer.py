"""JSON of others: read within bounds, and asked for what it should be, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from strongroom.scanner.watch.failures import FeedFailed


def parse(body: bytes) -> Any:
    """The value of an answer. Raises FeedFailed for what is no JSON, or nested without end."""
    try:
        value = json.loads(body)
        if body.isascii() and b"\\u" not in body:
            return value
        # Half a pair of surrogates can be written in JSON, and is no text: no name with one could be written down or compared.
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError, MemoryError):
        raise FeedFailed("the answer is not JSON") from None


def objects(value: Any, what: str) -> list[dict[str, Any]]:
    """`value` as a list of objects; members that are none are left out. Raises FeedFailed if it is no list."""
    if not isinstance(value, list):
        raise FeedFailed(f"the answer is no list of {what}")
    return [one for one in value if isinstance(one, dict)]


def text(value: Any, *path: str) -> str:
    """The text, or the number as text, at `path` within objects; empty where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def texts_in(value: Any, left: int = 200_000) -> Iterator[str]:
    """Every text within `value` that has a line or more to say, without recursion."""
    waiting = [value]
    while waiting and left > 0:
        left -= 1
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += reversed(one.values())
        elif isinstance(one, list):
            waiting += reversed(one)
        elif isinstance(one, str) and one.strip():
            yield one
