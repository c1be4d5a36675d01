"""The agent stays logged in: it renews, logs in again, survives a server that is away, and says each failure once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.agent.workshop import Approle, Server, Workshop
from tests.processes import free_port

from strongroom.agent.folders import OutputFolders
from strongroom.agent.goals import Goals
from strongroom.agent.input_file import CannotRemove, remove_input
from strongroom.agent.login import CHECK_SECONDS, Login


class Agent(Workshop):
    """A login that is driven step by step."""

    def __init__(self, server: Server, method: str, sinks: str = "", more: str = "exit_after_auth = true") -> None:
        super().__init__(server, f"auto_auth {{ {method} {sinks} }} {more}", level="debug")
        self.done: list[str] = []
        assert self.context.config.auto_auth is not None
        goals = Goals(["sinks"], lambda: self.done.append("sinks"))
        self.login = Login(self.context, self.context.config.auto_auth, OutputFolders(), goals)

    def step(self) -> float:
        return self.login.step()

    @property
    def token(self) -> str:
        found = self.context.tokens.current()
        assert found is not None
        return found


def sink(path: Path, inner: str = "", outer: str = "") -> str:
    return f'sink "file" {{ {outer} config = {{ path = "{path}" {inner} }} }}'


def token_file(path: Path) -> str:
    return f'method "token_file" {{ config = {{ token_file_path = "{path}" }} }}'


def test_it_logs_in_with_approle_and_writes_the_token_to_the_sink(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = Agent(server, role.method(), sink(tmp_path / "token"))
    agent.step()
    assert (tmp_path / "token").read_text() == agent.token
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert server.lives(agent.token)
    assert agent.done == ["sinks"]


def test_the_secret_id_is_removed_once_read_and_used_again_from_memory(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = Agent(server, role.method())
    agent.step()
    assert not role.secret_file.exists()
    role.role_file.unlink()
    first = agent.token
    agent.clock.jump(301)
    agent.step()
    assert agent.token != first


def test_a_secret_id_that_cannot_be_removed_is_told_and_used(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    # As systemd's credentials are: their folder lets nobody change it. The process file system refuses even root.
    role.secret_file.unlink()
    assert role.give_secret_id()
    agent = Agent(server, role.method())

    def refuse(path: str) -> None:
        raise CannotRemove(f"{path} was read and should be removed, but stays")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("strongroom.agent.methods.remove_input", refuse)
        agent.step()
    assert server.lives(agent.token)
    assert "should be removed, but stays" in agent.said


def test_a_file_on_a_read_only_file_system_is_said_to_stay() -> None:
    with pytest.raises(CannotRemove, match="should be removed, but stays"):
        remove_input("/proc/self/status")


def test_the_secret_id_stays_where_the_configuration_says_so(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = Agent(server, role.method("remove_secret_id_file_after_reading = false"))
    agent.step()
    assert role.secret_file.exists()


def test_a_wrapped_secret_id_is_opened_once(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    role.give_secret_id(wrap_ttl="60s")
    where = f'secret_id_response_wrapping_path = "auth/approle/role/{role.name}/secret-id"'
    agent = Agent(server, role.method(where))
    agent.step()
    assert server.lives(agent.token)


def test_a_secret_id_that_was_wrapped_elsewhere_is_refused(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    role.give_secret_id(wrap_ttl="60s")
    agent = Agent(server, role.method('secret_id_response_wrapping_path = "auth/approle/role/other/secret-id"'))
    agent.step()
    assert agent.context.tokens.current() is None
    assert "made elsewhere" in agent.said
    assert role.secret_file.exists()


def test_a_wrapped_secret_id_that_somebody_opened_is_told(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    wrapped = role.give_secret_id(wrap_ttl="60s")
    with server.client(wrapped) as thief:
        thief.write("sys/wrapping/unwrap")
    agent = Agent(server, role.method(f'secret_id_response_wrapping_path = "auth/approle/role/{role.name}/secret-id"'))
    agent.step()
    assert "somebody else has opened it" in agent.said
    assert wrapped not in agent.said


def test_a_token_is_renewed_at_two_thirds_of_its_life_and_not_before(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = Agent(server, role.method())
    due = agent.step()
    assert 170 < due <= 200
    before = agent.token
    agent.clock.jump(due + 1)
    agent.step()
    assert agent.token == before
    assert "the token was renewed" in agent.said


def test_a_token_whose_renewals_grow_short_is_replaced(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = Agent(server, role.method())
    due = agent.step()
    first = agent.token
    server.write(f"auth/approle/role/{role.name}", {"token_ttl": "60s", "token_policies": ["agent-reader"]})
    agent.clock.jump(due)
    due = agent.step()
    assert agent.token == first
    assert due <= 40
    agent.clock.jump(due)
    agent.step()
    assert agent.token != first


def test_a_revoked_token_is_noticed_and_replaced_in_the_sink(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = Agent(server, role.method(), sink(tmp_path / "token"))
    agent.step()
    first = agent.token
    server.write("auth/token/revoke", {"token": first})
    agent.context.tokens.doubt(first)
    agent.step()
    assert agent.token != first
    assert (tmp_path / "token").read_text() == agent.token
    assert "does not know the token any more" in agent.said


def test_a_revoked_token_is_noticed_in_time_where_nobody_works_with_it(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path, token_ttl="50h", token_max_ttl="60h")
    agent = Agent(server, role.method())
    assert agent.step() <= CHECK_SECONDS
    first = agent.token
    server.write("auth/token/revoke", {"token": first})
    agent.clock.jump(CHECK_SECONDS)
    agent.step()
    assert agent.token != first


def test_a_doubt_about_a_token_that_lives_changes_nothing(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = Agent(server, role.method())
    agent.step()
    first = agent.token
    agent.context.tokens.doubt(first)
    agent.step()
    assert agent.token == first


def test_a_server_that_is_away_is_asked_ever_more_rarely_and_told_of_once(tmp_path: Path) -> None:
    (tmp_path / "token-file").write_text("hvs.CANARYCANARYCANARY")
    away = Server(f"http://127.0.0.1:{free_port()}", "root")
    agent = Agent(away, token_file(tmp_path / "token-file"))
    waits = []
    for _ in range(12):
        wait = agent.step()
        agent.clock.jump(wait)
        waits.append(wait)
    assert 0.7 < waits[0] <= 1
    assert all(3 * 2 ** (number - 2) <= wait <= 2**number for number, wait in enumerate(waits[:8]) if number > 1)
    assert max(waits) <= 300
    assert agent.said.count("[ERROR]") == 1
    assert "CANARY" not in agent.said
    assert not agent.context.ending.is_asked_for


def test_it_ends_at_a_failure_where_the_configuration_says_so(tmp_path: Path) -> None:
    (tmp_path / "token-file").write_text("hvs.token")
    away = Server(f"http://127.0.0.1:{free_port()}", "root")
    method = f'method "token_file" {{ exit_on_err = true  config = {{ token_file_path = "{tmp_path}/token-file" }} }}'
    agent = Agent(away, method)
    agent.step()
    assert agent.context.ending.is_asked_for
    assert agent.context.ending.exit_code == 1


def test_a_token_that_somebody_else_made_is_used_and_renewed(server: Server, tmp_path: Path) -> None:
    token = server.child_token(policies=["default"], ttl="100s", renewable=True)
    (tmp_path / "token-file").write_text(token + "\n")
    agent = Agent(server, token_file(tmp_path / "token-file"), sink(tmp_path / "token"))
    due = agent.step()
    assert agent.token == token
    assert due < 70
    agent.clock.jump(due)
    agent.step()
    assert "the token was renewed" in agent.said


def test_a_root_token_has_no_end_to_prepare_for(server: Server, tmp_path: Path) -> None:
    (tmp_path / "token-file").write_text(server.token)
    agent = Agent(server, token_file(tmp_path / "token-file"))
    assert agent.step() == CHECK_SECONDS


def test_a_file_that_is_missing_is_waited_for(server: Server, tmp_path: Path) -> None:
    agent = Agent(server, token_file(tmp_path / "token-file"))
    wait = agent.step()
    assert "no such file" in agent.said
    (tmp_path / "token-file").write_text(server.token)
    agent.clock.jump(wait)
    agent.step()
    assert agent.token == server.token


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe", b"hvs.\x00x", b"x" * 100_000])
def test_a_file_with_something_else_in_it_is_refused(server: Server, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token-file").write_bytes(content)
    agent = Agent(server, token_file(tmp_path / "token-file"))
    agent.step()
    assert agent.context.tokens.current() is None
    assert str(tmp_path / "token-file") in agent.said


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_pipe_or_a_folder_in_place_of_a_file_keeps_nobody_waiting(
    server: Server, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "token-file")
    agent = Agent(server, token_file(tmp_path / "token-file"))
    agent.step()
    assert "this is no file" in agent.said


def test_a_token_that_the_server_refuses_is_in_no_line(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    role.secret_file.write_text("CANARY-secret-id")
    agent = Agent(server, role.method())
    agent.step()
    assert "the server answered 400" in agent.said
    assert "CANARY" not in agent.said


def test_a_sink_can_hold_the_token_wrapped(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = Agent(server, role.method(), sink(tmp_path / "token", outer='wrap_ttl = "60s"'))
    agent.step()
    account = json.loads((tmp_path / "token").read_text())
    with server.client(account["token"]) as client:
        answer = client.write("sys/wrapping/unwrap") or {}
    assert answer["data"]["token"] == agent.token
    assert agent.token not in (tmp_path / "token").read_text()


def test_a_login_can_be_wrapped_for_the_sink_alone(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = Agent(server, role.method(outer='wrap_ttl = "60s"'), sink(tmp_path / "token"))
    due = agent.step()
    assert agent.context.tokens.current() is None
    assert due <= 40
    account = json.loads((tmp_path / "token").read_text())
    with server.client(account["token"]) as client:
        answer = client.write("sys/wrapping/unwrap") or {}
    assert server.lives(answer["auth"]["client_token"])


def test_a_sink_that_cannot_be_written_is_tried_again(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    (tmp_path / "token").symlink_to("/nowhere")
    agent = Agent(server, role.method(), sink(tmp_path / "token"))
    wait = agent.step()
    assert agent.done == []
    assert "link" in agent.said
    (tmp_path / "token").unlink()
    agent.clock.jump(wait)
    agent.step()
    assert (tmp_path / "token").read_text() == agent.token
    assert agent.done == ["sinks"]


def test_an_expired_token_is_given_to_nobody(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = Agent(server, role.method())
    agent.step()
    server.write(f"auth/approle/role/{role.name}", method="DELETE")
    agent.clock.jump(301)
    agent.step()
    assert agent.context.tokens.current() is None
