from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine


@pytest.fixture
def user(quick: CommandLine) -> CommandLine:
    """The command line of somebody who may log in as ``ana`` with the password ``CANARY-pw``, and has no token."""
    quick("auth", "enable", "userpass")
    quick.value("write", "auth/userpass/users/ana", "password=-", "token_policies=default", stdin="CANARY-pw")
    environ = {name: value for name, value in quick.environ.items() if name != "VAULT_TOKEN"}
    return type(quick)(quick.program, environ)


def test_a_login_keeps_the_token_for_the_next_command(user: CommandLine, tmp_path: Path) -> None:
    done = user("login", "-method=userpass", "username=ana", "password=-", stdin="CANARY-pw")
    assert done.exit_code == 0
    kept = tmp_path / ".vault-token"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert user.value("print", "token") == kept.read_text()
    assert json.loads(user("token", "lookup", "-format=json").out)["data"]["display_name"] == "userpass-ana"


def test_a_token_can_be_logged_in_from_standard_input(user: CommandLine, tmp_path: Path) -> None:
    assert user("login", "-", stdin="root\n").exit_code == 0
    assert (tmp_path / ".vault-token").read_text() == "root"


def test_a_login_can_leave_no_trace(user: CommandLine, tmp_path: Path) -> None:
    done = user(
        "login", "-method=userpass", "-no-store", "-format=json", "username=ana", "password=-", stdin="CANARY-pw"
    )
    assert json.loads(done.out)["auth"]["client_token"]
    only = user("login", "-method=userpass", "-token-only", "username=ana", "password=-", stdin="CANARY-pw")
    assert len(only.out.split()) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_approle_logs_in_with_its_secret_id_from_standard_input(quick: CommandLine, user: CommandLine) -> None:
    quick("auth", "enable", "approle")
    quick.value("write", "-f", "auth/approle/role/app")
    role = quick.value("read", "-field=role_id", "auth/approle/role/app/role-id")
    secret = quick.value("write", "-f", "-field=secret_id", "auth/approle/role/app/secret-id")
    done = user("login", "-method=approle", "-token-only", f"role_id={role}", "secret_id=-", stdin=secret + "\n")
    assert (done.exit_code, done.err) == (0, "")


def test_a_wrapped_login_is_opened_and_kept(user: CommandLine) -> None:
    done = user("login", "-method=userpass", "-wrap-ttl=60s", "username=ana", "password=-", stdin="CANARY-pw")
    assert done.exit_code == 0
    assert user("token", "lookup").exit_code == 0


@pytest.mark.parametrize("words", [["password=-"], []])
def test_a_failed_login_keeps_nothing_and_repeats_nothing(user: CommandLine, tmp_path: Path, words: list[str]) -> None:
    done = user("login", "-method=userpass", "username=ana", *words, stdin="CANARY-wrong")
    assert done.exit_code == 2
    assert "CANARY" not in done.out + done.err
    assert list(tmp_path.iterdir()) == []


def on_a_terminal(line: CommandLine, words: list[str], answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Runs a command with a terminal in front of it; types each answer when its question stands there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*line.program, *words], env=line.environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    seen = b""
    for question, reply in answers:
        while question.encode() not in seen:
            seen += os.read(ours, 4096)
        os.write(ours, reply.encode() + b"\n")
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return process.wait(timeout=60), seen.decode()


def test_what_is_typed_is_left_in_no_core_file(ours: CommandLine) -> None:
    terminal, theirs = pty.openpty()
    raised = ["sh", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "sh"]
    command = [*raised, *ours.program, "operator", "unseal"]
    with subprocess.Popen(
        command, env=ours.environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        seen = b""
        while b"(will be hidden)" not in seen:
            seen += os.read(terminal, 4096)
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        process.kill()
    for one in (terminal, theirs):
        os.close(one)
    assert re.search(r"Max core file size +0 ", limits)


def test_a_password_is_asked_for_and_not_shown(user: CommandLine, ours: CommandLine, tmp_path: Path) -> None:
    line = CommandLine(ours.program, user.environ)
    words = ["login", "-method=userpass", "username=ana"]
    code, screen = on_a_terminal(line, words, [("Password (will be hidden):", "CANARY-pw")])
    assert code == 0, screen
    assert "CANARY" not in screen
    assert (tmp_path / ".vault-token").exists()


def test_a_bare_key_is_asked_for(ours: CommandLine) -> None:
    words = ["kv", "put", "secret/asked", "password"]
    code, screen = on_a_terminal(ours, words, [("Value of password (will be hidden):", "CANARY")])
    assert code == 0, screen
    assert "CANARY" not in screen
    assert ours("kv", "get", "-field=password", "secret/asked").out == "CANARY"


def test_a_secret_on_the_command_line_is_warned_of_without_being_repeated(ours: CommandLine) -> None:
    code, screen = on_a_terminal(ours, ["kv", "put", "secret/warned", "password=CANARY"], [])
    assert code == 0
    assert "Warning: the value of password stands on the command line" in screen
    assert "CANARY" not in screen
    assert "Warning" not in on_a_terminal(ours, ["kv", "put", "secret/warned", "region=north"], [])[1]
    assert ours("kv", "put", "secret/warned", "password=x").err == ""


def test_nothing_is_asked_when_that_is_not_wanted(ours: CommandLine) -> None:
    code, screen = on_a_terminal(ours, ["kv", "put", "-non-interactive", "secret/asked", "password"], [])
    assert (code, "format must be key=value" in screen) == (1, True)
