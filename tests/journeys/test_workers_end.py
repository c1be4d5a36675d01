"""How a server of several processes ends: politely without losing an answer, and all together where one of them dies."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from tests.pinned import Pinned, at_once, chain_of, followers_of, is_running, pinned
from tests.processes import ServerProcess, free_port, running_server, start_server, wait_until

WORKERS = "workers = 2\n"
TOGETHER_SECONDS = 20.0


@pytest.fixture
def server(folder: Path) -> Iterator[ServerProcess]:
    with running_server(folder, extra=WORKERS) as started:
        assert started.call("POST", "sys/mounts/kv", {"type": "kv"}).status == 204
        assert started.call("POST", "sys/auth/userpass", {"type": "userpass"}).status == 204
        assert started.call("POST", "auth/userpass/users/ada", {"password": "lovelace"}).status == 204
        yield started


@contextlib.contextmanager
def start_again(ended: ServerProcess) -> Iterator[ServerProcess]:
    server = start_server(ended.folder, extra=WORKERS)
    try:
        server.token = ended.token
        key = (ended.folder / "unseal-key").read_text(encoding="ascii")
        assert server.call("PUT", "sys/unseal", {"key": key}).status == 200
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def is_free(folder: Path) -> bool:
    """Whether no process holds the data folder."""
    with (folder / "data" / "lock").open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def write_until_lost(connection: Pinned, name: str, done: dict[str, str]) -> None:
    """Note in ``done`` what is acknowledged before the connection is lost."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        while connection.call("PUT", f"kv/{name}/{len(done)}", {"v": f"{name}-{len(done)}"}).status == 204:
            done[f"kv/{name}/{len(done)}"] = f"{name}-{len(done)}"


@pytest.mark.parametrize("victim", ["leader", "follower"])
def test_all_processes_end_when_one_is_killed_and_nothing_acknowledged_is_lost(
    server: ServerProcess, victim: str
) -> None:
    [follower] = followers_of(server)
    acknowledged: list[dict[str, str]] = [{} for _ in range(4)]

    def kill() -> None:
        wait_until(lambda: all(len(done) >= 25 for done in acknowledged))
        os.kill(server.process.pid if victim == "leader" else follower, signal.SIGKILL)

    with pinned(server, 4) as connections:
        writers = [
            partial(write_until_lost, one, f"w{number}", acknowledged[number]) for number, one in enumerate(connections)
        ]
        at_once(*writers, kill)
        # A process that is shown as ended may still have threads that are ending, and files open: so the folder is looked at, too.
        wait_until(
            lambda: server.process.poll() is not None and not is_running(follower) and is_free(server.folder),
            seconds=TOGETHER_SECONDS,
        )

    assert server.process.returncode == (-signal.SIGKILL if victim == "leader" else 1)
    with start_again(server) as again, pinned(again, 2) as connections:
        written = {path: value for done in acknowledged for path, value in done.items()}
        for connection in connections:
            found = {path: connection.call("GET", path).data["v"] for path in written}
            assert found == written


@pytest.mark.parametrize("signalled", ["leader", "follower"])
def test_a_polite_end_finishes_what_is_under_way_in_all_processes(server: ServerProcess, signalled: str) -> None:
    [follower] = followers_of(server)
    login = ("POST", "auth/userpass/login/ada", {"password": "lovelace"})
    with pinned(server, 14) as connections:
        for connection in connections[2:]:
            connection.ask(*login, token="")
        for connection in connections[:2] * 2:  # when these are answered, what was sent before them has been read
            assert connection.call("GET", "auth/token/lookup-self").status == 200

        os.kill(server.process.pid if signalled == "leader" else follower, signal.SIGTERM)

        assert [connection.answer().status for connection in connections[2:]] == [200] * 12
    assert server.process.wait(timeout=20) == 0
    assert "gave up" not in server.log
    assert not is_running(follower)
    assert is_free(server.folder)


def test_an_interrupt_that_reaches_every_process_is_a_polite_end_too(server: ServerProcess) -> None:
    [follower] = followers_of(server)
    os.kill(follower, signal.SIGINT)
    os.kill(server.process.pid, signal.SIGINT)
    assert server.process.wait(timeout=20) == 0
    assert not is_running(follower)
    assert "gave up" not in server.log


def test_a_follower_that_was_stopped_does_not_hold_up_the_others_for_ever(server: ServerProcess) -> None:
    (follower,) = followers_of(server)
    os.kill(follower, signal.SIGSTOP)
    assert server.process.wait(TOGETHER_SECONDS) == 1
    assert not is_running(follower)
    assert is_free(server.folder)


def test_a_leader_that_was_stopped_does_not_hold_up_the_others_for_ever(server: ServerProcess) -> None:
    (follower,) = followers_of(server)
    server.process.send_signal(signal.SIGSTOP)
    assert server.process.wait(TOGETHER_SECONDS) == -signal.SIGKILL
    # The kernel ends the follower thread by thread, and the folder is free after the last one.
    wait_until(lambda: not is_running(follower) and is_free(server.folder))


def test_after_sighup_every_process_writes_to_the_new_audit_file(server: ServerProcess) -> None:
    old = server.folder / "audit.old"
    with pinned(server, 2) as connections:
        server.audit_file.rename(old)
        os.kill(server.process.pid, signal.SIGHUP)

        def is_recorded_anew(connection: Pinned) -> bool:
            answer = connection.call("GET", "auth/token/lookup-self")
            assert answer.body is not None
            return server.audit_file.exists() and answer.body["request_id"] in server.audit_file.read_text()

        for connection in connections:
            wait_until(partial(is_recorded_anew, connection), seconds=5)


