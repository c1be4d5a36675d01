"""Files of which the most was never written."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scanner.hiding.repositories import number_of
from tests.scanner.hiding.searching import search

from strongroom.scanner.containers.holes import without_holes
from strongroom.scanner.problem import Problem
from strongroom.scanner.sources.directory import Directory

LONGEST = 1 << 42


def made(path: Path, *pieces: tuple[int, bytes], size: int = 0) -> Path:
    """A file with these pieces at these places, and holes between them."""
    with path.open("wb") as file:
        for place, piece in pieces:
            file.seek(place)
            file.write(piece)
        if size:
            file.truncate(size)
    return path


def read(path: Path, size: int = 1000) -> bytes:
    with path.open("rb", buffering=0) as file:
        stream = without_holes(file)
        return b"".join(iter(lambda: stream.read(size), b""))


def test_what_is_written_far_apart_is_read_and_nothing_else(tmp_path: Path) -> None:
    path = made(tmp_path / "f", (0, b"first"), (1 << 40, b"middle"), (LONGEST - 8192, b"last"), size=LONGEST)
    data = read(path)
    assert data.replace(b"\0", b"") == b"firstmiddlelast"
    assert b"firstmiddle" not in data
    assert len(data) < 64 << 10


def test_a_file_without_holes_and_what_is_no_file_are_read_as_they_are(tmp_path: Path) -> None:
    assert read(made(tmp_path / "f", (0, b"x" * 10_000))) == b"x" * 10_000
    assert without_holes(io.BytesIO(b"some")).read() == b"some"


def test_a_file_that_is_one_hole_holds_nothing(tmp_path: Path) -> None:
    assert read(made(tmp_path / "f", size=LONGEST)) == b""


def test_where_the_system_knows_no_holes_all_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> int:
        raise OSError(22, "no such way to seek")

    path = made(tmp_path / "f", (100_000, b"last"))
    monkeypatch.setattr(os, "lseek", unknown)
    assert read(path) == bytes(100_000) + b"last"


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(0, 60), st.binary(min_size=1, max_size=4096), max_size=8), st.integers(1, 9000))
def test_every_byte_that_was_written_is_read_in_its_order(
    tmp_path_factory: pytest.TempPathFactory, pieces: dict[int, bytes], size: int
) -> None:
    path = made(tmp_path_factory.mktemp("f") / "f", *((at * 16_384, piece) for at, piece in sorted(pieces.items())))
    written = b"".join(piece for _, piece in sorted(pieces.items()))
    assert read(path, size).replace(b"\0", b"") == written.replace(b"\0", b"")


def test_a_folder_with_an_endless_file_is_scanned_to_its_end(tmp_path: Path) -> None:
    token = number_of("behind")
    made(tmp_path / "lastlog", (0, b"a\n"), (1 << 41, b"\nkey " + token + b"\n"), size=LONGEST)
    problems: list[Problem] = []
    found = search(Directory(str(tmp_path), problems.append), problems)
    assert found.places(token) == {("lastlog", 3)}
