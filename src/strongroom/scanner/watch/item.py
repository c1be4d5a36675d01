"""The words of this room: what a feed lists, and the one method that a feed has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Protocol

from strongroom.scanner.watch.visits import Visits

LONGEST_NAME = 300
"""Characters that are kept of a title or a name."""
LONGEST_ADDRESS = 4096
LONGEST_TEXT = 1 << 20
"""Characters that are kept of what a listing itself shows of an item; whoever lists more than that is read no further."""

Cursor = Mapping[str, str]
"""Where a feed was: its own words, which nobody else reads. Empty before the first time."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a feed lists.

    `id` tells it from all others of its feed, in this version of it: a text that was changed has another id. `form` says how it
    is opened (see `forms`). `place` is the address that a report shows; `address` is the one that is read, if there is one,
    and `instead` the one that is read where nothing is at `address`. `text` is what the listing itself shows.
    """

    id: str
    form: str
    place: str
    address: str = ""
    instead: str = ""
    text: str = ""
    title: str = ""
    author: str = ""
    time: str = ""
    commit: str = ""

    def clipped(self) -> Item:
        """The same with everything no longer than it may be: it came from somebody else, and is about to be kept."""
        return replace(
            self,
            id=self.id[:LONGEST_ADDRESS],
            place=self.place[:LONGEST_ADDRESS],
            # The beginning of an address is another one.
            address=self.address if len(self.address) <= LONGEST_ADDRESS else "",
            instead=self.instead if len(self.instead) <= LONGEST_ADDRESS else "",
            text=self.text[:LONGEST_TEXT],
            title=self.title[:LONGEST_NAME],
            author=self.author[:LONGEST_NAME],
            time=self.time[:LONGEST_NAME],
            commit=self.commit[:LONGEST_NAME],
        )

    def values(self) -> dict[str, str]:
        """As plain values; what is empty is left out."""
        return {name: value for name, value in asdict(self).items() if value}


def item_of(values: Mapping[str, Any]) -> Item:
    """The item that `values()` gave. Raises ValueError if it did not."""
    names = {field.name for field in fields(Item)}
    if not {"id", "form", "place"} <= values.keys() <= names or not all(
        isinstance(one, str) for one in values.values()
    ):
        raise ValueError("no item")
    return Item(**values)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a feed lists now, newest first, and where to go on."""

    items: tuple[Item, ...]
    cursor: Cursor
    interval: float = 0.0
    """Seconds that the other side wants between two questions, at least."""
    has_gap: bool = False
    """There was more since the cursor than may be listed at once."""
    overlaps: bool = True
    """Two listings in a row have something in common, unless something came and went in between."""


class Feed(Protocol):
    """A plug: one kind of public place."""

    def poll(self, visits: Visits, cursor: Cursor) -> Listing:
        """What is there, from `cursor` on. It may list again what it listed before. Raises FeedFailed."""
        ...
