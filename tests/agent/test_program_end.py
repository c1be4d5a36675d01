"""How the program that the agent runs comes to its end, and the agent with it; as the first process of a container, too."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from tests.agent.running import Running, config_of, run, script, variable
from tests.agent.workshop import Approle, Server
from tests.processes import wait_until

from strongroom.agent.context import PATIENCE_SECONDS

CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc")


def _is_possible() -> bool:
    if shutil.which(CONTAINER[0]) is None:
        return False
    return subprocess.run([*CONTAINER, "true"], capture_output=True, check=False).returncode == 0


in_a_container = pytest.mark.skipif(not _is_possible(), reason="this machine lets nobody make a process namespace")


def first_process(agent: Running) -> int:
    """The agent that is the first process of the container that ``unshare`` has made."""
    number = agent.process.pid
    return int(Path(f"/proc/{number}/task/{number}/children").read_text().split()[0])


def file_of(folder: Path, command: str) -> str:
    inner = f'{{{{ with secret \\"secret/data/{folder.name}\\" }}}}{{{{ .Data.data.PASSWORD }}}}{{{{ end }}}}'
    return f"""template {{ contents = "{inner}" destination = "{folder}/out" exec {{ command = {command} }} }}"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_program_that_does_not_hear_is_killed_some_time_after_it_was_asked_to_end(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack, number: signal.Signals
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    program = script(
        tmp_path,
        f"trap 'echo heard >> {tmp_path}/seen' TERM INT\necho ready > {tmp_path}/seen\nwhile :; do sleep 0.05; done",
    )
    config = config_of(role, variable("PASSWORD", tmp_path.name) + f"""
      exec {{ command = [{program}]  kill_timeout = "1s" }}""")  # fmt: skip
    agent = run(agents, tmp_path, config, server.address)
    agent.until(tmp_path / "seen", "ready")
    assert agent.end(number) == 128 + signal.SIGKILL
    assert "heard" in (tmp_path / "seen").read_text()


def test_a_program_that_was_stopped_is_ended_with_its_agent(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    program = script(tmp_path, f"trap 'exit 9' TERM\necho $$ > {tmp_path}/seen\nwhile :; do sleep 0.05; done")
    agent = run(
        agents,
        tmp_path,
        config_of(role, variable("PASSWORD", tmp_path.name) + f"exec {{ command = [{program}] }}"),
        server.address,
    )
    agent.until(tmp_path / "seen", "\n")
    os.kill(int((tmp_path / "seen").read_text()), signal.SIGSTOP)
    assert agent.end() == 9


def test_a_program_may_take_its_time_where_nobody_has_asked_it_to_end(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    program = script(
        tmp_path, f"echo ready > {tmp_path}/seen\ntrap 'sleep 2; exit 9' HUP\nwhile :; do sleep 0.05; done"
    )
    config = config_of(role, variable("PASSWORD", tmp_path.name) + f"""
      exec {{ command = [{program}]  kill_timeout = "1s" }}""")  # fmt: skip
    agent = run(agents, tmp_path, config, server.address)
    agent.until(tmp_path / "seen", "ready")
    assert agent.end(signal.SIGHUP) == 9


@in_a_container
def test_as_the_first_process_of_a_container_it_tells_how_the_program_after_a_file_ended(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    program = script(tmp_path, f"touch {tmp_path}/seen\nexec sleep 600")
    config = config_of(role, variable("PASSWORD", tmp_path.name) + f"""
      exec {{ command = [{program}]  restart_on_secret_changes = "never"  kill_timeout = "1s" }}
      """ + file_of(tmp_path, '["sh", "-c", "(sleep 0.2 &) ; sleep 0.1; exit 3"]'))  # fmt: skip
    agent = run(agents, tmp_path, config, server.address, before=CONTAINER)
    try:
        agent.until(tmp_path / "agent.log", "ended with exit code 3")
        wait_until((tmp_path / "seen").exists, process=agent.process)
        for value in ("second", "third"):
            told = agent.said.count("ended with exit code 3")
            server.put(tmp_path.name, PASSWORD=value)
            wait_until(lambda told=told: agent.said.count("ended with exit code 3") > told, process=agent.process)
        wait_until(lambda: not _ended_children(first_process(agent)), process=agent.process)
    finally:
        os.kill(first_process(agent), signal.SIGTERM)
        agent.process.wait(60)


@in_a_container
def test_as_the_first_process_of_a_container_it_takes_note_of_orphans_without_a_program_to_run(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    config = config_of(role, file_of(tmp_path, f'["sh", "-c", "(sleep 0.2; touch {tmp_path}/left) & exit 3"]'))
    agent = run(agents, tmp_path, config, server.address, before=CONTAINER)
    try:
        wait_until((tmp_path / "left").exists, process=agent.process)
        agent.until(tmp_path / "agent.log", "ended with exit code 3")
        wait_until(lambda: not _ended_children(first_process(agent)), process=agent.process)
    finally:
        os.kill(first_process(agent), signal.SIGTERM)
        agent.process.wait(60)


def _ended_children(process: int) -> list[int]:
    children: list[int] = []
    for task in Path(f"/proc/{process}/task").iterdir():
        children += map(int, (task / "children").read_text().split())
    found = []
    for child in children:
        with contextlib.suppress(FileNotFoundError):
            if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                found.append(child)
    return found


def test_a_server_that_hangs_does_not_keep_the_agent_from_its_end(tmp_path: Path, agents: contextlib.ExitStack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        (tmp_path / "token-file").write_text("a-token")
        config = f"""auto_auth {{ method "token_file" {{ config {{ token_file_path = "{tmp_path}/token-file" }} }} }}
        template {{ contents = "x" destination = "{tmp_path}/out" }}"""
        agent = run(agents, tmp_path, config, f"http://127.0.0.1:{hanging.getsockname()[1]}")
        connection, _ = hanging.accept()
        with connection:
            agent.process.terminate()
            assert agent.process.wait(PATIENCE_SECONDS + 20) == 0  # it was thirty seconds for each part
