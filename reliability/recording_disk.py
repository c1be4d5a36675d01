"""A file layer for SQLite that remembers every change, and the disks that a loss of power could leave behind.

What was synced is on the disk. Of what was not, each of the modes keeps another part: a disk may write in any order, and in parts of 512
bytes. Names of files are treated as SQLite treats them: a file that was synced once is there, and what was deleted may come back unless
the deletion was synced.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import apsw

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at a place of a file."""

    name: str
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file got another size."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """All of a file's changes are on the disk."""

    name: str


@dataclass(frozen=True, slots=True)
class Delete:
    """A file is gone; for good if ``synced``."""

    name: str
    synced: bool


Operation = Write | Cut | Sync | Delete


class RecordedFile(apsw.VFSFile):
    """A file whose changes are noted."""

    def __init__(self, disk: RecordingDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._name = Path(path).name if path else ""

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- the layer's name for it
        """Note a write."""
        super().xWrite(data, offset)
        self._disk.note(Write(self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 -- the layer's name for it
        """Note a new size."""
        super().xTruncate(newsize)
        self._disk.note(Cut(self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802 -- the layer's name for it
        """Note a sync."""
        super().xSync(flags)
        self._disk.note(Sync(self._name))


class RecordingDisk(apsw.VFS):
    """The layer ``name``: hands everything to the usual one, and keeps ``operations``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.operations: list[Operation] = []
        super().__init__(name, "")

    def note(self, operation: Operation) -> None:
        """Remember a change."""
        self.operations.append(operation)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> RecordedFile:  # noqa: N802 -- as above
        """Open a file."""
        return RecordedFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001 -- as above
        """Note a deletion."""
        super().xDelete(filename, syncdir)
        self.note(Delete(Path(filename).name, syncdir))


class Loss(Enum):
    """What becomes of the changes that were not synced when the power went."""

    NONE = "all of them are kept (a kill, no loss of power)"
    ALL = "all of them are lost"
    SOME = "each is kept or lost by itself"
    SECTORS = "each sector of each is kept or lost by itself"
    TORN = "all are kept, but the last is torn at a sector"


@dataclass
class Disk:
    """What is on the disk for certain, and what is under way to it."""

    files: dict[str, bytearray] = field(default_factory=dict)
    pending: list[Operation] = field(default_factory=list)

    def apply(self, operation: Operation) -> None:
        """Go on to the next change."""
        if isinstance(operation, Sync):
            mine = [one for one in self.pending if one.name == operation.name]
            self.pending = [one for one in self.pending if one.name != operation.name]
            _apply(self.files, mine)
            self.files.setdefault(operation.name, bytearray())
        elif isinstance(operation, Delete) and operation.synced:
            self.pending = [one for one in self.pending if one.name != operation.name]
            self.files.pop(operation.name, None)
        else:
            self.pending.append(operation)

    def after(self, loss: Loss, chance: random.Random) -> dict[str, bytearray]:
        """A disk that the loss of power could leave behind."""
        files = {name: bytearray(content) for name, content in self.files.items()}
        _apply(files, _SURVIVORS[loss](self.pending, chance))
        return files


def _apply(files: dict[str, bytearray], operations: Sequence[Operation]) -> None:
    for operation in operations:
        if isinstance(operation, Delete):
            files.pop(operation.name, None)
            continue
        content = files.setdefault(operation.name, bytearray())
        if isinstance(operation, Write):
            missing = operation.offset - len(content)
            if missing > 0:
                content.extend(bytes(missing))
            content[operation.offset : operation.offset + len(operation.content)] = operation.content
        elif isinstance(operation, Cut):
            del content[operation.size :]
            content.extend(bytes(operation.size - len(content)))


def _some(pending: Sequence[Operation], chance: random.Random) -> list[Operation]:
    return [one for one in pending if chance.random() < 0.5]


def _sectors(pending: Sequence[Operation], chance: random.Random) -> list[Operation]:
    return [part for one in pending for part in _parts(one) if chance.random() < 0.5]


def _torn(pending: Sequence[Operation], chance: random.Random) -> list[Operation]:
    if not pending or not isinstance(pending[-1], Write):
        return list(pending)
    parts = list(_parts(pending[-1]))
    return [*pending[:-1], *parts[: chance.randrange(len(parts) + 1)]]


def _parts(operation: Operation) -> Iterator[Operation]:
    if not isinstance(operation, Write):
        yield operation
        return
    start, end = operation.offset, operation.offset + len(operation.content)
    while start < end:
        following = min(end, (start // SECTOR + 1) * SECTOR)
        yield Write(operation.name, start, operation.content[start - operation.offset : following - operation.offset])
        start = following


_SURVIVORS: dict[Loss, Callable[[Sequence[Operation], random.Random], Sequence[Operation]]] = {
    Loss.NONE: lambda pending, _: pending,
    Loss.ALL: lambda *_: (),
    Loss.SOME: _some,
    Loss.SECTORS: _sectors,
    Loss.TORN: _torn,
}
