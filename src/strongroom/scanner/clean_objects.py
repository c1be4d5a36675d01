"""Which objects of a repository an earlier scan read and found nothing in, so that the next one reads only what is new.

Ids of clean objects are kept and nothing else: no secret, no place of one. What had a hit or a problem is read again each time, so its findings, its
allowances and its baseline are always those of now. What was kept counts only for the same rules, decoders, weights, level, choice of files and code of
the scanner: all of that is in the name of the file, together with where the repository is. A part of what is kept is as good as all of it, so the size
has a bound.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Protocol, runtime_checkable

from strongroom import __version__
from strongroom.scanner.assembly import Wanted
from strongroom.scanner.cache_file import CacheFile
from strongroom.scanner.problem import Problem

_MAGIC = b"strongroom clean objects 1\n"
_LARGEST = 32 << 20
_MOST_FILES = 64
_NAMED = re.compile(r"(?:[^<]*/)?<(?:blob|object) ([0-9a-f]{12})>.*", re.DOTALL)


@runtime_checkable
class Incremental(Protocol):
    """A source of objects that never change, each known by its id."""

    @property
    def scope(self) -> str:
        """Where it is, and what of it was chosen."""
        ...

    def object_ids(self) -> Iterable[bytes]:
        """The ids of the objects that it will yield, as bytes."""
        ...

    def leave_out(self, known: Container[str]) -> int:
        """Yield none of the objects that are known to be clean; says how many those are."""
        ...


class CleanObjects:
    """The ids that are known to be clean, in one file for each repository and way of scanning."""

    def __init__(self, folder: Path, wanted: Wanted, scope: str) -> None:
        self._folder = folder
        self._file = CacheFile(folder / f"clean-{_name(wanted, scope)}.ids", _MAGIC, _LARGEST)
        payload = self._file.read() or b""
        self._width = payload[0] if payload else 20
        self._ids = payload[1:]
        if self._width not in (20, 32) or len(self._ids) % self._width:
            self._ids = b""

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        wanted = bytes.fromhex(name)
        at = bisect_left(range(len(self)), wanted, key=self._at)
        return at < len(self) and self._at(at) == wanted

    def __len__(self) -> int:
        return len(self._ids) // self._width

    def _at(self, number: int) -> bytes:
        return self._ids[number * self._width : (number + 1) * self._width]

    def add(self, read: Iterable[bytes], with_hits: Iterable[str], problems: Sequence[Problem]) -> None:
        """Keep the ids of what was `read`, except those in which something was found or that could not be read.

        Nothing is added where a problem does not say of which object it is.
        """
        beginnings: set[str] = set()
        for problem in problems:
            if named := _NAMED.fullmatch(problem.path):
                beginnings.add(named[1])
            elif problem.path.startswith("<"):
                return
        dirty = {bytes.fromhex(name) for name in with_hits}
        clean = {name for name in read if name not in dirty and name.hex()[:12] not in beginnings}
        if not clean:
            return
        width = len(next(iter(clean)))
        clean |= {self._at(number) for number in range(len(self)) if self._width == width}
        kept = sorted(name for name in clean if len(name) == width)[: (_LARGEST - 1024) // width]
        self._file.write(bytes([width]) + b"".join(kept))
        self._drop_old_files()

    def _drop_old_files(self) -> None:
        """Keep the files of the repositories that were scanned last."""
        try:
            by_age = sorted(self._folder.glob("clean-*.ids"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
            for path in by_age[_MOST_FILES:]:
                path.unlink()
        except OSError:  # another scan dropped them
            return


def _name(wanted: Wanted, scope: str) -> str:
    """The hash of all that decides whether an object is clean, and of where it is."""
    digest = hashlib.sha256()
    rules = [[_told(getattr(rule, each.name)) for each in fields(rule)] for rule in wanted.rules]
    decoders = [(decoder.id, decoder.gate) for decoder in wanted.decoders]
    parts = (scope, __version__, wanted.level.value, wanted.max_depth, rules, decoders, type(wanted.judge).__name__)
    for part in (*map(repr, parts), *_code()):
        digest.update(len(part).to_bytes(8, "big") + part.encode(errors="surrogateescape"))
    return digest.hexdigest()[:32]


def _told(value: object) -> str:
    return getattr(value, "__qualname__", repr(value))


def _code() -> Iterable[str]:
    """The scanner's own files, by name, size and time: another scanner may find what this one did not."""
    from importlib.resources import files

    root = files("strongroom.scanner")
    if not isinstance(root, Path):
        return
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".json"}:
            status = path.stat()
            yield f"{path.relative_to(root)} {status.st_size} {status.st_mtime_ns}"
