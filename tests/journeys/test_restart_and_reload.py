"""SIGTERM ends a server politely; SIGHUP lets it open its audit file and read its certificates again."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.conftest import Again, Client
from tests.processes import ServerProcess, running_server, wait_until

from strongroom.logical.ambient import SystemClock
from strongroom.server.dev_certificate import write_certificate


@pytest.fixture
def server(folder: Path) -> Iterator[ServerProcess]:
    with running_server(folder) as running:
        yield running


def test_a_server_that_was_told_to_stop_ends_with_success_and_starts_sealed_with_its_data(
    server: ServerProcess, again: Again
) -> None:
    server.call("POST", "sys/mounts/kv", {"type": "kv-v2"})
    server.call("POST", "kv/data/a", {"data": {"k": "v"}})
    assert server.stop() == 0
    assert "stopped" in server.log
    second = again(server)
    try:
        assert second.call("GET", "kv/data/a").data["data"] == {"k": "v"}
        assert second.call("PUT", "sys/seal").status == 204
        assert second.call("GET", "kv/data/a").errors == ["Vault is sealed"]
        assert second.stop() == 0
    finally:
        if second.process.poll() is None:
            second.kill()


def test_the_audit_file_is_opened_again_after_a_rotation(server: ServerProcess) -> None:
    server.call("GET", "sys/mounts")
    rotated = server.audit_file.rename(server.folder / "audit.log.1")
    assert server.call("GET", "sys/auth").status == 200
    assert '"sys/auth"' in rotated.read_text(encoding="utf-8")
    server.process.send_signal(signal.SIGHUP)
    wait_until(server.audit_file.exists, process=server.process)
    wait_until(lambda: "were reopened" in server.log, process=server.process)
    assert server.call("GET", "sys/policies/acl/default").status == 200
    assert "sys/policies/acl/default" in server.audit_file.read_text(encoding="utf-8")
    assert "sys/policies/acl/default" not in rotated.read_text(encoding="utf-8")
    assert server.audit_file.stat().st_mode & 0o777 == 0o600


def certificate_of(server: ServerProcess) -> str:
    return ssl.get_server_certificate(("127.0.0.1", server.port))


def test_a_new_certificate_is_shown_without_a_restart_and_open_connections_go_on(server: ServerProcess) -> None:
    before = certificate_of(server)
    client = Client(server, server.token)
    assert client.call("GET", "sys/mounts")[0] == 200
    write_certificate(server.folder, SystemClock(), "127.0.0.1")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: certificate_of(server) != before, process=server.process)
    assert certificate_of(server) == server.ca_file.read_text(encoding="ascii")
    assert client.call("GET", "sys/mounts")[0] == 200
    client.close()


def test_a_broken_certificate_leaves_the_old_one_in_service(server: ServerProcess) -> None:
    before = certificate_of(server)
    server.ca_file.write_text("not a certificate", encoding="ascii")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "certificates stay as they were" in server.log, process=server.process)
    assert certificate_of(server) == before
    assert server.call("GET", "sys/mounts").status == 200
