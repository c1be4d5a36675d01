"""The agent as a process: it logs in, renders, runs its program, and survives what happens to it and to its server."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from tests.agent.running import config_of, run, script, variable
from tests.agent.workshop import Approle, Server
from tests.processes import free_port, wait_until

from strongroom.agent.output_file import scratch_name


def test_it_renders_and_ends_where_it_was_told_to(server: Server, tmp_path: Path, agents: contextlib.ExitStack) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="CANARY-value")
    inner = f'{{{{ with secret \\"secret/data/{tmp_path.name}\\" }}}}{{{{ .Data.data.PASSWORD }}}}{{{{ end }}}}'
    config = config_of(role, f'pid_file = "{tmp_path}/pid"\n'
                       f'template {{ contents = "{inner}" destination = "{tmp_path}/out" }}')  # fmt: skip
    agent = run(agents, tmp_path, config, server.address, "-exit-after-auth")
    assert agent.process.wait(60) == 0
    assert (tmp_path / "out").read_text() == "CANARY-value"
    assert not (tmp_path / "pid").exists()
    assert "CANARY" not in agent.said + agent.out


def test_the_program_has_the_values_and_neither_token(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="CANARY-value")
    program = script(tmp_path, f'env > {tmp_path}/seen; tr "\\0" " " < /proc/$$/cmdline > {tmp_path}/argv; exit 7')
    config = config_of(role, variable("PASSWORD", tmp_path.name) + f"exec {{ command = [{program}] }}")
    agent = run(agents, tmp_path, config, server.address)
    assert agent.process.wait(60) == 7
    seen = (tmp_path / "seen").read_text()
    assert "PASSWORD=CANARY-value" in seen
    assert "VAULT_TOKEN" not in seen
    assert "CANARY" not in (tmp_path / "argv").read_text() + agent.said


def test_the_program_is_started_again_when_a_value_changes(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    program = script(
        tmp_path,
        f"trap 'echo asked >> {tmp_path}/seen; exit 0' INT\necho $PASSWORD >> {tmp_path}/seen\n"
        "while :; do sleep 0.05; done",
    )
    config = config_of(role, variable("PASSWORD", tmp_path.name) + f"""
      exec {{ command = [{program}]  restart_stop_signal = "SIGINT" }}""")  # fmt: skip
    agent = run(agents, tmp_path, config, server.address)
    agent.until(tmp_path / "seen", "first\n")
    server.put(tmp_path.name, PASSWORD="second")
    agent.until(tmp_path / "seen", "first\nasked\nsecond\n")
    assert agent.end() == 128 + signal.SIGTERM


def test_the_program_goes_on_where_changes_are_not_for_it(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    program = script(tmp_path, f"echo $PASSWORD >> {tmp_path}/seen\nexec sleep 600")
    config = config_of(role, variable("PASSWORD", tmp_path.name) + f"""
      exec {{ command = [{program}]  restart_on_secret_changes = "never" }}""")  # fmt: skip
    agent = run(agents, tmp_path, config, server.address)
    agent.until(tmp_path / "seen", "first")
    server.put(tmp_path.name, PASSWORD="second")
    agent.until(tmp_path / "agent.log", "goes on with those it has")
    agent.end()
    assert (tmp_path / "seen").read_text() == "first\n"


def test_signals_reach_the_program_and_its_exit_code_is_the_agents(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    program = script(
        tmp_path,
        f"trap 'echo usr1 >> {tmp_path}/seen' USR1\ntrap 'exit 9' TERM\necho ready >> {tmp_path}/seen\n"
        "while :; do sleep 0.05; done",
    )
    config = config_of(role, variable("PASSWORD", tmp_path.name) + f"exec {{ command = [{program}] }}")
    agent = run(agents, tmp_path, config, server.address)
    agent.until(tmp_path / "seen", "ready")
    agent.process.send_signal(signal.SIGUSR1)
    agent.until(tmp_path / "seen", "usr1")
    assert agent.end() == 9


def test_a_hangup_is_for_the_program_and_keeps_it_from_no_later_start(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    program = script(
        tmp_path,
        f"trap 'echo hup >> {tmp_path}/seen' HUP\necho $PASSWORD >> {tmp_path}/seen\n"
        "trap 'exit 0' TERM\nwhile :; do sleep 0.05; done",
    )
    config = config_of(role, variable("PASSWORD", tmp_path.name) + f"exec {{ command = [{program}] }}")
    agent = run(agents, tmp_path, config, server.address)
    agent.until(tmp_path / "seen", "first\n")
    agent.process.send_signal(signal.SIGHUP)
    agent.until(tmp_path / "seen", "first\nhup\n")
    server.put(tmp_path.name, PASSWORD="second")
    agent.until(tmp_path / "seen", "first\nhup\nsecond\n")


def test_values_in_the_programs_output_are_masked(server: Server, tmp_path: Path, agents: contextlib.ExitStack) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="CANARY-value")
    config = config_of(role, variable("PASSWORD", tmp_path.name) + 'exec { command = ["env"] }')
    agent = run(agents, tmp_path, config, server.address)
    assert agent.process.wait(60) == 0
    assert "PASSWORD=[redacted: PASSWORD]" in agent.out
    assert "CANARY" not in agent.out


def test_a_program_that_is_not_there_ends_the_agent_as_a_shell_would(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="CANARY-value")
    config = config_of(role, variable("PASSWORD", tmp_path.name) + 'exec { command = ["/nowhere/app"] }')
    agent = run(agents, tmp_path, config, server.address)
    assert agent.process.wait(60) == 127
    assert "CANARY" not in agent.said + agent.out


def test_it_waits_for_a_server_that_is_not_there_and_can_be_ended(tmp_path: Path, agents: contextlib.ExitStack) -> None:
    (tmp_path / "token-file").write_text("hvs.CANARY-token")
    config = f"""auto_auth {{ method "token_file" {{ config {{ token_file_path = "{tmp_path}/token-file" }} }} }}
    env_template "A" {{ contents = "{{{{ with secret \\"x\\" }}}}{{{{ end }}}}" }}
    exec {{ command = ["true"] }}"""
    agent = run(agents, tmp_path, config, f"http://127.0.0.1:{free_port()}")
    agent.until(tmp_path / "agent.log", "logging in does not work")
    assert agent.end() == 0
    assert "CANARY" not in agent.said


def test_it_looks_at_once_when_it_is_told_to(server: Server, tmp_path: Path, agents: contextlib.ExitStack) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    inner = f'{{{{ with secret \\"secret/data/{tmp_path.name}\\" }}}}{{{{ .Data.data.PASSWORD }}}}{{{{ end }}}}'
    config = config_of(role, f'template {{ contents = "{inner}" destination = "{tmp_path}/out" }}').replace(
        '"1s"', '"1h"'
    )
    agent = run(agents, tmp_path, config, server.address)
    agent.until(tmp_path / "out", "first")
    server.put(tmp_path.name, PASSWORD="second")
    agent.process.send_signal(signal.SIGHUP)
    agent.until(tmp_path / "out", "second")


def test_a_token_that_is_revoked_is_replaced_and_what_it_rendered_follows_on(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    inner = f'{{{{ with secret \\"secret/data/{tmp_path.name}\\" }}}}{{{{ .Data.data.PASSWORD }}}}{{{{ end }}}}'
    config = config_of(role, f'template {{ contents = "{inner}" destination = "{tmp_path}/out" }}').replace(
        "auto_auth {", f'auto_auth {{ sink "file" {{ config {{ path = "{tmp_path}/token" }} }}'
    )
    agent = run(agents, tmp_path, config, server.address)
    agent.until(tmp_path / "out", "first")
    token = (tmp_path / "token").read_text()
    server.write("auth/token/revoke", {"token": token})
    server.put(tmp_path.name, PASSWORD="second")
    agent.until(tmp_path / "out", "second")
    assert server.lives((tmp_path / "token").read_text())
    assert token not in agent.said
    assert agent.end() == 0


def test_a_kill_at_any_moment_leaves_whole_files_and_a_new_start_works(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    sizes = 400_000
    contents = {letter: letter * sizes for letter in "abcdef"}
    # So many that there is always one being written.
    inner = f'{{{{ with secret \\"secret/data/{tmp_path.name}\\" }}}}{{{{ .Data.data.V }}}}{{{{ end }}}}'
    templates = "".join(
        f'template {{ contents = "{inner}" destination = "{tmp_path}/out/{number}" }}\n' for number in range(20)
    )
    config = config_of(role, templates)
    for round_, letter in enumerate("abcdef"):
        server.put(tmp_path.name, V=contents[letter])
        agent = run(agents, tmp_path, config, server.address)
        wait_until(
            lambda number=round_, letter=letter: _starts_with(tmp_path / "out" / str(number * 3), letter),
            process=agent.process,
        )
        agent.process.kill()
        agent.process.wait(60)
        for file in (tmp_path / "out").glob("[0-9]*"):
            assert file.read_text() in contents.values()
            assert file.stat().st_mode & 0o777 == 0o600
        for left in (tmp_path / "out").glob(".*"):
            assert left.name in {scratch_name(str(number)) for number in range(20)}
            assert left.stat().st_mode & 0o077 == 0
    agent = run(agents, tmp_path, config, server.address, "-exit-after-auth")
    assert agent.process.wait(60) == 0
    assert {file.read_text() for file in (tmp_path / "out").iterdir()} == {contents["f"]}


def _starts_with(file: Path, letter: str) -> bool:
    with contextlib.suppress(FileNotFoundError), file.open() as stream:
        return stream.read(1) == letter
    return False


def test_a_configuration_that_is_wrong_is_told_and_nothing_starts(tmp_path: Path, agents: contextlib.ExitStack) -> None:
    agent = run(agents, tmp_path, 'auto_auth { method "aws" {} }', "http://127.0.0.1:1")
    assert agent.process.wait(60) == 1
    assert "agent.hcl: line 1: there is no such method here" in agent.said


def test_the_configuration_can_be_checked_alone(server: Server, tmp_path: Path, agents: contextlib.ExitStack) -> None:
    role = Approle.made(server, tmp_path)
    good = config_of(role, f'log_file = "/x"\ntemplate {{ contents = "x" destination = "{tmp_path}/out" }}')
    agent = run(agents, tmp_path, good, server.address, "-check")
    assert agent.process.wait(60) == 0
    assert "log_file has no effect" in agent.said
    assert not (tmp_path / "out").exists()


def test_an_agent_whose_log_has_no_reader_any_more_goes_on(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    inner = f'{{{{ with secret \\"secret/data/{tmp_path.name}\\" }}}}{{{{ .Data.data.PASSWORD }}}}{{{{ end }}}}'
    config = config_of(role, f'template {{ contents = "{inner}" destination = "{tmp_path}/out" }}')
    os.mkfifo(tmp_path / "agent.log")
    reader = os.open(tmp_path / "agent.log", os.O_RDONLY | os.O_NONBLOCK)
    try:
        agent = run(agents, tmp_path, config, server.address)
        agent.until(tmp_path / "out", "first")
    finally:
        os.close(reader)
    for value in ("second", "third"):
        server.put(tmp_path.name, PASSWORD=value)
        agent.until(tmp_path / "out", value)


def test_a_value_that_no_variable_can_carry_does_not_stop_the_program(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    program = script(tmp_path, f"echo ${{#PASSWORD}} >> {tmp_path}/seen\nexec sleep 600")
    config = config_of(role, variable("PASSWORD", tmp_path.name) + f"exec {{ command = [{program}] }}")
    agent = run(agents, tmp_path, config, server.address)
    agent.until(tmp_path / "seen", "5\n")
    server.put(tmp_path.name, PASSWORD="x" * 140_000)
    agent.until(tmp_path / "agent.log", "PASSWORD stays as it is: it has 140,010 bytes with its name")
    server.put(tmp_path.name, PASSWORD="third value")
    agent.until(tmp_path / "seen", "5\n11\n")


def test_how_the_program_after_a_file_ended_is_told_beside_the_one_that_is_supervised(
    server: Server, tmp_path: Path, agents: contextlib.ExitStack
) -> None:
    role = Approle.made(server, tmp_path)
    server.put(tmp_path.name, PASSWORD="first")
    inner = f'{{{{ with secret \\"secret/data/{tmp_path.name}\\" }}}}{{{{ .Data.data.PASSWORD }}}}{{{{ end }}}}'
    program = script(tmp_path, f"touch {tmp_path}/seen\nexec sleep 600")
    config = config_of(role, variable("PASSWORD", tmp_path.name) + f"""
      exec {{ command = [{program}]  restart_on_secret_changes = "never" }}
      template {{ contents = "{inner}" destination = "{tmp_path}/out"
        exec {{ command = ["sh", "-c", "sleep 0.1; exit 3"] }} }}""")  # fmt: skip
    agent = run(agents, tmp_path, config, server.address)
    agent.until(tmp_path / "agent.log", "ended with exit code 3")
    wait_until((tmp_path / "seen").exists, process=agent.process)
    server.put(tmp_path.name, PASSWORD="second")
    wait_until(lambda: agent.said.count("ended with exit code 3") == 2, process=agent.process)