def run_second(folder: Path, configuration: str) -> str:
    """What a second server says before it ends."""
    file = folder / "second.hcl"
    file.write_text(configuration + WORKERS, encoding="utf-8")
    argv = [sys.executable, "-m", "strongroom", "server", f"-config={file}"]
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    return ended.stderr


def test_a_second_server_on_the_folder_or_the_port_is_told_so(server: ServerProcess, tmp_path: Path) -> None:
    storage = 'storage "sqlite" {{ path = "{}" }}\n'
    listener = 'listener "tcp" {{\n  address = "127.0.0.1:{}"\n  tls_disable = true\n}}\n'

    same_folder = storage.format(server.folder / "data") + listener.format(free_port())
    assert "another server has the data folder open" in run_second(tmp_path, same_folder)
    same_port = storage.format(tmp_path / "other") + listener.format(server.port)
    assert f"cannot listen on 127.0.0.1:{server.port}: Address already in use" in run_second(tmp_path, same_port)

    assert server.call("GET", "sys/health").status == 200


def test_the_vault_is_sealed_and_opened_over_connections_of_any_process(folder: Path) -> None:
    server = start_server(folder, extra=WORKERS)
    try:
        made = server.call("PUT", "sys/init", {"secret_shares": 3, "secret_threshold": 3})
        assert made.body is not None
        keys, server.token = made.body["keys"], made.body["root_token"]
        for key in keys:
            assert server.call("PUT", "sys/unseal", {"key": key}).status == 200
        with pinned(server, 4) as connections:
            for sealing in connections:
                assert sealing.call("PUT", "sys/seal").status == 204
                assert [one.call("GET", "auth/token/lookup-self").status for one in connections] == [503] * 4
                for number, key in enumerate(keys, 1):
                    status = connections[number % 4].call("PUT", "sys/unseal", {"key": key}).body
                    assert status is not None
                    assert (status["progress"], status["sealed"]) == ((number, True) if number < 3 else (0, False))
                assert [one.call("GET", "auth/token/lookup-self").status for one in connections] == [200] * 4
    finally:
        server.kill()


def test_a_key_from_a_descriptor_opens_the_vault_in_every_process(folder: Path, tmp_path: Path) -> None:
    key_file = tmp_path / "seal.key"
    key_file.write_bytes(os.urandom(32))
    seal = 'seal "static" {\n  current_key_id = "one"\n  current_key = "descriptor://7"\n}\n'
    command = ("sh", "-c", f"exec {sys.executable} -m strongroom server -config={folder}/server.hcl 7<{key_file}")
    server = start_server(folder, extra=WORKERS + seal, command=command)
    made = server.call("PUT", "sys/init", {"recovery_shares": 1, "recovery_threshold": 1})
    assert made.body is not None
    server.token = made.body["root_token"]
    try:
        with pinned(server, 2) as connections:
            assert len({one.worker for one in connections}) == 2
    finally:
        server.kill()


def test_many_slow_and_large_requests_over_a_follower_are_all_answered(server: ServerProcess) -> None:
    with pinned(server, 128) as connections:
        slow = connections[0].call("POST", "auth/userpass/users/eve", {"password": "p"})
        leader = chain_of(server.audit_file, slow.headers["X-Request-Id"])
        over_follower = [one for one in connections if one.worker != leader]
        assert len(over_follower) == 64

        large = over_follower[0].call(
            "POST", "auth/userpass/users/large", {"password": "p", "unknown": ["x" * 4_000_000] * 2}
        )
        assert large.status == 200, large
        assert large.body is not None
        assert large.body["warnings"] == ["Endpoint ignored these unrecognized parameters: [unknown]"]

        for number, connection in enumerate(over_follower):
            connection.ask("POST", f"auth/userpass/users/u{number}", {"password": "p"})
        for gone in over_follower[::8]:
            gone.close()
        staying = [one for index, one in enumerate(over_follower) if index % 8]
        assert [one.answer().status for one in staying] == [204] * 56
        assert staying[0].call("GET", "sys/health").status == 200


def descriptors(pid: int) -> list[str]:
    """What a process has open."""
    return [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]


def test_a_follower_has_no_way_to_any_process_but_the_leader(folder: Path) -> None:
    server = start_server(folder, extra="workers = 4\n")
    try:
        sockets = [[name for name in descriptors(pid) if name.startswith("socket:")] for pid in followers_of(server)]
        assert [len(names) for names in sockets] == [2, 2, 2]  # the listening one, and its end of the pair
        assert len(set.intersection(*map(set, sockets))) == 1
    finally:
        server.kill()


def health_over(path: Path) -> int:
    """The status of the health over a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(path))
        client.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return int(client.recv(65536).split()[1])


def test_a_unix_socket_is_shared_and_taken_away_once(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    listener = f'listener "unix" {{ address = "{path}" }}\n'
    for _ in range(2):
        with running_server(folder, extra=WORKERS + listener) as server:
            with ThreadPoolExecutor(8) as pool:
                assert list(pool.map(health_over, [path] * 40)) == [200] * 40
            (tmp_path / "other").mkdir(exist_ok=True)
            same_folder = f'storage "sqlite" {{ path = "{folder}/data" }}\n'
            other = tmp_path / "other" / "socket"
            run_second(tmp_path, same_folder + f'listener "unix" {{ address = "{other}" }}\n')
            assert not other.exists()  # whoever could not start leaves nothing behind
            assert server.stop() == 0
        assert not path.exists()
        shutil.rmtree(folder)
