"""The proxy as a part of an agent that runs as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.agent.proxy.bench import Bench
from tests.agent.workshop import Approle, Server
from tests.processes import wait_until

CODE = """
import sys
import strongroom.agent.proxy.part
print(sorted(name for name in sys.modules if name.split(".")[0] in {"msgspec", "OpenSSL", "cryptography", "apsw", "asyncio"}
             or name.startswith(("strongroom.core", "strongroom.barrier", "strongroom.server"))))
"""


def test_it_loads_nothing_of_the_server_and_nothing_slow() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_an_agent_logs_in_and_serves_and_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    server.put("through-an-agent", password="a value")
    role = Approle.made(server, tmp_path)
    socket_file = tmp_path / "run" / "agent.sock"
    config = tmp_path / "agent.hcl"
    config.write_text(f"""
vault {{ address = "{server.address}" }}
auto_auth {{ {role.method()} }}
api_proxy {{ use_auto_auth_token = "force" }}
cache {{}}
listener "unix" {{
  address = "{socket_file}"
  agent_api {{ enable_quit = true }}
}}
""")
    words = [sys.executable, "-m", "strongroom", "agent", f"-config={config}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_"))}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env=environment)
    try:
        wait_until(socket_file.exists, process=process)
        bench = Bench(None, None, str(socket_file))  # type: ignore[arg-type]  # only the client's half is used
        wait_until(lambda: bench.call("GET", "secret/data/through-an-agent").status == 200, process=process)
        own = bench.call("GET", "auth/token/lookup-self", token="a-token-of-somebody").body
        assert own["data"]["path"] == "auth/approle/login"
        assert bench.call("GET", "/agent/v1/metrics").body["agent_logged_in"] == 1
        assert bench.call("POST", "/agent/v1/quit").status == 204
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert not socket_file.exists()
    said = (tmp_path / "log").read_text()
    assert "a value" not in said
    assert json.dumps("a-token-of-somebody")[1:-1] not in said
