"""The real OpenBao agent works against our server: it logs in, keeps its token, renders, proxies, caches, and runs a program."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.processes import ServerProcess, running_server, wait_until

from tools.servers import openbao_binary

pytestmark = [pytest.mark.compat, pytest.mark.xdist_group("bao-agent")]

POLICY = """
path "secret/data/app" { capabilities = ["read"] }
path "auth/token/create" { capabilities = ["update"] }
"""
AGENT = """
vault {{
  address = "{address}"
  ca_cert = "{ca}"
}}
auto_auth {{
  method "approle" {{
    config = {{
      role_id_file_path = "{folder}/role-id"
      secret_id_file_path = "{folder}/secret-id"
      remove_secret_id_file_after_reading = false
    }}
  }}
  {sink}
}}
template_config {{
  static_secret_render_interval = "1s"
}}
{more}
"""
SINK = 'sink "file" {{ config = {{ path = "{folder}/token" }} }}'
PROXY = """
cache {{}}
api_proxy {{ use_auto_auth_token = true }}
listener "unix" {{
  address     = "{folder}/agent.sock"
  tls_disable = true
}}
template {{
  contents    = "{{{{ with secret \\"secret/data/app\\" }}}}{{{{ .Data.data.password }}}}{{{{ end }}}}"
  destination = "{folder}/rendered"
}}
"""
EXEC = """
env_template "PASSWORD" {{
  contents             = "{{{{ with secret \\"secret/data/app\\" }}}}{{{{ .Data.data.password }}}}{{{{ end }}}}"
  error_on_missing_key = true
}}
exec {{
  command                   = ["sh", "-c", "printf %s \\"$PASSWORD\\" > {folder}/given; exec sleep 600"]
  restart_on_secret_changes = "always"
  restart_stop_signal       = "SIGTERM"
}}
"""


class UnixConnection(http.client.HTTPConnection):
    """A connection over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self._path))


def over(path: Path, method: str, target: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
    """The status, the headers and the body of an answer over a unix socket."""
    connection = UnixConnection(path)
    try:
        connection.request(method, f"/v1/{target}", None if body is None else json.dumps(body))
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    return answer.status, dict(answer.headers), json.loads(content) if content else None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with a secret, and a role whose tokens live for six seconds."""
    with running_server(tmp_path_factory.mktemp("bao-agent") / "vault") as server:
        server.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        server.call("POST", "sys/policies/acl/app", {"policy": POLICY})
        server.call("POST", "sys/auth/approle", {"type": "approle"})
        role = {"token_policies": ["app"], "token_ttl": "6s", "token_max_ttl": "1h"}
        assert server.call("POST", "auth/approle/role/app", role).status == 204
        yield server


@contextmanager
def bao_agent(server: ServerProcess, folder: Path, *, sink: str, more: str) -> Iterator[subprocess.Popen[bytes]]:
    """The real agent, logged in as the role; stopped at the end."""
    (folder / "role-id").write_text(server.call("GET", "auth/approle/role/app/role-id").data["role_id"])
    secret_id = server.call("POST", "auth/approle/role/app/secret-id").data["secret_id"]
    (folder / "secret-id").write_text(secret_id)
    values = {"folder": folder, "address": server.address, "ca": server.ca_file}
    values |= {"sink": sink.format(**values), "more": more.format(**values)}
    (folder / "agent.hcl").write_text(AGENT.format(**values))
    environment = {name: text for name, text in os.environ.items() if not re.match(r"(VAULT|BAO)_", name)}
    with (folder / "agent.log").open("wb") as log:
        process = subprocess.Popen(
            [openbao_binary(), "agent", f"-config={folder}/agent.hcl"],
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def write(server: ServerProcess, password: str) -> None:
    assert server.call("POST", "secret/data/app", {"data": {"password": password}}).status == 200


def holds(file: Path, text: str) -> bool:
    return file.exists() and file.read_text() == text


def test_it_logs_in_keeps_its_token_renders_proxies_and_caches(server: ServerProcess, tmp_path: Path) -> None:
    write(server, "the first password")
    renewed = server.audit_file.read_text().count("auth/token/renew-self")
    with bao_agent(server, tmp_path, sink=SINK, more=PROXY) as agent:
        wait_until(lambda: holds(tmp_path / "rendered", "the first password"), process=agent)
        token = (tmp_path / "token").read_text()
        own = server.call("GET", "auth/token/lookup-self", token=token).data
        assert (own["policies"], own["path"]) == (["app", "default"], "auth/approle/login")
        socket_file = tmp_path / "agent.sock"
        status, _, body = over(socket_file, "GET", "secret/data/app")
        assert (status, body["data"]["data"]) == (200, {"password": "the first password"})
        assert over(socket_file, "GET", "secret/data/other")[0] == 403
        made = [over(socket_file, "POST", "auth/token/create", {"ttl": "1h"}) for _ in range(2)]
        assert [headers["X-Cache"] for _, headers, _ in made] == ["MISS", "HIT"]
        assert len({body["auth"]["client_token"] for _, _, body in made}) == 1
        write(server, "the second password")
        wait_until(lambda: holds(tmp_path / "rendered", "the second password"), process=agent)
        wait_until(lambda: server.audit_file.read_text().count("auth/token/renew-self") >= renewed + 2, process=agent)
        wait_until(lambda: (tmp_path / "token").read_text() != "", process=agent)
        assert server.call("GET", "auth/token/lookup-self", token=(tmp_path / "token").read_text()).status == 200


def test_it_runs_a_program_with_secrets_and_starts_it_again_when_they_change(
    server: ServerProcess, tmp_path: Path
) -> None:
    write(server, "before")
    with bao_agent(server, tmp_path, sink="", more=EXEC) as agent:
        wait_until(lambda: holds(tmp_path / "given", "before"), process=agent)
        write(server, "after")
        wait_until(lambda: holds(tmp_path / "given", "after"), process=agent)
