"""Processes of one server that open a new database at the same moment."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import Unavailable


def opened(folder: str) -> str:
    try:
        SqliteStore(folder, is_shared=True).close()
    except Unavailable as failure:
        return repr(failure)
    return ""


def test_several_processes_may_make_and_leave_the_same_database_at_once(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as processes:
        for number in range(20):
            folder = tmp_path / str(number)
            folder.mkdir(mode=0o700)
            assert processes.map(opened, [os.fspath(folder)] * 3, chunksize=1) == ["", "", ""]
