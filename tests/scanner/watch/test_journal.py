from __future__ import annotations

import json
from pathlib import Path

import pytest

from strongroom.scanner.watch.journal import Journal


def line(number: int) -> str:
    return json.dumps({"file": f"https://a.example/{number}", "fingerprint": f"{number:064x}"}) + "\n"


def told(number: int) -> tuple[str, str]:
    return f"{number:064x}", f"https://a.example/{number}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "found.jsonl"


def test_lines_are_appended_to_a_file_of_its_owner(path: Path) -> None:
    journal = Journal(path)
    assert list(journal.recover()) == []
    journal.append([line(1), line(2)])
    journal.append([line(3)])
    assert path.read_text() == line(1) + line(2) + line(3)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(journal.recover()) == [told(1), told(2), told(3)]


def test_a_line_that_a_crash_cut_is_taken_away(path: Path) -> None:
    for length in range(len('{"file": '), len(line(2))):
        path.write_text(line(1) + line(2)[:length])
        assert list(Journal(path).recover()) == [told(1)]
        assert path.read_text() == line(1)


def test_what_is_not_ours_is_left_and_ended(path: Path) -> None:
    path.write_text("a note of somebody")
    journal = Journal(path)
    assert list(journal.recover()) == []
    journal.append([line(1)])
    assert path.read_text() == "a note of somebody\n" + line(1)


def test_only_the_end_of_a_long_file_is_read(path: Path) -> None:
    count = 12_000
    path.write_text("".join(map(line, range(count))))
    found = list(Journal(path).recover())
    assert 1000 < len(found) < count
    assert found[-1] == told(count - 1)


def test_a_file_that_was_rotated_is_begun_anew(path: Path) -> None:
    journal = Journal(path)
    journal.append([line(1)])
    path.rename(path.with_suffix(".1"))
    journal.append([line(2)])
    assert path.read_text() == line(2)


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        Journal(path).append([line(1)])
