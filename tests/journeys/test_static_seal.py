"""A static seal unseals by itself at every start; recovery shares stand in for what unseal shares would authorise."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from tests.processes import ServerProcess, start_server

SEAL = 'seal "static" {{\n  current_key_id = "one"\n  current_key = "file://{}"\n}}\n'


def start(folder: Path, key_file: Path) -> ServerProcess:
    return start_server(folder, extra=SEAL.format(key_file))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "seal.key"
    path.write_bytes(os.urandom(32))
    path.chmod(0o600)
    return path


def end(server: ServerProcess) -> None:
    if server.process.poll() is None:
        server.kill()


def test_a_server_with_a_static_seal_opens_itself_at_every_start(folder: Path, key_file: Path) -> None:
    server = start(folder, key_file)
    try:
        made = server.call("PUT", "sys/init", {"recovery_shares": 3, "recovery_threshold": 2})
        assert made.body is not None
        assert made.body["keys"] == []
        recovery = made.body["recovery_keys"]
        assert len(recovery) == len(made.body["recovery_keys_base64"]) == 3
        server.token = made.body["root_token"]
        status = server.call("GET", "sys/seal-status").body
        assert status is not None
        assert (status["type"], status["sealed"], status["recovery_seal"]) == ("static", False, True)
        server.call("POST", "sys/mounts/kv", {"type": "kv"})
        server.call("POST", "kv/a", {"k": "v"})
        server.kill()
        token = server.token
        server = start(folder, key_file)
        server.token = token
        assert server.call("GET", "kv/a").data == {"k": "v"}
        generate_root(server, recovery[1:])
        assert server.stop() == 0
    finally:
        end(server)


def generate_root(server: ServerProcess, shares: list[str]) -> None:
    """With recovery shares a new root token can be made."""
    attempt = server.call("PUT", "sys/generate-root-token/attempt", {}).data
    assert attempt["required"] == len(shares)
    last: dict[str, str] = {}
    for share in shares:
        last = server.call("PUT", "sys/generate-root-token/update", {"key": share, "nonce": attempt["nonce"]}).data
    pad = attempt["otp"].encode()
    encoded = base64.b64decode(last["encoded_token"] + "==")
    token = bytes(left ^ right for left, right in zip(encoded, pad, strict=True)).decode()
    assert server.call("GET", "auth/token/lookup-self", token=token).data["policies"] == ["root"]


def test_with_another_key_the_vault_stays_sealed_and_says_why(folder: Path, key_file: Path) -> None:
    server = start(folder, key_file)
    try:
        assert server.call("PUT", "sys/init", {}).status == 200
        server.kill()
        key_file.write_bytes(os.urandom(32))
        server = start(folder, key_file)
        status = server.call("GET", "sys/seal-status").body
        assert status is not None
        assert status["sealed"] is True
        assert "could not be unsealed" in server.log
    finally:
        end(server)
