"""Templates stay up to date with what the server holds, and stay as they are while it does not answer."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from tests.agent.proxy.far_end import far_end
from tests.agent.workshop import READER, Server, Workshop
from tests.processes import free_port

from strongroom.agent.config_reader import BadConfig
from strongroom.agent.folders import OutputFolders
from strongroom.agent.goals import Goals
from strongroom.agent.rendering import Rendering, Renderings
from strongroom.agent.targets import FileTarget

INTERVAL = 60


class Agent(Workshop):
    """Renderings that are driven step by step, with a token from elsewhere."""

    def __init__(self, server: Server, templates: str, more: str = "", token: str = "") -> None:
        super().__init__(
            server,
            f"""
            auto_auth {{ method "token_file" {{ config {{ token_file_path = "/nowhere" }} }} }}
            template_config {{ static_secret_render_interval = "{INTERVAL}s"  {more} }}
            {templates}
            """,
            PATH="/usr/bin:/bin",
        )
        self.done: list[str] = []
        config = self.context.config
        folders = OutputFolders()
        found = [
            Rendering(self.context, item.source, FileTarget(self.context, item, folders), item.wait)
            for item in config.templates
        ]
        self.renderings = Renderings(self.context, found, Goals(["templates"], lambda: self.done.append("templates")))
        server.stack.callback(self.renderings.stop)
        self.context.tokens.replace(token or server.token)

    def step(self) -> float | None:
        return self.renderings.step()

    def later(self, seconds: float = INTERVAL + 1) -> float | None:
        self.clock.jump(seconds)
        return self.step()


def template(path: Path, contents: str, more: str = "") -> str:
    quoted = contents.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'template {{ contents = "{quoted}"  destination = "{path}"  {more} }}'


def of(name: str, inner: str = "{{ .Data.data.password }}") -> str:
    return f'{{{{ with secret "secret/data/{name}" }}}}{inner}{{{{ end }}}}'


@pytest.fixture
def name(tmp_path: Path) -> str:
    """A secret of this test's own."""
    return f"agent/{tmp_path.name}"


def test_a_template_is_rendered_into_a_private_file(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="first")
    agent = Agent(server, template(tmp_path / "out", "DB={{ 1 }}" + of(name)))
    due = agent.step()
    assert (tmp_path / "out").read_text() == "DB=1first"
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600
    assert due is not None
    assert INTERVAL * 0.8 < due <= INTERVAL
    assert agent.done == ["templates"]


def test_a_new_version_is_noticed_with_the_interval_and_not_before(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="first")
    agent = Agent(server, template(tmp_path / "out", of(name)))
    agent.step()
    server.put(name, password="second")
    agent.later(1)
    assert (tmp_path / "out").read_text() == "first"
    agent.later()
    assert (tmp_path / "out").read_text() == "second"


def test_a_path_without_data_in_it_is_read_as_well(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="first")
    source = f'{{{{ with secret "secret/{name}" }}}}{{{{ .Data.data.password }}}}{{{{ end }}}}'
    Agent(server, template(tmp_path / "out", source)).step()
    assert (tmp_path / "out").read_text() == "first"


def test_an_older_version_can_be_named(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="first")
    server.put(name, password="second")
    Agent(server, template(tmp_path / "out", of(f"{name}?version=1"))).step()
    assert (tmp_path / "out").read_text() == "first"


def test_names_below_a_path_are_listed(server: Server, tmp_path: Path, name: str) -> None:
    server.put(f"{name}/one", password="1")
    server.put(f"{name}/two", password="2")
    source = f'{{{{ range secrets "secret/metadata/{name}" }}}}{{{{ . }}}} {{{{ end }}}}'
    Agent(server, template(tmp_path / "out", source)).step()
    assert (tmp_path / "out").read_text() == "one two "


def test_nothing_is_rendered_before_somebody_is_logged_in(server: Server, tmp_path: Path, name: str) -> None:
    agent = Agent(server, template(tmp_path / "out", of(name)))
    agent.context.tokens.replace(None)
    assert agent.step() is None
    assert not (tmp_path / "out").exists()


def test_a_secret_that_is_not_there_yet_is_waited_for(server: Server, tmp_path: Path, name: str) -> None:
    agent = Agent(server, template(tmp_path / "out", of(name)))
    agent.step()
    assert "there is no secret at" in agent.said
    assert agent.done == []
    server.put(name, password="first")
    agent.later()
    assert (tmp_path / "out").read_text() == "first"


def test_a_secret_that_is_deleted_leaves_the_file_as_it_was(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="first")
    agent = Agent(server, template(tmp_path / "out", of(name)))
    agent.step()
    server.write(f"secret/data/{name}", method="DELETE")
    for _ in range(5):
        agent.later()
    assert (tmp_path / "out").read_text() == "first"
    assert agent.said.count("[ERROR]") == 1
    server.put(name, password="second")
    agent.later(400)
    assert (tmp_path / "out").read_text() == "second"
    assert "can be read again" in agent.said


