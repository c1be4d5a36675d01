"""RSS 2.0, RSS 1.0 and Atom: what each entry says, and the page that it leads to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from strongroom.scanner.watch.feed_markup import MOST_ENTRIES, Entry, entries_of
from strongroom.scanner.watch.feeds.pages import Pages
from strongroom.scanner.watch.item import Cursor, Item, Listing
from strongroom.scanner.watch.visits import Visits

_ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class Rss:
    """The feed at `address`. With `follow`, the pages that its entries lead to are read as well."""

    address: str
    pages: int
    follow: bool = True

    def poll(self, visits: Visits, cursor: Cursor) -> Listing:
        """All its entries."""
        pages = Pages(visits, self.address, self.pages, _ACCEPT, cursor)
        entries = [entries_of(page.body) for page in pages]
        listing = pages.listing(item for some in entries for entry in some for item in self._items(entry))
        return replace(listing, has_gap=any(len(some) >= MOST_ENTRIES for some in entries))

    def _items(self, entry: Entry) -> Iterator[Item]:
        link = entry.link or (entry.id if entry.id.startswith(("https://", "http://")) else "")
        place = self._joined(link)
        name = f"{entry.id or place} {entry.time}"
        about = {"title": entry.title, "author": entry.author, "time": entry.time}
        yield Item(f"entry {name}", "text", place, text=f"{entry.title}\n{entry.content}", **about)
        if self.follow and link:
            yield Item(f"page {name}", "page", place, place, **about)

    def _joined(self, link: str) -> str:
        try:
            return urljoin(self.address, link)
        except ValueError:
            return self.address
