"""Walks through the pages of a listing, by the Link header (RFC 8288), and asks only whether the first has changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin

from strongroom.scanner.watch.ask import Answer
from strongroom.scanner.watch.failures import FeedFailed, NotThere
from strongroom.scanner.watch.hosts import parse_address
from strongroom.scanner.watch.item import Cursor, Item, Listing
from strongroom.scanner.watch.pace import interval
from strongroom.scanner.watch.visits import Visits

_LINK = re.compile(r'<([^<>]{1,4096})>((?:\s*;\s*[a-z*]{1,20}\s*=\s*(?:"[^"]{0,200}"|[^\s",;]{1,200})){1,8})')
_NEXT = re.compile(r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![^\s",;]))')
_LONGEST_TAG = 1024


@dataclass(slots=True)
class Pages:
    """The pages from `address` on, at most `most` of them. A listing is taken as a whole or not at all: any page that fails fails it."""

    visits: Visits
    address: str
    most: int
    accept: str = "*/*"
    cursor: Cursor = field(default_factory=dict)
    has_more: bool = False
    interval: float = 0.0

    def __iter__(self) -> Iterator[Answer]:
        """Each page; none if the first has not changed since the cursor."""
        address: str | None = self.address
        for number in range(self.most):
            if address is None:
                return
            tags = self.cursor if number == 0 and self.cursor.get("of") == self.address else {}
            answer = self.visits.ask(address, self.accept, tags.get("etag", ""), tags.get("modified", ""))
            if answer.is_cut:
                raise FeedFailed(f"its listing is longer than {self.visits.most >> 20} MiB")
            if number == 0:
                self.interval = interval(answer.headers, 0.0)
            if answer.status == 304:
                return
            if number == 0:
                self.cursor = {**self.cursor, **_tags(answer), "of": self.address}
            yield answer
            address = following(address, answer.headers.get("link", ""))
        self.has_more = address is not None

    def listing(self, items: Iterable[Item]) -> Listing:
        """What was found on them."""
        return Listing(tuple(items), self.cursor, self.interval)


def _tags(answer: Answer) -> dict[str, str]:
    found = {"etag": answer.headers.get("etag", ""), "modified": answer.headers.get("last-modified", "")}
    return {name: value if len(value) <= _LONGEST_TAG and value.isprintable() else "" for name, value in found.items()}


def following(address: str, link: str) -> str | None:
    """The next page after `address` that a Link header names; None if it names none, or one on another host."""
    for found in _LINK.finditer(link[:65536]):
        if _NEXT.search(found[2]):
            try:
                target = urljoin(address, found[1])
                return target if parse_address(target).origin == parse_address(address).origin else None
            except (ValueError, NotThere):
                return None
    return None