def test_a_server_that_goes_away_leaves_the_file_as_it_was(
    server: Server, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(name, password="first")
    agent = Agent(server, template(tmp_path / "out", of(name)))
    agent.step()
    away = Workshop(Server(f"http://127.0.0.1:{free_port()}", "root"), agent.context.config)
    answers: Any = agent.renderings._answers
    client = away.context.client("root")
    answers.close()
    monkeypatch.setattr(answers, "_client", client)
    for _ in range(5):
        agent.later()
    assert (tmp_path / "out").read_text() == "first"
    assert agent.said.count("[ERROR]") == 1


def test_a_token_that_may_not_read_is_doubted_and_told(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="first")
    token = server.child_token(policies=["default"])
    agent = Agent(server, template(tmp_path / "out", of(name)), token=token)
    doubts: list[str] = []
    agent.context.tokens.on_doubt(doubts.append)
    agent.step()
    assert doubts == [token]
    assert "the server answered 403" in agent.said
    server.write("sys/policies/acl/agent-reader", {"policy": READER})
    agent.context.tokens.replace(server.child_token(policies=["agent-reader"]))
    agent.step()
    assert (tmp_path / "out").read_text() == "first"


def test_a_token_that_is_replaced_has_everything_read_anew(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="first")
    agent = Agent(server, template(tmp_path / "out", of(name)))
    agent.step()
    server.put(name, password="second")
    agent.context.tokens.replace(server.child_token(policies=["root"]))
    agent.step()
    assert (tmp_path / "out").read_text() == "second"


def test_a_missing_key_is_an_error_or_a_mark_as_the_configuration_says(
    server: Server, tmp_path: Path, name: str
) -> None:
    server.put(name, password="first")
    source = of(name, "{{ .Data.data.missing }}")
    agent = Agent(
        server,
        template(tmp_path / "lax", source) + template(tmp_path / "strict", source, "error_on_missing_key = true"),
    )
    agent.step()
    assert (tmp_path / "lax").read_text() == "<no value>"
    assert not (tmp_path / "strict").exists()
    assert "there is no key missing" in agent.said


def test_missing_keys_can_be_an_error_for_all_templates(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="first")
    agent = Agent(
        server, template(tmp_path / "out", of(name, "{{ .Data.data.missing }}")), "error_on_missing_key = true"
    )
    agent.step()
    assert not (tmp_path / "out").exists()


def test_one_template_that_fails_keeps_no_other_from_its_file(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="first")
    (tmp_path / "link").symlink_to("/nowhere")
    agent = Agent(
        server, template(tmp_path / "link", of(name)) + template(tmp_path / "out", of(name)) + template(
            tmp_path / "gone", of(name + "/missing"))
    )  # fmt: skip
    agent.step()
    assert (tmp_path / "out").read_text() == "first"
    assert agent.done == []


def test_a_program_runs_after_a_change_and_only_then(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="CANARY-first")
    command = f'command = ["sh", "-c", "echo run >> {tmp_path}/runs"]'
    agent = Agent(server, template(tmp_path / "out", of(name), f"exec {{ {command} }}"))
    agent.step()
    agent.later()
    assert (tmp_path / "runs").read_text() == "run\n"
    server.put(name, password="CANARY-second")
    agent.later()
    assert (tmp_path / "runs").read_text() == "run\nrun\n"
    again = Agent(server, template(tmp_path / "out", of(name), f"exec {{ {command} }}"))
    again.step()
    assert (tmp_path / "runs").read_text() == "run\nrun\n"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ('["sh", "-c", "exit 3"]', "ended with exit code 3"),
        ('["/nowhere/program"]', "no such file"),
        ('["sh", "-c", "sleep 600 & sleep 600"]', "did not end within 1 seconds, and was killed"),
    ],
)
def test_a_program_that_fails_is_told_of_and_the_file_stays(
    server: Server,
    tmp_path: Path,
    name: str,
    capfd: pytest.CaptureFixture[str],
    command: str,
    expected: str,
) -> None:
    server.put(name, password="CANARY-first")
    agent = Agent(server, template(tmp_path / "out", of(name), f'exec {{ command = {command}  timeout = "1s" }}'))
    agent.step()
    assert expected in agent.said
    assert (tmp_path / "out").read_text() == "CANARY-first"
    captured = capfd.readouterr()
    assert "CANARY" not in agent.said + captured.out + captured.err


