"""Who may connect, and what a peer can do to the others: nothing."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.agent.proxy.bench import Bench, proxy
from tests.agent.proxy.far_end import FarEnd, far_end
from tests.processes import free_port, wait_until

from strongroom.agent.config_values import Listener
from strongroom.agent.context import AgentFailed
from strongroom.agent.proxy import conversation, gate
from strongroom.agent.proxy.peers import Allowed, Peer, allowed_by, is_still, owner_in

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
NOBODY = 65534
ASK = b"GET /v1/secret/app HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
READ = {"data": {"password": "a value"}}


@contextlib.contextmanager
def running(folder: Path, listener: str = "", more: str = "") -> Iterator[tuple[Bench, FarEnd]]:
    with far_end(**{"secret/app": READ}) as end, proxy(end.address, folder, listener=listener, more=more) as bench:
        yield bench, end


def as_other(uid: int, target: str, *, gids: tuple[int, ...] = ()) -> str:
    """What a process of another user gets from a socket: the first line of the answer, or why there is none."""
    family = "AF_UNIX" if target.startswith("/") else "AF_INET"
    address = repr(target) if target.startswith("/") else f"('127.0.0.1', {target})"
    code = (
        f"import os, socket; os.setgroups({list(gids)}); os.setgid({uid}); os.setuid({uid})\n"
        f"s = socket.socket(socket.{family}); s.settimeout(20)\n"
        f"try:\n s.connect({address}); s.sendall({ASK!r}); print(s.recv(4096).split(b'\\r\\n')[0].decode() or 'closed')\n"
        "except OSError as error:\n print(type(error).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_the_agents_own_user_may_and_the_socket_is_its_own(tmp_path: Path) -> None:
    with running(tmp_path) as (bench, _):
        found = os.lstat(bench.path)
        assert stat.S_ISSOCK(found.st_mode)
        assert stat.S_IMODE(found.st_mode) == 0o600
        assert bench.call("GET", "secret/app").status == 200
    assert not Path(bench.path).exists()


@AS_ROOT
def test_another_user_gets_nothing_even_where_the_socket_lets_them_in(open_folder: Path) -> None:
    with running(open_folder) as (bench, end):
        assert as_other(NOBODY, bench.path) == "PermissionError"
        Path(bench.path).chmod(0o666)
        for _ in range(3):
            assert as_other(NOBODY, bench.path) in {"closed", "ConnectionResetError", "BrokenPipeError"}
        assert end.received == []
        assert bench.call("GET", "/agent/v1/metrics").body["agent_proxy_refused_connections"] == 3
        assert bench.workshop.said.count("was turned away") == 1


@AS_ROOT
def test_users_and_groups_that_are_named_may_and_nobody_else(open_folder: Path) -> None:
    with running(open_folder, 'peer_uids = [12345]  peer_gids = [23456]  socket_mode = "0660"') as (bench, _):
        Path(bench.path).chmod(0o666)
        ok = "HTTP/1.1 200 OK"
        assert as_other(12345, bench.path) == ok
        assert as_other(NOBODY, bench.path, gids=(23456, 5)) == ok
        assert as_other(NOBODY, bench.path, gids=(5,)) != ok
        assert bench.raw(ASK) == b"", "root is not named"


@AS_ROOT
def test_the_file_gets_the_user_and_the_group_of_the_configuration(open_folder: Path) -> None:
    with running(open_folder, 'socket_user = "nobody"  socket_group = "12"  socket_mode = "0660"') as (bench, _):
        found = os.lstat(bench.path)
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NOBODY, 12, 0o660)


def tcp(port: int, inner: str = "") -> str:
    return f'listener "tcp" {{ address = "127.0.0.1:{port}"  tls_disable = true\n{inner} }}\n'


def ask_tcp(port: int, content: bytes = ASK) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.sendall(content)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(65536):
                received += part
        return received


def test_over_the_loopback_the_kernel_says_who_it_is_too(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, more=tcp(port)) as (_, end):
        assert ask_tcp(port, ASK.replace(b"localhost", b"127.0.0.1:%d" % port)).startswith(b"HTTP/1.1 200")
        assert len(end.received) == 1


@AS_ROOT
def test_over_the_loopback_another_user_gets_nothing(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, more=tcp(port)) as (_, end):
        assert as_other(NOBODY, str(port)) in {"closed", "ConnectionResetError", "BrokenPipeError"}
        assert end.received == []
    with running(tmp_path, more=tcp(port, f"peer_uids = [{NOBODY}]")) as (_, end):
        assert as_other(NOBODY, str(port)) == "HTTP/1.1 200 OK"


def test_a_name_that_is_not_the_loopbacks_is_refused_there(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, more=tcp(port)) as (_, end):
        assert ask_tcp(port, ASK.replace(b"localhost", b"evil.example")).startswith(b"HTTP/1.1 403")
        assert end.received == []


def test_a_listener_speaks_tls_with_its_certificate(tmp_path: Path) -> None:
    import ssl

    from tools.servers import make_certificate

    make_certificate(tmp_path)
    port = free_port()
    files = f'tls_cert_file = "{tmp_path}/cert.pem"  tls_key_file = "{tmp_path}/key.pem"'
    block = f'listener "tcp" {{ address = "127.0.0.1:{port}"  {files} }}\n'
    with running(tmp_path, more=block):
        assert ask_tcp(port) == b"", "plain text is no handshake"
        context = ssl.create_default_context(cafile=f"{tmp_path}/cert.pem")
        with (
            socket.create_connection(("127.0.0.1", port), 20) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as client,
        ):
            client.sendall(ASK)
            assert client.recv(65536).startswith(b"HTTP/1.1 200")


# Peers, by themselves


def test_whoever_is_named_may_or_else_the_own_user() -> None:
    own = allowed_by(Listener("unix", "/x"), 7)
    assert [own.admits(Peer(1, uid, frozenset({7}))) for uid in (7, 0, 8)] == [True, False, False]
    named = Allowed(frozenset({8}), frozenset({9}))
    assert [named.admits(Peer(1, uid, frozenset({gid}))) for uid, gid in ((8, 1), (7, 9), (7, 8))] == [
        True,
        True,
        False,
    ]


def test_the_owner_of_a_connection_is_read_from_the_kernels_table() -> None:
    table = [
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
        "   0: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 1 1",
        "   1: 0100007F:D431 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 2 1",
        "   2: 0100007F:D432 0100007F:1F90 06 00000000:00000000 00:00000000 00000000     0        0 0 3",
    ]
    assert owner_in(table, "0100007F:D431", "0100007F:1F90") == 1000
    assert owner_in(table, "0100007F:D432", "0100007F:1F90") is None, "a connection that has ended belongs to nobody"
    assert owner_in(table, "0100007F:D433", "0100007F:1F90") is None


def test_a_process_that_ended_or_became_somebody_else_is_not_still_there() -> None:
    own = Peer(os.getpid(), os.geteuid())
    assert is_still(own)
    assert not is_still(own._replace(uid=own.uid + 1))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not is_still(Peer(ended.pid, own.uid))
    assert is_still(Peer(0, own.uid)), "where the kernel names no process there is none to look at"


@AS_ROOT
def test_a_peer_that_becomes_somebody_else_gets_nothing_more(open_folder: Path) -> None:
    ask = ASK.replace(b"Connection: close\r\n", b"")
    code = (
        "import os, socket, sys\n"
        f"s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1]); s.sendall({ask!r})\n"
        f"print(s.recv(4096)[:12]); os.setuid({NOBODY}); s.sendall({ask!r}); print(s.recv(4096)[:12])"
    )
    with running(open_folder) as (bench, end):
        command = [sys.executable, "-c", code, bench.path]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout.split("\n")[:2] == ["b'HTTP/1.1 200'", "b''"]
        assert len(end.received) == 1


# Where it cannot listen


def test_a_socket_that_is_left_over_is_replaced_and_one_that_lives_is_not(tmp_path: Path) -> None:
    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(tmp_path / "proxy.sock"))
    left_over.close()
    with running(tmp_path) as (bench, _):
        with pytest.raises(AgentFailed, match="somebody listens there"), running(tmp_path):
            pass
        assert bench.call("GET", "secret/app").status == 200, "the first one is unharmed"


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_is_no_socket_is_left_alone(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "proxy.sock"
    if kind == "folder":
        place.mkdir()
    elif kind == "link":
        (tmp_path / "target").write_text("kept")
        place.symlink_to(tmp_path / "target")
    else:
        place.write_text("kept")
    with pytest.raises(AgentFailed, match="something else than a socket"), running(tmp_path):
        pass
    assert kind == "folder" or place.read_text() == "kept"


def test_a_path_longer_than_an_address_may_be_works(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    with far_end(**{"secret/app": READ}) as end, proxy(end.address, folder) as bench:
        descriptor = os.open(folder, os.O_RDONLY)
        bench.path = f"/proc/self/fd/{descriptor}/proxy.sock"
        assert bench.call("GET", "secret/app").status == 200
        os.close(descriptor)


def test_the_file_of_another_is_not_taken_away_at_the_end(tmp_path: Path) -> None:
    with running(tmp_path) as (bench, _):
        Path(bench.path).unlink()
        Path(bench.path).write_text("somebody else's")
    assert Path(bench.path).read_text() == "somebody else's"


# Bad manners


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"GET /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"GET /v1/a HTTP/1.1\nHost: x\n\n", 400),
        (b"GET /v1/a HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET /v1/a HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
        (b"GET http://elsewhere/v1/a HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /v1/a HTTP/1.1\r\nHost: x\r\nX-Vault-Token: a\r\nX-Vault-Token: b\r\n\r\n", 400),
        (b"GET /v1/a HTTP/1.1\r\nHost: x\r\nExpect: nonsense\r\n\r\n", 417),
        (b"GET /v1/a HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000 + b"\r\n\r\n", 431),
        (b"POST /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ],
)
def test_what_is_no_clear_request_is_refused_and_the_connection_ends(
    tmp_path: Path, content: bytes, status: int
) -> None:
    with running(tmp_path) as (bench, end):
        assert bench.raw(content).startswith(b"HTTP/1.1 %d" % status)
        assert end.received == []
        assert bench.call("GET", "secret/app").status == 200


def test_requests_in_a_row_are_answered_in_their_order(tmp_path: Path) -> None:
    first = ASK.replace(b"Connection: close\r\n", b"")
    with running(tmp_path) as (bench, end):
        answer = bench.raw(first + first.replace(b"secret/app", b"nothing") + ASK)
        assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"404", b"200"]
        assert len(end.received) == 3


def test_a_client_that_sends_no_more_still_gets_its_answer(tmp_path: Path) -> None:
    with running(tmp_path) as (bench, _):
        assert bench.raw(ASK, half_close=True).startswith(b"HTTP/1.1 200")
        assert bench.raw(ASK[:20], half_close=True) == b""


def test_a_body_is_asked_for_where_the_client_waits_for_that(tmp_path: Path) -> None:
    head = b"POST /v1/secret/app HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    with running(tmp_path) as (bench, end), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(bench.path)
        client.sendall(head)
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"{}")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
        assert end.received[0].body == b"{}"
        assert "expect" not in end.received[0].headers


def test_who_is_slow_is_told_and_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "HEAD_SECONDS", 0.0)
    with running(tmp_path) as (bench, end):
        assert bench.raw(b"GET /v1/").startswith(b"HTTP/1.1 408")
        assert end.received == []


def test_who_says_nothing_is_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "IDLE_SECONDS", 0.0)
    with running(tmp_path) as (bench, _):
        assert bench.raw(b"") == b""


def test_more_connections_than_there_is_room_for_are_closed_and_room_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "CONNECTIONS_PER_USER_MAX", 3)
    with running(tmp_path) as (bench, _):
        held = []
        for _ in range(3):
            client = socket.socket(socket.AF_UNIX)
            client.connect(bench.path)
            held.append(client)
        assert bench.raw(ASK) == b""
        held.pop().close()
        wait_until(lambda: bench.raw(ASK).startswith(b"HTTP/1.1 200"))
        for client in held:
            client.close()


def test_all_conversations_end_with_the_proxy_and_what_was_kept_is_overwritten(tmp_path: Path) -> None:
    from tests.agent.proxy.far_end import login

    with far_end(**{"auth/approle/login": login("t1")}) as end, proxy(end.address, tmp_path, more="cache {}") as bench:
        bench.call("POST", "auth/approle/login", {})
        (entry,) = bench.part._cache.entries()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(bench.path)
            client.settimeout(30)
            client.sendall(b"GET /v1/")
            bench.part.stop()
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(10) == b""
        assert set(entry.body) == {0}
        assert not any(thread.name.startswith("proxy") for thread in threading.enumerate())


def test_the_end_does_not_wait_for_a_server_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "JOIN_SECONDS", 0.0)
    with running(tmp_path) as (bench, end):
        end.hold = threading.Event()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(bench.path)
            client.sendall(ASK)
            assert end.arrived.acquire(timeout=30)
            bench.part.stop()
            assert not Path(bench.path).exists()
            assert len(end.received) == 1, "it hangs still"
        end.hold.set()
        wait_until(lambda: not any(thread.name.startswith("proxy") for thread in threading.enumerate()))


def test_whoever_comes_when_there_are_no_more_threads_is_sent_away_and_the_next_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path) as (bench, _):
        refused = threading.Event()
        begin = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            if thread.name.startswith("proxy for") and not refused.is_set():
                refused.set()
                raise RuntimeError("can't start new thread")
            begin(thread)

        monkeypatch.setattr(threading.Thread, "start", start)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(bench.path)
            assert refused.wait(30)
            assert first.recv(1) == b""
        assert bench.call("GET", "secret/app").status == 200
