"""Where a source's fragments hold a token, without a scan: what a source is asked here is which lines it yields, and as what."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.scanner.hiding.repositories import Builder, number_of, start

from strongroom.scanner.fragment import Fragment, Source, Whole


def copy_of(first: Builder, folder: Path) -> Builder:
    """A repository of its own with what `first` has: making one takes longer."""
    shutil.copytree(first.root, folder, symlinks=True)
    return Builder(folder, days=first.days)


def repository(folder: Path) -> Builder:
    return start(folder)


def places(source: Source, hiding: str) -> set[tuple[str, int]]:
    """Path and line of each place where the token of `hiding` stands on a line that counts."""
    token = number_of(hiding)
    found = ((one, line_in(one, token)) for one in source.fragments(Whole()) if token in one.data)
    return {(one.path, line) for one, line in found if counts(one, line)}


def counts(fragment: Fragment, line: int) -> bool:
    """Whether what stands on this line of the file counts."""
    return fragment.fresh is None or any(first <= line <= last for first, last in fragment.fresh)


def line_in(fragment: Fragment, token: bytes) -> int:
    """The line of `token` in the file that the fragment is a part of."""
    return fragment.line + fragment.data.count(b"\n", 0, fragment.data.index(token))


def paths(source: Source) -> set[str]:
    return {fragment.path for fragment in source.fragments(Whole())}
