"""Real clients of Vault reach our server through the proxy, over both kinds of listener, and never see that it is there."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import hvac  # type: ignore[import-untyped]  # it has no types
import hvac.exceptions  # type: ignore[import-untyped]  # it has no types
import pytest
from tests.agent.proxy.bench import Bench, proxy
from tests.agent.workshop import READER, Approle, Server
from tests.processes import free_port

from strongroom.agent.proxy.keeper import CONFIRMED_SECONDS
from strongroom.client.client import Client
from strongroom.client.errors import ApiError
from strongroom.client.settings import Settings
from tools.servers import openbao_binary

USE = "cache {}\napi_proxy { use_auto_auth_token = true }\n"


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Iterator[tuple[Bench, str]]:
    """A proxy with the token of a reader, and its address over the loopback."""
    server.write("sys/policies/acl/agent-reader", {"policy": READER})
    server.put("proxied", password="a value")
    port = free_port()
    more = f'{USE}listener "tcp" {{ address = "127.0.0.1:{port}"  tls_disable = true }}\n'
    token = server.child_token(policies=["agent-reader"], ttl="1h")
    with proxy(server.address, tmp_path, more=more, token=token) as bench:
        yield bench, f"http://127.0.0.1:{port}"


def test_hvac_reads_without_a_token_of_its_own(
    place: tuple[Bench, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The client takes a token of the person who runs the tests, where it finds one.
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("VAULT_TOKEN", raising=False)
    client = hvac.Client(url=place[1])
    read = client.secrets.kv.v2.read_secret_version(path="proxied", raise_on_deleted_version=True)
    assert read["data"]["data"] == {"password": "a value"}
    with pytest.raises(hvac.exceptions.Forbidden):
        client.secrets.kv.v2.create_or_update_secret(path="proxied", secret={})


def test_hvac_logs_in_as_itself_and_a_second_login_alike_gets_the_same_token_while_it_lives(
    place: tuple[Bench, str], server: Server, tmp_path: Path
) -> None:
    role = Approle.made(server, tmp_path)
    login = {"role_id": role.role_file.read_text(), "secret_id": role.secret_file.read_text().strip()}
    tokens = []
    for _ in range(2):
        client = hvac.Client(url=place[1])
        client.auth.approle.login(**login)
        assert client.is_authenticated()
        tokens.append(client.token)
    assert tokens[0] == tokens[1]
    client.auth.token.revoke_self()
    assert client.auth.approle.login(**login)["auth"]["client_token"] != tokens[0]
    server.write("auth/token/revoke", {"token": client.token})
    place[0].workshop.clock.jump(CONFIRMED_SECONDS)
    third = client.auth.approle.login(**login)["auth"]["client_token"]
    assert third != tokens[0]
    assert server.lives(third)


def test_the_command_line_of_openbao_works_over_the_socket(place: tuple[Bench, str], tmp_path: Path) -> None:
    bench, _ = place
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "BAO_ADDR": f"unix://{bench.path}"}

    def bao(*words: str) -> subprocess.CompletedProcess[str]:
        command = [openbao_binary(), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert bao("kv", "get", "-field=password", "secret/proxied").stdout == "a value"
    assert json.loads(bao("kv", "list", "-format=json", "secret").stdout)
    refused = bao("kv", "put", "secret/proxied", "password=another")
    assert (refused.returncode, "permission denied" in refused.stderr) == (2, True)


def test_our_own_client_works_over_the_socket(place: tuple[Bench, str]) -> None:
    with Client(Settings(address=f"unix://{place[0].path}", max_retries=0)) as client:
        assert (client.read("secret/data/proxied") or {})["data"]["data"] == {"password": "a value"}
        assert client.read("secret/data/nothing") is None
        with pytest.raises(ApiError):
            client.write("secret/data/proxied", {"data": {}})
