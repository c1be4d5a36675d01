from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from strongroom.scanner.watch import state as module
from strongroom.scanner.watch.failures import WatchFailed
from strongroom.scanner.watch.item import Item
from strongroom.scanner.watch.state import Position, State, open_state


def items(*names: str) -> list[Item]:
    return [Item(name, "text", f"https://a.example/{name}", text="x") for name in names]


def names(state: State, feed: str = "f", now: float = 0.0) -> list[str]:
    return [one.item.id for one in state.pending(feed, now, 100)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watch.state"


def test_what_is_committed_is_there_again_and_nothing_else(path: Path) -> None:
    state = open_state(path)
    state.position("f", "i")
    state.add("f", items("a", "b"))
    state.move("f", Position({"etag": '"x"'}, 5.0, 4.0, 3))
    state.rest("https://a.example", 9.5)
    state.tell("print", "place")
    state.commit()
    state.add("f", items("c"))
    state.done(state.pending("f", 0, 1)[0])
    state.close()
    again = open_state(path)
    assert names(again) == ["a", "b"]
    assert again.position("f", "i") == Position({"etag": '"x"'}, 5.0, 4.0, 3)
    assert again.rest_until("https://a.example") == 9.5
    assert again.is_told("print", "place")
    assert not again.is_told("print", "other")
    again.close()


def test_what_was_seen_is_not_read_again(path: Path) -> None:
    state = open_state(path)
    assert state.add("f", items("a", "b")) == 2
    for one in state.pending("f", 0, 10):
        state.done(one)
    assert state.add("f", items("b", "c")) == 1
    assert names(state) == ["c"]
    assert state.add("g", items("a")) == 1, "another feed has seen nothing"
    state.close()


def test_what_is_listed_is_never_forgotten_before_it_is_gone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SEEN", 5)
    state = open_state(path)
    for start in range(20):
        listed = items(*(str(number) for number in range(start, start + 8)))
        assert state.add("f", listed) == (8 if start == 0 else 1)
    assert state._number("SELECT count(*) FROM seen") == 8
    state.close()


def test_what_was_told_is_remembered_within_a_bound(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_TOLD", 10)
    state = open_state(path)
    for number in range(50):
        state.tell("print", str(number))
        state.tell("print", str(number))
    assert [number for number in range(50) if state.is_told("print", str(number))] == list(range(40, 50))
    state.close()


def test_a_feed_that_became_another_one_begins_anew(path: Path) -> None:
    state = open_state(path)
    state.position("f", "org=acme")
    state.move("f", Position({"etag": "x"}, 100.0))
    state.add("f", items("a"))
    assert state.position("f", "org=other") == Position({})
    assert names(state) == []
    assert state.add("f", items("a")) == 1
    state.close()


def test_the_file_is_its_owners_alone(path: Path) -> None:
    open_state(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(WatchFailed, match="chmod 600"):
        open_state(path)


def test_two_watches_do_not_share_a_state(path: Path) -> None:
    state = open_state(path)
    with pytest.raises(WatchFailed, match="another watch runs with it"):
        open_state(path)
    # POSIX locks are by process, so ask another one, too.
    code = (
        "import sys, pathlib\nfrom strongroom.scanner.watch.state import open_state\n"
        "try: open_state(pathlib.Path(sys.argv[1]))\nexcept Exception as e: print(e)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=60)
    assert "another watch runs with it" in done.stdout
    state.close()
    open_state(path).close()


def test_a_link_a_folder_and_a_pipe_are_no_state(path: Path, tmp_path: Path) -> None:
    import os

    path.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in (path, tmp_path / "folder", tmp_path / "pipe", tmp_path / "no" / "folder"):
        with pytest.raises(WatchFailed):
            open_state(name)
    assert not (tmp_path / "elsewhere").exists()


class TestDamage:
    @pytest.fixture
    def content(self, path: Path) -> bytes:
        state = open_state(path)
        state.position("f", "i")
        state.add("f", items(*(str(number) for number in range(300))))
        state.commit()
        state.close()
        return path.read_bytes()

    def test_a_file_of_something_else_is_refused(self, path: Path) -> None:
        path.write_bytes(b"hello " * 1000)
        path.chmod(0o600)
        with pytest.raises(WatchFailed, match=r"damaged\. Move it away"):
            open_state(path)

    def test_another_database_is_refused_and_left_alone(self, path: Path) -> None:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE mine (x)")
        other.commit()
        other.close()
        path.chmod(0o600)
        before = path.read_bytes()
        with pytest.raises(WatchFailed, match="some other database"):
            open_state(path)
        assert path.read_bytes() == before

    @pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
    def test_a_file_that_was_cut_is_refused(self, path: Path, content: bytes, part: float) -> None:
        path.write_bytes(content[: int(len(content) * part)])
        with pytest.raises(WatchFailed, match=r"Move it away"):
            open_state(path)

    def test_a_newer_version_is_left_alone(self, path: Path, content: bytes) -> None:
        assert content
        newer = sqlite3.connect(path)
        newer.execute("PRAGMA user_version = 99")
        newer.close()
        with pytest.raises(WatchFailed, match="has version 99"):
            open_state(path)

    def test_no_byte_of_it_makes_us_fail_in_another_way(self, path: Path, content: bytes) -> None:
        for at in range(0, len(content), 97):
            changed = bytearray(content)
            changed[at] ^= 0xFF
            path.write_bytes(changed)
            try:
                state = open_state(path)
            except WatchFailed:
                continue
            try:
                state.position("f", "i")
                names(state)
                state.add("f", items("new"))
                state.commit()
            except WatchFailed:
                continue
            finally:
                state.close()

    def test_an_empty_file_is_a_state_that_was_never_written(self, path: Path) -> None:
        path.touch(0o600)
        state = open_state(path)
        assert names(state) == []
        state.close()
