from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


KILLED = """
import os, signal, sys
from strongroom.delivery.private_file import write_private
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[2], die)
write_private(sys.argv[1], b"new", replace=sys.argv[3] == "replace")
"""


@pytest.mark.parametrize("how", ["replace", "make"])
@pytest.mark.parametrize("step", ["fchmod", "fsync", "link"])
def test_whoever_is_killed_on_the_way_leaves_nothing_behind(tmp_path: Path, step: str, how: str) -> None:
    if how == "replace":
        (tmp_path / "a").write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "a"), step, how], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [entry.read_text() for entry in tmp_path.iterdir()] == (["old"] if how == "replace" else [])


@pytest.mark.parametrize("broken", ["open", "link"])
@pytest.mark.parametrize("replace", [True, False])
def test_where_files_need_a_name_from_the_beginning_they_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, *, replace: bool
) -> None:
    def fails(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: str, *arguments: Any, **options: Any) -> Any:
            if path == str(tmp_path) or path.startswith("/proc/"):
                raise OSError(errno.EOPNOTSUPP, "not supported")
            return original(path, *arguments, **options)

        return call

    monkeypatch.setattr(os, broken, fails(getattr(os, broken)))
    write_private(str(tmp_path / "a"), b"new", replace=replace)
    monkeypatch.undo()
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["new"]
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_what_somebody_left_under_our_number_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / f"a.{os.getpid()}.new").write_text("left")
    write_private(str(tmp_path / "a"), b"new")
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["new"]
