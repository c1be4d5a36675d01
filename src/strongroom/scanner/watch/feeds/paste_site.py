"""A paste site without an API: a page that links to the newest pastes, a pattern that finds the links, and where the bare text of each is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, urljoin

from strongroom.scanner.regex import compile_regex
from strongroom.scanner.watch.feeds.pages import Pages
from strongroom.scanner.watch.item import Cursor, Item, Listing
from strongroom.scanner.watch.visits import Visits

MOST_LINKS = 2000
"""Pastes that are taken from one page."""


@dataclass(frozen=True, slots=True)
class PasteSite:
    """The page at `address`. `pattern` (RE2) has a group `id`; `raw` is the address of a paste, with `{id}` in the place of that."""

    address: str
    pages: int
    pattern: str
    raw: str

    def poll(self, visits: Visits, cursor: Cursor) -> Listing:
        """Every paste that the page links to, in its order."""
        pages = Pages(visits, self.address, self.pages, "text/html, */*;q=0.5", cursor)
        found: dict[str, Item] = {}
        for page in pages:
            for name in self._names(page.body):
                if len(found) < MOST_LINKS:
                    address = urljoin(self.address, self.raw.replace("{id}", quote(name, safe="")))
                    found.setdefault(name, Item(f"paste {name}", "page", address, address, title=name))
        return replace(pages.listing(found.values()), has_gap=len(found) >= MOST_LINKS)

    def _names(self, body: bytes) -> Iterator[str]:
        regex = compile_regex(self.pattern)
        group = regex.groupindex[b"id"]
        for match in regex.finditer(body):
            start, end = match.span(group)
            if start < end:
                yield body[start:end].decode("utf-8", "replace")
