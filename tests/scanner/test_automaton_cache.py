"""The cache of compiled automata: quick when it is whole, harmless when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from strongroom.scanner.automaton import load_automaton
from strongroom.scanner.automaton_cache import default_folder
from strongroom.scanner.expressions import Expression

EXPRESSIONS = [Expression(b"abc+", 8), Expression(rb"x[0-9]{3}", 8)]
DATA = b"-- abcc -- x123 --"


def cached(folder: Path) -> Path:
    (entry,) = folder.iterdir()
    return entry


def test_what_was_compiled_is_found_again_and_says_the_same(tmp_path: Path) -> None:
    first = load_automaton(EXPRESSIONS, tmp_path, print).scan(DATA)
    written = cached(tmp_path).stat().st_mtime_ns
    second = load_automaton(EXPRESSIONS, tmp_path, print).scan(DATA)

    assert first == second
    assert first
    assert cached(tmp_path).stat().st_mtime_ns == written


def test_an_entry_is_for_its_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "strongroom"
    load_automaton(EXPRESSIONS, folder, print)

    assert folder.stat().st_mode & 0o777 == 0o700
    assert cached(folder).stat().st_mode & 0o777 == 0o600


def test_other_expressions_have_another_entry(tmp_path: Path) -> None:
    load_automaton(EXPRESSIONS, tmp_path, print)
    load_automaton(EXPRESSIONS[:1], tmp_path, print)

    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("at", [0, 10, 40, 60, 500, -1])
def test_a_damaged_entry_is_compiled_again(tmp_path: Path, at: int) -> None:
    load_automaton(EXPRESSIONS, tmp_path, print)
    path = cached(tmp_path)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)

    assert load_automaton(EXPRESSIONS, tmp_path, print).scan(DATA)
    assert path.read_bytes() != bytes(content)


@pytest.mark.parametrize("length", [0, 5, 30, 60, 1000])
def test_a_cut_entry_is_compiled_again(tmp_path: Path, length: int) -> None:
    load_automaton(EXPRESSIONS, tmp_path, print)
    path = cached(tmp_path)
    path.write_bytes(path.read_bytes()[:length])

    assert load_automaton(EXPRESSIONS, tmp_path, print).scan(DATA)
    assert path.stat().st_size > length


def test_an_entry_that_others_may_write_is_not_read(tmp_path: Path) -> None:
    load_automaton(EXPRESSIONS, tmp_path, print)
    path = cached(tmp_path)
    path.chmod(0o666)
    load_automaton(EXPRESSIONS, tmp_path, print)

    assert path.stat().st_mode & 0o777 == 0o600


def test_an_entry_behind_a_link_is_not_read(tmp_path: Path) -> None:
    load_automaton(EXPRESSIONS, tmp_path / "a", print)
    path = cached(tmp_path / "a")
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)

    assert load_automaton(EXPRESSIONS, tmp_path / "a", print).scan(DATA)
    assert not path.is_symlink()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    assert load_automaton(EXPRESSIONS, tmp_path / "file" / "below", print).scan(DATA)


def test_what_the_engine_cannot_hold_is_found_all_the_same(tmp_path: Path) -> None:
    endless = Expression(b"(?:q[0-9]{1,9000}z){3}", 8)
    for _ in range(2):
        automaton = load_automaton([*EXPRESSIONS, endless], tmp_path, print)

        assert any(key >> 40 == 2 for key in automaton.scan(b"q1z" * 3 + b" " + DATA))


def test_the_folder_is_where_the_system_keeps_caches() -> None:
    assert default_folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/strongroom")
    assert default_folder({"XDG_CACHE_HOME": "relative", "HOME": "/h"}) == Path("/h/.cache/strongroom")
    assert default_folder({}) is None
