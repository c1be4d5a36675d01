"""systemd reads credentials from the agent's socket as systemd.exec(5) says it does, and nobody else reads any.

The manual (LoadCredential=): "a connection is made to it … and the credential data read from it"; "the originating socket … is
bound to an abstract namespace socket name that includes information about the unit and the credential": a zero byte, random
digits, ``/unit/``, the unit, ``/``, the credential, as in ``\\0adf9d86b6eda275e/unit/foobar.service/credx``.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.agent.workshop import Server, Workshop

from strongroom.agent.context import AgentFailed
from strongroom.agent.folders import OutputFolders
from strongroom.agent.socket_file import Peer
from strongroom.agent.systemd import CREDENTIAL_BYTES_MAX, CredentialSocket, check_credential, wanted_by
from strongroom.delivery.environment import CannotDeliver
from strongroom.logical.secret import Secret

VALUE = b"s3cret\nwith a line\x00and a zero"


def as_systemd_does(path: Path, unit: str, credential: str, bound: bytes | None = None) -> bytes:
    """Connect as systemd does, and read to the end: what it would take for the credential."""
    address = b"\0" + secrets.token_hex(8).encode() + f"/unit/{unit}/{credential}".encode() if bound is None else bound
    with connected(path, address) as client:
        return read_to_the_end(client)


def connected(path: Path, address: bytes) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(30)
    if address:
        client.bind(address)
    client.connect(str(path))
    client.shutdown(socket.SHUT_WR)
    return client


def read_to_the_end(client: socket.socket) -> bytes:
    parts = []
    while part := client.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def is_refused(content: bytes) -> bool:
    """Whether systemd would fail the unit: it takes no credential above its limit (E2BIG)."""
    return len(content) > CREDENTIAL_BYTES_MAX


class Answering(Workshop):
    """A socket that is answered."""

    def __init__(self, folder: Path, uid: int | None = None) -> None:
        path = folder / "credentials.sock"
        uids = os.geteuid() if uid is None else uid
        super().__init__(
            Server("http://127.0.0.1:1", "root"),
            f"""
            auto_auth {{ method "token_file" {{ config {{ token_file_path = "/nowhere" }} }} }}
            systemd_credentials {{
              address = "{path}"
              peer_uids = [{uids}]
              credential "db" {{ units = ["app.service", "app@one.service"]  contents = "" }}
              credential "late" {{ units = ["app.service"]  contents = "" }}
            }}
            """,
        )
        assert self.context.config.systemd_credentials is not None
        self.path = path
        self.part = CredentialSocket(self.context, self.context.config.systemd_credentials, OutputFolders())
        self.part.put(0, Secret(VALUE.decode()))


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Answering]:
    found = Answering(tmp_path)
    found.part.start()
    yield found
    found.part.stop()


@pytest.mark.parametrize("unit", ["app.service", "app@one.service"])
def test_a_unit_gets_its_credential_byte_for_byte(answering: Answering, unit: str) -> None:
    assert as_systemd_does(answering.path, unit, "db") == VALUE
    assert f"{unit} got db" in answering.said


def test_the_socket_is_for_its_owner_alone_and_is_gone_at_the_end(answering: Answering) -> None:
    assert stat.S_IMODE(answering.path.stat().st_mode) == 0o600
    answering.part.stop()
    assert not answering.path.exists()


@pytest.mark.parametrize(
    ("unit", "credential"), [("other.service", "db"), ("app.service", "other"), ("app@two.service", "db")]
)
def test_another_unit_or_credential_is_refused_so_that_the_unit_does_not_start(
    answering: Answering, unit: str, credential: str
) -> None:
    content = as_systemd_does(answering.path, unit, credential)
    assert is_refused(content)
    assert VALUE not in content
    assert "may not have" in answering.said


@pytest.mark.parametrize(
    "bound",
    [
        b"",
        b"\0app.service/db",
        b"\0zz/unit/app.service/db",
        b"\0" + b"1" * 8 + b"/unit/app.service/db/more",
        b"\0" + b"2" * 8 + b"/unit/app.service\n/db",
        b"\0" + b"3" * 8 + b"/unit//db",
    ],
)
def test_whoever_does_not_ask_as_systemd_does_gets_nothing(answering: Answering, bound: bytes) -> None:
    assert is_refused(as_systemd_does(answering.path, "", "", bound))
    assert "does not ask as systemd does" in answering.said


def test_another_user_gets_nothing_however_it_asks(tmp_path: Path) -> None:
    found = Answering(tmp_path, uid=os.geteuid() + 1)
    found.part.start()
    try:
        assert is_refused(as_systemd_does(found.path, "app.service", "db"))
    finally:
        found.part.stop()
    assert "may not have credentials" in found.said


def test_who_is_asked_of_the_kernel_comes_before_what_is_asked(tmp_path: Path) -> None:
    found = Answering(tmp_path)
    address = b"\0ab12/unit/app.service/db"
    assert found.part.answer(Peer(1, os.geteuid(), 0), address) == VALUE
    assert is_refused(found.part.answer(Peer(1, os.geteuid() + 1, 0), address))


def test_a_credential_without_a_value_is_waited_for(answering: Answering) -> None:
    got: list[bytes] = []
    asking = threading.Thread(target=lambda: got.append(as_systemd_does(answering.path, "app.service", "late")))
    asking.start()
    answering.part.put(1, Secret("now"))
    asking.join(30)
    assert got == [b"now"]


def test_whoever_waits_when_the_agent_ends_is_refused(answering: Answering) -> None:
    with connected(answering.path, b"\0abc/unit/app.service/late") as client:
        answering.part.stop()
        # Either it was refused, or it had not been heard yet: then the kernel says so, and systemd fails the unit, too.
        try:
            content = read_to_the_end(client)
        except ConnectionResetError:
            return
    assert is_refused(content)


def test_many_who_ask_and_say_nothing_more_keep_nobody_waiting(answering: Answering) -> None:
    idle = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(20)]
    for client in idle:
        client.connect(str(answering.path))
    assert as_systemd_does(answering.path, "app.service", "db") == VALUE
    for client in idle:
        client.close()


def test_a_socket_that_a_killed_agent_left_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(tmp_path / "credentials.sock"))
    found = Answering(tmp_path)
    found.part.start()
    assert as_systemd_does(found.path, "app.service", "db") == VALUE
    found.part.stop()


def test_a_socket_on_which_somebody_listens_is_left_alone(answering: Answering, tmp_path: Path) -> None:
    with pytest.raises(AgentFailed, match="somebody listens there already"):
        Answering(tmp_path).part.start()
    assert as_systemd_does(answering.path, "app.service", "db") == VALUE


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_something_else_in_its_place_is_left_alone(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "credentials.sock"
    if kind == "file":
        place.write_text("mine")
    elif kind == "link":
        place.symlink_to("/nowhere")
    else:
        place.mkdir()
    with pytest.raises(AgentFailed, match="something else than a socket"):
        Answering(tmp_path).part.start()
    assert place.lstat()


def test_a_value_that_systemd_would_not_take_is_told_when_it_is_rendered() -> None:
    check_credential("x" * CREDENTIAL_BYTES_MAX)
    with pytest.raises(CannotDeliver, match="larger than"):
        check_credential("x" * (CREDENTIAL_BYTES_MAX + 1))


def test_an_address_that_is_no_abstract_one_asks_for_nothing() -> None:
    assert wanted_by("/run/app.sock") is None
    assert wanted_by(None) is None
    assert wanted_by(b"\0adf9d86b6eda275e/unit/foobar.service/credx") == ("foobar.service", "credx")


def test_no_value_is_in_the_journal(answering: Answering) -> None:
    as_systemd_does(answering.path, "app.service", "db")
    assert "s3cret" not in answering.said


def test_no_more_threads_or_descriptors_end_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name.endswith("answer"):
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    accept, failures = socket.socket.accept, [OSError(errno.EMFILE, "too many"), OSError(errno.ECONNABORTED, "gone")]

    def accepted(listener: socket.socket) -> tuple[socket.socket, object]:
        if failures:
            raise failures.pop()
        return accept(listener)

    monkeypatch.setattr(socket.socket, "accept", accepted)
    found = Answering(tmp_path)
    found.part.start()
    try:
        for _ in range(2):
            assert as_systemd_does(found.path, "app.service", "db") == VALUE
        assert not failures
        assert not found.context.ending.is_asked_for
    finally:
        found.part.stop()
