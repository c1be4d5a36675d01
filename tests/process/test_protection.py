"""What a server does about the swap before it has a key: it warns, or locks its memory, or refuses to start and says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.process.beside import all_of, server, unprivileged
from tests.processes import free_port, running_server, wait_until

from strongroom.server.process import can_swap

LISTED = "Filename Type Size Used Priority\n"
CONFIGURATION = 'storage "sqlite" {{ path = "{folder}/data" }}\nlistener "tcp" {{ address = "127.0.0.1:{port}"\n tls_disable = true }}\n'
MAY_LOCK = """
import sys
from strongroom.physical.store import Unavailable
from strongroom.server.process import lock_memory
try:
    lock_memory()
except Unavailable:
    sys.exit(1)
"""


def system(
    folder: Path, *, swaps: str, limits: dict[str, str], group: str = "/system.slice/strongroom.service"
) -> tuple[Path, Path]:
    """The kernel's tables of a made-up system."""
    proc, groups = folder / "proc", folder / "groups"
    (proc / "7").mkdir(parents=True)
    (proc / "swaps").write_text(LISTED + swaps)
    (proc / "7" / "cgroup").write_text(f"0::{group}\n")
    (groups / group.lstrip("/")).mkdir(parents=True)
    for place, limit in limits.items():
        (groups / place / "memory.swap.max").write_text(f"{limit}\n")
    return proc, groups


@pytest.mark.parametrize(
    ("swaps", "limits", "expected"),
    [
        ("", {}, False),
        ("/dev/sda2 partition 1 0 -2\n", {}, True),
        ("/dev/sda2 partition 1 0 -2\n", {"system.slice/strongroom.service": "max"}, True),
        ("/dev/sda2 partition 1 0 -2\n", {"system.slice/strongroom.service": "0"}, False),
        ("/dev/sda2 partition 1 0 -2\n", {"system.slice": "0"}, False),
    ],
    ids=["no swap", "swap", "no limit", "limit of the unit", "limit of the slice"],
)
def test_swap_counts_where_the_server_may_use_it(
    tmp_path: Path,
    swaps: str,
    limits: dict[str, str],
    expected: bool,  # noqa: FBT001 -- a case of the table
) -> None:
    proc, groups = system(tmp_path, swaps=swaps, limits=limits)
    assert can_swap(7, proc, groups) is expected


def test_a_server_that_may_not_lock_its_memory_refuses_to_start(tmp_path: Path) -> None:
    (tmp_path / "server.hcl").write_text(
        CONFIGURATION.format(folder=tmp_path, port=free_port()) + "lock_memory = true\n"
    )
    low = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_MEMLOCK, (65536, 65536)); os.execv(sys.argv[1], sys.argv[1:])"
    words = unprivileged(tmp_path, sys.executable, "-c", low, *server(tmp_path)[4:])
    done = subprocess.run(words, capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode == 1
    assert "LimitMEMLOCK=infinity" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("extra", ["", "workers = 2\n"], ids=["one process", "two processes"])
def test_every_process_locks_its_memory_where_that_is_wanted(tmp_path: Path, extra: str) -> None:
    if subprocess.run([sys.executable, "-c", MAY_LOCK], check=False).returncode:
        pytest.skip("memory may not be locked here")
    with running_server(tmp_path / "server", extra=f"lock_memory = true\n{extra}") as running:
        for pid in all_of(running.process.pid):
            wait_until(lambda pid=pid: locked_share(pid) > 0.9)
        assert "swap" not in running.log


def locked_share(pid: int) -> float:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmLck"].split()[0]) / int(status["VmRSS"].split()[0])
