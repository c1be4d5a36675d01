"""The units of systemd: what systemd says of them, and that the server really works under what they ask for."""

from __future__ import annotations

import ctypes.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.packaging.conftest import ROOT, need
from tests.processes import running_server, wait_until

from strongroom.cli.main import root

UNITS = ROOT / "packaging" / "systemd"
SERVICES = ["strongroom", "strongroom-agent"]
EXPOSURE_MAX = 1.5
Confined = Callable[[str, str], tuple[str, ...]]
CONFINED = Path(__file__).with_name("confined.py")


def settings(unit: str) -> list[tuple[str, str]]:
    text = (UNITS / f"{unit}.service").read_text()
    return re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("unit", SERVICES)
def test_systemd_finds_little_exposed(unit: str) -> None:
    program = need("systemd-analyze")
    done = subprocess.run(
        [program, "security", "--offline=true", "--no-pager", str(UNITS / f"{unit}.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found[1]) <= EXPOSURE_MAX


@pytest.mark.parametrize("unit", SERVICES)
def test_systemd_knows_every_setting(unit: str, tmp_path: Path) -> None:
    program = need("systemd-analyze")
    text = (UNITS / f"{unit}.service").read_text()
    own = tmp_path / f"{unit}.service"
    own.write_text(text.replace("/opt/strongroom/bin", str(Path(sys.executable).parent)).replace("man:", "https://x/"))
    done = subprocess.run([program, "verify", str(own)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_makes_the_users() -> None:
    program = need("systemd-sysusers")
    done = subprocess.run(
        [program, "--dry-run", str(UNITS / "strongroom.sysusers.conf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    users = re.findall(r"^u (\S+)", (UNITS / "strongroom.sysusers.conf").read_text(), re.MULTILINE)
    assert users == SERVICES
    for unit in SERVICES:
        assert ("User", unit) in settings(unit)


@pytest.mark.parametrize("unit", SERVICES)
def test_what_is_started_is_a_command_with_these_flags(unit: str) -> None:
    (line,) = (value for name, value in settings(unit) if name == "ExecStart")
    _, name, *flags = line.split()
    command = root().get_command(None, name)  # type: ignore[arg-type]  # no context is needed to look a command up
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts}
    assert {flag.partition("=")[0] for flag in flags} <= known


@pytest.mark.parametrize("unit", SERVICES)
def test_systemd_waits_to_hear_that_it_is_ready(unit: str) -> None:
    assert ("Type", "notify") in settings(unit)


def allowed_calls(unit: str) -> set[str]:
    """The system calls that the unit leaves, as systemd itself says."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout
    groups: dict[str, list[str]] = {}
    for line in re.sub(r"#.*", "", listed).splitlines():
        if line.startswith("@"):
            groups[line.strip()] = []
        elif line.strip() and groups:
            groups[next(reversed(groups))].append(line.strip())

    def calls(word: str) -> set[str]:
        return set().union(*map(calls, groups[word])) if word in groups else {word}

    left: set[str] = set()
    for name, value in settings(unit):
        if name == "SystemCallFilter":
            named = set().union(*map(calls, value.removeprefix("~").split()))
            left = left - named if value.startswith("~") else left | named
    return left | calls("@default")


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="the capabilities of root cannot be dropped by another user")
needs_seccomp = pytest.mark.skipif(ctypes.util.find_library("seccomp") is None, reason="libseccomp is not installed")


@pytest.fixture
def confined(tmp_path: Path) -> Confined:
    """Words in front of a program that confine it as a unit does; ``deny`` is MemoryDenyWriteExecute=."""
    need("systemd-analyze")

    def words(unit: str, deny: str) -> tuple[str, ...]:
        calls = tmp_path / f"{unit}.calls"
        calls.write_text("\n".join(sorted(allowed_calls(unit))))
        return sys.executable, str(CONFINED), str(calls), deny, sys.executable, "-m", "strongroom"

    return words


@needs_root
@needs_seccomp
def test_the_server_works_under_what_its_unit_asks_for(tmp_path: Path, confined: Confined) -> None:
    folder = tmp_path / "server"
    (deny,) = (value for name, value in settings("strongroom") if name == "MemoryDenyWriteExecute")
    words = (*confined("strongroom", deny), "server", f"-config={folder}/server.hcl")
    with running_server(folder, extra="workers = 2\n", command=words) as server:
        assert server.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}).status == 204
        assert server.call("PUT", "secret/data/app", {"data": {"A": "1"}}).status == 200
        assert server.call("GET", "secret/data/app").data["data"] == {"A": "1"}
        assert server.call("POST", "sys/auth/userpass", {"type": "userpass"}).status == 204
        assert server.call("PUT", "auth/userpass/users/ana", {"password": "correct horse"}).status == 204
        assert server.call("PUT", "auth/userpass/login/ana", {"password": "correct horse"}, token="").status == 200
        assert server.call("PUT", "sys/rotate").status in {200, 204}
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
        assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)
        assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
        assert server.stop() == 0
    assert "[ERROR]" not in server.log


@needs_root
@needs_seccomp
def test_behind_a_socket_it_needs_no_memory_that_is_written_and_run(tmp_path: Path, confined: Confined) -> None:
    config, log = tmp_path / "server.hcl", tmp_path / "log"
    (tmp_path / "data").mkdir(mode=0o700)
    config.write_text(
        f'storage "sqlite" {{ path = "{tmp_path}/data" }}\nlistener "unix" {{ address = "{tmp_path}/socket" }}\n'
        f'audit "file" "main" {{ options {{ file_path = "{tmp_path}/audit.log" }} }}\n'
    )
    with log.open("wb") as out:
        process = subprocess.Popen([*confined("strongroom", "yes"), "server", f"-config={config}"], stderr=out)
    try:
        wait_until(lambda: "listening on" in log.read_text(), process=process)
        done = subprocess.run(
            [*confined("strongroom-agent", "yes"), "operator", "init", "-format=json"],
            env={**os.environ, "STRONGROOM_ADDR": f"unix://{tmp_path}/socket"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "root_token" in done.stdout
    finally:
        process.terminate()
        assert process.wait(30) == 0


@needs_root
@needs_seccomp
def test_the_agent_works_under_what_its_unit_asks_for(tmp_path: Path, confined: Confined) -> None:
    (deny,) = (value for name, value in settings("strongroom-agent") if name == "MemoryDenyWriteExecute")
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    with running_server(tmp_path / "server") as server:
        made = server.call("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h"})
        (tmp_path / "token").write_text(made.auth["client_token"])
        (tmp_path / "token").chmod(0o600)
        config = tmp_path / "agent.hcl"
        config.write_text(
            f'vault {{\n  address = "{server.address}"\n  ca_cert = "{server.ca_file}"\n}}\n'
            f'auto_auth {{\n  method "token_file" {{ config = {{ token_file_path = "{tmp_path}/token" }} }}\n'
            f'  sink "file" {{ config = {{ path = "{runtime}/token" }} }}\n}}\n'
        )
        config.chmod(0o600)
        done = subprocess.run(
            [*confined("strongroom-agent", deny), "agent", f"-config={config}", "-exit-after-auth"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert (runtime / "token").read_text() == made.auth["client_token"]
