"""Reads RSS and Atom. A document type is refused, so there are no entities to expand and nothing to fetch; depth, entries and lengths are bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from strongroom.scanner.watch.failures import FeedFailed

MOST_ENTRIES = 2000
_DEEPEST = 64
_LONGEST = 1 << 20
"""Characters of one entry that are kept."""
_ENTRIES = frozenset({"item", "entry"})
_CONTENT = frozenset({"description", "content", "encoded", "summary"})
_TIMES = ("updated", "pubdate", "date", "published")


@dataclass(slots=True)
class Entry:
    """One entry: what it is known by, where it leads, what it says."""

    id: str = ""
    link: str = ""
    title: str = ""
    author: str = ""
    time: str = ""
    content: str = ""


def entries_of(document: bytes) -> list[Entry]:
    """The entries of a feed, in its order. Raises FeedFailed for what is none, or tries something."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_types
    parser.EntityDeclHandler = _refuse_types
    parser.ExternalEntityRefHandler = None
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError, LookupError, RecursionError):
        raise FeedFailed("the answer is no RSS and no Atom that can be read") from None
    if not reader.is_feed:
        raise FeedFailed("the answer is neither RSS nor Atom")
    return reader.entries


def _refuse_types(*_: object) -> None:
    raise FeedFailed("its feed declares a document type, which no feed needs: it is not read")


@dataclass(slots=True)
class _Reader:
    """Hears the parser. Elements are known by their local names, which are the same in all three formats."""

    entries: list[Entry] = field(default_factory=list)
    is_feed: bool = False
    _path: list[str] = field(default_factory=list)
    _entry: Entry | None = None
    _entry_depth: int = 0
    _text: list[str] = field(default_factory=list)
    _length: int = 0
    _times: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2].lower()
        self._path.append(local)
        if len(self._path) > _DEEPEST:
            raise FeedFailed("its feed is nested without end: it is not read")
        if len(self._path) == 1:
            self.is_feed = local in {"rss", "feed", "rdf"}
        if self._entry is None and local in _ENTRIES and len(self.entries) < MOST_ENTRIES:
            self._entry, self._entry_depth, self._length, self._times = Entry(), len(self._path), 0, {}
        elif self._entry is not None:
            if len(self._path) == self._entry_depth + 1:
                self._text = []
            if local == "link" and "href" in attributes:
                self._link(attributes)

    def text(self, data: str) -> None:
        if self._entry is not None and self._length < _LONGEST:
            self._text.append(data[: _LONGEST - self._length])
            self._length += len(data)

    def end(self, _name: str) -> None:
        depth, local = len(self._path), self._path.pop()
        entry = self._entry
        if entry is None:
            return
        if depth == self._entry_depth:
            entry.time = next((self._times[name] for name in _TIMES if name in self._times), "")
            self.entries.append(entry)
            self._entry = None
        elif depth == self._entry_depth + 1:
            self._take(entry, local, "".join(self._text).strip())
            self._text = []
        elif depth == self._entry_depth + 2 and self._path[-1] == "author" and local == "name":
            entry.author = "".join(self._text).strip()
            self._text = []
        else:
            self._text.append("\n")  # markup within the text parts its words

    def _take(self, entry: Entry, local: str, text: str) -> None:
        if local in _CONTENT:
            entry.content = f"{entry.content}\n{text}" if entry.content else text
        elif local in _TIMES:
            self._times.setdefault(local, text)
        elif local in _FIELDS and text:
            _FIELDS[local](entry, text)

    def _link(self, attributes: dict[str, str]) -> None:
        if self._entry is not None and (not self._entry.link or attributes.get("rel", "alternate") == "alternate"):
            self._entry.link = attributes["href"]


def _setter(name: str) -> Callable[[Entry, str], None]:
    def put(entry: Entry, text: str) -> None:
        if not getattr(entry, name):
            setattr(entry, name, text)

    return put


_FIELDS = {
    "guid": _setter("id"),
    "id": _setter("id"),
    "link": _setter("link"),
    "title": _setter("title"),
    "author": _setter("author"),
    "creator": _setter("author"),
}
