"""What can be seen of a running server from beside it: nothing that it keeps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.process.beside import all_of, server, unprivileged
from tests.processes import ServerProcess, running_server, wait_until

CANARY = "canary-7d1f0a"
# As another program of the same user would do it.
SPY = """
import sys
for name in ("mem", "environ", "maps"):
    try:
        open(f"/proc/{sys.argv[1]}/{name}", "rb").read(1)
    except PermissionError:
        print(name, "refused")
    except OSError:
        print(name, "opened")
    else:
        print(name, "opened")
"""
ABORTS = "import os; os.abort()"
WAITS = "import sys; print('ready', flush=True); sys.stdin.read()"


WORKERS = ["", "workers = 2\n"]
NAMES = ["one process", "two processes"]


@pytest.fixture(scope="module", params=WORKERS, ids=NAMES)
def used(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that was given canaries in every way, the wrong ones too."""
    folder = tmp_path_factory.mktemp("used") / "server"
    with running_server(folder, extra=request.param, command=server(folder)) as running:
        give_canaries(running)
        yield running


def give_canaries(running: ServerProcess) -> None:
    assert running.call("POST", "sys/mounts/kv", {"type": "kv"}).status == 204
    assert running.call("POST", "sys/auth/userpass", {"type": "userpass"}).status == 204
    for number in range(20):
        assert running.call("POST", f"kv/{number}", {"value": f"{CANARY}-{number}"}).status == 204
    running.call("POST", "auth/userpass/users/app", {"password": CANARY})
    running.call("POST", "auth/userpass/login/app", {"password": f"{CANARY}-wrong"})
    for body in (
        [CANARY],
        {"key": CANARY},
        {"key": {"key": [CANARY]}},
        {"id": CANARY, "policies": 1},
        {"unknown": CANARY},
    ):
        for path in ("sys/wrapping/unwrap", "auth/token/create", "sys/unseal", "kv/0", "sys/nothing", "sys/tools/hash"):
            running.call("PUT", path, body)
    running.call("GET", "kv/0", token=f"hvs.{CANARY}")


def secrets(running: ServerProcess) -> list[bytes]:
    share = (running.folder / "unseal-key").read_text()
    return [CANARY.encode(), running.token.encode(), share.encode(), bytes.fromhex(share)]


def test_no_value_is_in_the_arguments_or_the_environment_of_any_process(used: ServerProcess) -> None:
    for pid in all_of(used.process.pid):
        shown = [Path(f"/proc/{pid}/cmdline").read_bytes()]
        if can_read(Path(f"/proc/{pid}/environ")):
            shown.append(Path(f"/proc/{pid}/environ").read_bytes())
        assert b"strongroom" in shown[0]
        assert [value for value in secrets(used) for text in shown if value in text] == []


def can_read(path: Path) -> bool:
    """Root alone can look into a process that is hardened."""
    try:
        path.open("rb").close()
    except PermissionError:
        return False
    return True


def test_no_value_is_in_the_log_or_in_the_audit_log(used: ServerProcess) -> None:
    written = used.log.encode(), used.audit_file.read_bytes()
    assert len(written[1]) > 10_000
    assert [value for value in secrets(used) for text in written if value in text] == []


def test_another_process_of_the_same_user_cannot_look_into_any_process(used: ServerProcess, tmp_path: Path) -> None:
    for pid in all_of(used.process.pid):
        assert spied(pid, tmp_path) == ["mem refused", "environ refused", "maps refused"]


def test_a_process_that_is_not_hardened_can_be_looked_into(tmp_path: Path) -> None:
    words = unprivileged(tmp_path, sys.executable, "-c", WAITS)
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        if spied(process.pid, tmp_path)[1] == "environ refused":
            pytest.skip("this system lets nobody look into other processes")
        assert spied(process.pid, tmp_path) == ["mem opened", "environ opened", "maps opened"]
        process.communicate(b"")


def spied(pid: int, folder: Path) -> list[str]:
    words = unprivileged(folder, sys.executable, "-c", SPY, str(pid))
    return subprocess.run(words, capture_output=True, check=True, text=True).stdout.splitlines()


@pytest.mark.parametrize("extra", WORKERS, ids=NAMES)
def test_a_server_that_is_aborted_leaves_no_core_file(tmp_path: Path, extra: str) -> None:
    if not leaves_core(tmp_path):
        pytest.skip("this system leaves no core files at all")
    folder = tmp_path / "server"
    with running_server(folder, extra=extra, command=server(folder)) as running:
        pids = all_of(running.process.pid)
        for pid in reversed(pids):
            os.kill(pid, signal.SIGABRT)
        assert not was_dumped(running.process.pid)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    assert [path.name for path in folder.iterdir() if path.name.startswith("core")] == []


def leaves_core(folder: Path) -> bool:
    """Whether a program that aborts does leave a core file here."""
    process = subprocess.Popen(unprivileged(folder, sys.executable, "-c", ABORTS), stderr=subprocess.DEVNULL)
    dumped = was_dumped(process.pid)
    process.wait()
    return dumped


def was_dumped(pid: int) -> bool:
    """Whether the child ended with a core file; waits for its end and leaves it to be waited for."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    return bool(ended.si_code == os.CLD_DUMPED)
