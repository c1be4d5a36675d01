"""The words of this room: what a container holds, and who opens it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

from strongroom.scanner.containers.limits import Budget, Limits


class Stream(Protocol):
    """Bytes that are read once, from front to end."""

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes; none at the end."""
        ...


class Chained:
    """Bytes that were read already, and the stream that they came from."""

    def __init__(self, head: bytes, stream: Stream) -> None:
        self._head = BytesIO(head)
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes."""
        return self._head.read(size) or self._stream.read(size)


class Seekable(Stream, Protocol):
    """Bytes that can be read from any place."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Goes to a place, and returns it."""
        ...

    def tell(self) -> int:
        """The place that is read next."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One thing in a container: its name, as a label that is used for nothing but reports, and its bytes.

    `is_text` says that these bytes were extracted as text, and are not looked into for further containers.
    """

    name: str
    stream: Stream
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """What an opener may use: the bounds, and a place to say what it could not read."""

    budget: Budget
    complain: Callable[[str], None]

    @property
    def limits(self) -> Limits:
        """The bounds of this walk."""
        return self.budget.limits


Opener = Callable[[Stream, Opening], Iterator[Member]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of container. `begins(head)` tells from the first bytes (4096, or all there are) whether it is one.

    `is_seeked` says that it can only be read as a whole. `hides` says that its own bytes hold nothing readable beyond its
    members, and need no scan of their own once it was opened. `replaces` says that its one member is the same file, written
    otherwise: it keeps the path.
    """

    id: str
    begins: Callable[[bytes], bool]
    open: Opener
    is_seeked: bool = False
    hides: bool = True
    replaces: bool = False


def label(name: str | bytes) -> str:
    """A member's name as a report shows it: text, without control characters, without a way out of its container."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    visible = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text[:1024])
    return visible.lstrip("/") or "-"
