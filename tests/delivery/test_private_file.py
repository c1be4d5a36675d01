from __future__ import annotations

import os
from pathlib import Path

import pytest

from strongroom.delivery.private_file import CannotWrite, write_private


def test_the_file_is_for_its_owner_alone_whatever_the_umask_is(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(str(tmp_path / "a"), b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with path.open() as reader:
        write_private(str(path), b"new")
        assert reader.read() == "old"
    assert path.read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(CannotWrite, match="is a link"):
        write_private(str(tmp_path / "link"), b"new")
    assert (tmp_path / "target").read_text() == "old"


def test_an_existing_file_stays_when_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(CannotWrite, match="exists already"):
        write_private(str(tmp_path / "a"), b"new", replace=False)
    assert (tmp_path / "a").read_text() == "old"


def test_a_folder_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="no such file"):
        write_private(str(tmp_path / "none" / "a"), b"x")
