"""A vault whose files were lost is never taken for a new one: whoever came first could initialize it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.journeys.conftest import Again
from tests.processes import ServerProcess, running_server

LOSSES: dict[str, Callable[[Path], object]] = {
    "log removed": lambda data: (data / "strongroom.db-wal").unlink(),
    "log emptied": lambda data: (data / "strongroom.db-wal").write_bytes(b""),
    "log without its last commits": lambda data: cut_to(data / "strongroom.db-wal", 32 + 4 * (4096 + 24)),
    "database removed": lambda data: (data / "strongroom.db").unlink(),
    "database emptied": lambda data: (data / "strongroom.db").write_bytes(b""),
    "all but the lock and the mark removed": lambda data: keep(data, "lock", "founded"),
    "everything removed": shutil.rmtree,
}


def cut_to(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def keep(data: Path, *names: str) -> None:
    for path in data.iterdir():
        if path.name not in names:
            path.unlink()


def refusal(server: ServerProcess) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "strongroom", "server", f"-config={server.folder}/server.hcl"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_does_not_start_where_its_vault_was_lost(folder: Path, again: Again, workers: int) -> None:
    with running_server(folder, extra=f"workers = {workers}\n") as server:
        # Nothing was moved from the log to the database yet.
        server.kill()
    data, whole = folder / "data", folder / "whole"
    data.rename(whole)
    for loss, lose in LOSSES.items():
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(whole, data)
        lose(data)
        assert "restore a backup" in refusal(server), loss
    shutil.rmtree(data, ignore_errors=True)
    whole.rename(data)
    unharmed = again(server)
    assert unharmed.call("GET", "sys/mounts").status == 200
    assert unharmed.stop() == 0