def test_the_program_gets_no_token_and_nothing_on_its_input(
    server: Server, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    server.put(name, password="first")
    agent = Agent(server, template(tmp_path / "out", of(name), 'command = ["sh", "-c", "env; cat"]'))
    agent.context = agent.context._replace(environ={"PATH": "/usr/bin:/bin", "VAULT_TOKEN": "CANARY", "OTHER": "1"})
    config = agent.context.config.templates[0]
    FileTarget(agent.context, config, OutputFolders()).deliver("x")
    out = capfd.readouterr().out
    assert "OTHER=1" in out
    assert "CANARY" not in out


def test_several_changes_within_the_wait_are_one(server: Server, tmp_path: Path, name: str) -> None:
    server.put(f"{name}/a", password="1")
    server.put(f"{name}/b", password="1")
    agent = Agent(
        server,
        template(tmp_path / "out", of(f"{name}/a") + of(f"{name}/b"), 'wait { min = "10s"  max = "40s" }'),
    )
    agent.step()
    server.put(f"{name}/a", password="2")
    agent.later()
    assert (tmp_path / "out").read_text() == "11"
    server.put(f"{name}/b", password="2")
    agent.later(11)
    assert (tmp_path / "out").read_text() in {"21", "22"}


def test_a_template_of_another_language_is_a_mistake_of_the_configuration(server: Server, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"line \d+: the template for .*: line 1: env is not supported"):
        Agent(server, template(tmp_path / "out", '{{ env "HOME" }}'))


def test_it_ends_after_so_many_failures_where_the_configuration_says_so(
    server: Server, tmp_path: Path, name: str
) -> None:
    agent = Agent(server, template(tmp_path / "out", of(name)) + "vault { retry { num_retries = 3 } }",
                  "exit_on_retry_failure = true")  # fmt: skip
    for _ in range(3):
        agent.later()
        assert not agent.context.ending.is_asked_for
    agent.later(400)
    assert agent.context.ending.exit_code == 1


def test_it_never_ends_because_of_failures_otherwise(server: Server, tmp_path: Path, name: str) -> None:
    agent = Agent(server, template(tmp_path / "out", of(name)))
    for _ in range(40):
        agent.later(400)
    assert not agent.context.ending.is_asked_for
    assert agent.said.count("[ERROR]") == 1


@pytest.mark.parametrize("path", ["secret/data/../../sys/mounts", "secret//x", "secret/data/x?list=true", "."])
def test_a_path_that_would_lead_elsewhere_is_refused(server: Server, tmp_path: Path, path: str) -> None:
    agent = Agent(server, template(tmp_path / "out", f'{{{{ with secret "{path}" }}}}{{{{ end }}}}'))
    agent.step()
    assert not (tmp_path / "out").exists()
    assert "must not have" in agent.said or "only version=NUMBER" in agent.said


def test_secrets_that_nobody_uses_any_more_are_not_asked_for(server: Server, tmp_path: Path, name: str) -> None:
    server.put(f"{name}/which", password="a")
    server.put(f"{name}/a", password="1")
    server.put(f"{name}/b", password="2")
    source = (
        f'{{{{ $w := secret "secret/data/{name}/which" }}}}'
        f'{{{{ with secret (printf "secret/data/{name}/%s" $w.Data.data.password) }}}}'
        "{{ .Data.data.password }}{{ end }}"
    )
    agent = Agent(server, template(tmp_path / "out", source))
    agent.step()
    server.put(f"{name}/which", password="b")
    agent.later()
    assert (tmp_path / "out").read_text() == "2"
    answers: Any = agent.renderings._answers
    assert {key.path for key in answers._held} == {f"secret/data/{name}/which", f"secret/data/{name}/b"}


def test_no_value_is_in_the_journal(server: Server, tmp_path: Path, name: str) -> None:
    server.put(name, password="CANARY-value")
    agent = Agent(
        server,
        template(tmp_path / "out", of(name))
        + template(tmp_path / "broken", of(name, "{{ .Data.data.password | parseJSON }}")),
    )
    agent.step()
    assert "CANARY" not in agent.said
    assert "CANARY" not in repr(agent.renderings.__dict__)


@pytest.mark.parametrize("names", [{"data": None}, {"data": None, "metadata": "x"}, {"data": None, "metadata": None}])
def test_names_that_somebody_chose_in_a_store_without_versions_end_nothing(
    server: Server, tmp_path: Path, names: dict[str, Any]
) -> None:
    server.enable("mounts/plain", "kv", options={"version": "1"})
    server.write(f"plain/{tmp_path.name}", {**names, "password": "first"})
    inner = f'{{{{ with secret "plain/{tmp_path.name}" }}}}{{{{ .Data.password }}}}{{{{ end }}}}'
    Agent(server, template(tmp_path / "out", inner)).step()
    assert (tmp_path / "out").read_text() == "first"


@pytest.mark.parametrize("data", ["x", 1, True, ["a"], None])
def test_an_answer_of_another_shape_is_told_and_waited_for(server: Server, tmp_path: Path, data: Any) -> None:
    mount = {"data": {"path": "secret/", "type": "kv", "options": {"version": "1"}}}
    path = "sys/internal/ui/mounts/secret/app"
    with far_end(**{path: {"data": data}, "secret/app": {"data": {"password": "first"}}}) as end:
        agent = Agent(
            Server(end.address, "root", stack=server.stack),
            template(tmp_path / "out", '{{ with secret "secret/app" }}{{ .Data.password }}{{ end }}')
            + template(tmp_path / "names", '{{ range secrets "secret/app" }}{{ . }}{{ end }}'),
        )
        agent.step()
        assert not (tmp_path / "out").exists()
        assert "did not say which mount a path belongs to" in agent.said
        end.answers.update({path: mount, "secret/app": {"data": data}})
        agent.later()
        assert (tmp_path / "names").read_text() == ""
        end.answers["secret/app"] = {"data": {"password": "first"}}
        agent.later()
        agent.later()
        assert (tmp_path / "out").read_text() == "first"
