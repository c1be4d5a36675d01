"""Every object of a store, once: which there are, and what they hold, in the order in which packs have them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from strongroom.scanner.containers import Limits, expand_stream
from strongroom.scanner.containers.limits import TOO_LARGE
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.sources.git_command import Git, GitFailed

_CHUNK_OBJECTS = 256
# Two chunks of ids fit in a pipe, whatever the hash: else git and we could each wait for the other to read.
_CHUNK_BYTES = 8 << 20
WHOLE_BYTES = 16 << 20
_AHEAD = 2
"""Chunks that are asked for before the first is read, so that git never waits."""

COMMIT_PATH = "<commit message>"
TAG_PATH = "<tag message>"


@dataclass(slots=True)
class Inventory:
    """What a store has: ids in chunks that a worker takes at a time, and the commits among them."""

    chunks: list[bytes] = field(default_factory=list)
    id_bytes: int = 20
    count: int = 0
    damaged: list[str] = field(default_factory=list)
    """Objects that are there, and that git cannot make sense of."""

    @classmethod
    def of(cls, git: Git, skip: Callable[[str], bool]) -> Inventory:
        """Lists the store of `git`, without trees, and without the ids for which `skip` is true."""
        entries = git.lines(
            "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname) %(objecttype) %(objectsize)"
        )
        damaged: list[str] = []
        found = cls.listed(_parsed(entries, damaged), skip)
        found.damaged = damaged
        return found

    @classmethod
    def of_ids(cls, git: Git, ids: Iterable[str], skip: Callable[[str], bool]) -> Inventory:
        """Lists these objects, as far as the store has them."""
        given = [name.encode() for name in ids]
        if not given:
            return cls()
        entries = git.lines("cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", given=given)
        return cls.listed(_parsed(entries, []), skip)

    @classmethod
    def listed(cls, entries: Iterable[tuple[str, str, int]], skip: Callable[[str], bool]) -> Inventory:
        """An inventory of these objects: id, type, size."""
        found = cls()
        ids: list[str] = []
        size = 0
        for name, kind, length in entries:
            if kind == "tree" or skip(name):
                continue
            ids.append(name)
            size += length
            if len(ids) >= _CHUNK_OBJECTS or size >= _CHUNK_BYTES:
                found.add(ids)
                ids, size = [], 0
        found.add(ids)
        return found

    def add(self, ids: list[str]) -> None:
        """One more chunk."""
        if ids:
            self.id_bytes = len(ids[0]) // 2
            self.chunks.append(bytes.fromhex("".join(ids)))
            self.count += len(ids)

    def all_ids(self) -> Iterator[bytes]:
        """Every id, as bytes."""
        width = self.id_bytes
        for chunk in self.chunks:
            yield from (chunk[start : start + width] for start in range(0, len(chunk), width))

    def leave_out(self, known: Container[str]) -> int:
        """Drop the ids in `known`, and say how many those are."""
        before = self.count
        left = [[name for name in self.ids(chunk) if name not in known] for chunk in self.chunks]
        self.chunks, self.count = [], 0
        for ids in left:
            self.add(ids)
        return before - self.count

    def ids(self, chunk: bytes) -> list[str]:
        """The ids of a chunk, in hex."""
        width = self.id_bytes * 2
        digits = chunk.hex()
        return [digits[start : start + width] for start in range(0, len(digits), width)]


def _parsed(lines: Iterable[bytes], damaged: list[str]) -> Iterator[tuple[str, str, int]]:
    for line in lines:
        fields = line.decode("ascii").split(" ")
        if len(fields) == 3:
            yield fields[0], fields[1], int(fields[2])
        else:
            damaged.append(fields[0])


def read_objects(git: Git, inventory: Inventory, share: Share, limits: Limits, report: Report) -> Iterator[Fragment]:
    """The contents of the chunks that fall to `share`. An object that cannot be read is reported, and the rest goes on."""
    chunks = share.claim(inventory.chunks)
    while True:
        asked: deque[str] = deque()
        try:
            yield from _batch(git, inventory, chunks, asked, limits, report)
        except GitFailed:
            # git gives up at an object that is damaged: it was asked for, and is at the head of what it did not answer.
            damaged = asked.popleft() if asked else ""
            report(Problem(f"<object {damaged[:12]}>", "not read: git could not read this object, it is damaged"))
            if not damaged:
                return
            yield from _rest(git, list(asked), limits, report)
            continue
        return


def _batch(
    git: Git, inventory: Inventory, chunks: Iterator[bytes], asked: deque[str], limits: Limits, report: Report
) -> Iterator[Fragment]:
    with git.talking("cat-file", "--batch") as (questions, answers):
        waiting: deque[int] = deque()
        while True:
            while len(waiting) < _AHEAD and (chunk := next(chunks, None)) is not None:
                ids = inventory.ids(chunk)
                asked.extend(ids)
                waiting.append(len(ids))
                _ask(questions, ids)
            if not waiting:
                return
            for _ in range(waiting.popleft()):
                yield from _answer(answers, limits, report)
                asked.popleft()


def _rest(git: Git, ids: Sequence[str], limits: Limits, report: Report) -> Iterator[Fragment]:
    """The objects that were asked for when git gave up, each by itself where it must be."""
    left = deque(ids)
    while left:
        try:
            with git.talking("cat-file", "--batch") as (questions, answers):
                while left:
                    _ask(questions, [left[0]])
                    yield from _answer(answers, limits, report)
                    left.popleft()
        except GitFailed:
            damaged = left.popleft()
            report(Problem(f"<object {damaged[:12]}>", "not read: git could not read this object, it is damaged"))


def _ask(questions: IO[bytes], ids: Sequence[str]) -> None:
    try:
        questions.write("".join(f"{name}\n" for name in ids).encode())
        questions.flush()
    except OSError:
        return  # it has ended: the answer that is missing says so


def _answer(answers: IO[bytes], limits: Limits, report: Report) -> Iterator[Fragment]:
    header = answers.readline().decode("ascii", "replace").split()
    if len(header) == 2 and header[1] == "missing":
        report(Problem(f"<object {header[0][:12]}>", "not read: the repository does not have this object"))
        return
    if len(header) != 3:
        raise GitFailed("git cat-file ended too early")
    name, kind, size = header[0], header[1], int(header[2])
    if size > WHOLE_BYTES or limits.leaves_out(size):
        content = Content(answers, size)
        if limits.leaves_out(size):
            report(Problem(object_path(kind, name), TOO_LARGE, is_note=True))
        else:
            yield from expand_stream(object_path(kind, name), content, limits, report, name)
        content.finish()
        return
    data = answers.read(size)
    if len(data) != size or answers.read(1) != b"\n":
        raise GitFailed("git cat-file ended too early")
    yield from fragments_of(kind, name, data)


def object_path(kind: str, name: str) -> str:
    """What is shown for an object as long as its place is not known, or if it has none."""
    return {"commit": COMMIT_PATH, "tag": TAG_PATH}.get(kind, f"<{kind} {name[:12]}>")


def fragments_of(kind: str, name: str, data: bytes) -> Iterator[Fragment]:
    """An object's content. Of a commit and a tag, the message is by itself, so that its lines count from 1."""
    if kind in {"commit", "tag"}:
        header, _, message = data.partition(b"\n\n")
        yield Fragment(object_path(kind, name), message, 1, name)
        yield Fragment(f"<{kind} header>", header, 1, name)
    elif kind != "tree":
        yield Fragment(object_path(kind, name), data, 1, name)


class Content:
    """The bytes of one large object in git's answer."""

    def __init__(self, answers: IO[bytes], size: int) -> None:
        self._answers = answers
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes of the object."""
        wanted = min(self._left, size if size >= 0 else 1 << 20)
        part = self._answers.read(wanted) if wanted else b""
        if len(part) != wanted:
            raise GitFailed("git cat-file ended too early")
        self._left -= len(part)
        return part

    def finish(self) -> None:
        """Reads on to the end of the object."""
        while self._left:
            self.read()
        if self._answers.read(1) != b"\n":
            raise GitFailed("git cat-file ended too early")
