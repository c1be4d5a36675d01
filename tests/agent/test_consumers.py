"""The agent tells which versions its templates run; nothing waits for that, and nothing is told twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.agent.proxy.far_end import FarEnd, far_end
from tests.agent.workshop import READER, Approle, Server, Workshop
from tests.processes import wait_until

from strongroom.agent.config_values import AgentConfig
from strongroom.agent.consumers import Reporter, Running, default_name
from strongroom.agent.main import Agent

APP = Running("secret/data/app", 3)
OTHER = Running("secret/data/other", 1)


def reporter(address: str, token: str | None = "token") -> tuple[Workshop, Reporter]:
    workshop = Workshop(Server(address, ""), AgentConfig("/etc/strongroom/agent.hcl"), level="debug")
    workshop.context.tokens.replace(token)
    return workshop, Reporter(workshop.context, "web")


def told(end: FarEnd) -> list[list[str]]:
    """The secrets of each report that has come."""
    import json

    return [json.loads(one.body)["secrets"] for one in end.received if one.target == "/v1/sys/consumers/web"]


def test_what_all_templates_run_is_reported_once_and_again_when_it_changes_or_its_time_is_near() -> None:
    with far_end(**{"sys/consumers/web": (204, b"")}) as end:
        workshop, part = reporter(end.address)
        assert part.step() is None, "there is nothing to tell yet"
        part.runs("one", [APP])
        part.runs("two", [OTHER, APP])
        assert part.step() == 1200
        part.step()
        assert told(end) == [["secret/data/app@3", "secret/data/other@1"]]
        part.runs("two", [])
        part.step()
        assert told(end)[1:] == [["secret/data/app@3"]]
        workshop.clock.jump(1200)
        part.step()
        assert len(told(end)) == 3


def test_another_token_is_another_consumer_and_without_one_nothing_is_sent() -> None:
    with far_end(**{"sys/consumers/web": (204, b"")}) as end:
        workshop, part = reporter(end.address, None)
        part.runs("one", [APP])
        assert part.step() is None
        for token in ("first", "second"):
            workshop.context.tokens.replace(token)
            part.step()
        assert [one.headers["x-vault-token"] for one in end.received] == ["first", "second"]


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_report_that_fails_is_tried_again_ever_more_rarely(status: int) -> None:
    with far_end(**{"sys/consumers/web": (status, {"errors": ["no"]})}) as end:
        _, part = reporter(end.address)
        part.runs("one", [APP])
        waits = [part.step() or 0 for _ in range(4)]
        assert waits == sorted(waits)
        assert waits[0] > 0
        end.answers["sys/consumers/web"] = (204, b"")
        assert part.step() == 1200


def test_a_server_that_is_away_is_no_failure_of_the_agent() -> None:
    with far_end() as end:
        pass
    workshop, part = reporter(end.address)
    part.runs("one", [APP])
    assert (part.step() or 0) > 0
    assert not workshop.context.ending.is_asked_for


def test_a_server_that_knows_no_reports_is_left_in_peace() -> None:
    with far_end() as end:
        _, part = reporter(end.address)
        part.runs("one", [APP])
        assert [part.step(), part.step()] == [None, None]
        assert len(end.received) == 1


@pytest.mark.parametrize(
    ("file", "host", "name"),
    [
        ("/etc/strongroom/web.hcl", "node-1", "node-1.web"),
        ("/etc/a b/§§.hcl", "ä.example", "example"),
        ("", "", "agent"),
        ("x" * 300, "n", f"n.{'x' * 126}"),
    ],
)
def test_a_consumer_is_called_by_its_machine_and_its_configuration(file: str, host: str, name: str) -> None:
    assert default_name(file, host) == name


def test_an_agent_reports_what_it_rendered_and_what_it_renders_next(server: Server, tmp_path: Path) -> None:
    server.write("sys/policies/acl/agent-reader", {"policy": READER})
    server.put("reported", password="first")
    role = Approle.made(server, tmp_path)
    output = tmp_path / "out"
    text = '{{ with secret \\"secret/reported\\" }}{{ .Data.data.password }}{{ end }}'
    workshop = Workshop(
        server,
        f"""auto_auth {{ {role.method()} }}
        template_config {{ static_secret_render_interval = "1s" }}
        template {{ contents = "{text}"  destination = "{output}" }}""",
    )
    agent = Agent(workshop.context)

    def versions() -> list[int]:
        with server.client() as client:
            found = client.list("sys/consumers", {"secret": "secret/data/reported"}) or {}
        info = found.get("data", {}).get("key_info", {})
        return [number for one in info.values() for entry in one["consumers"] for number in entry["versions"]]

    try:
        for part in agent.parts:
            part.start()
        wait_until(lambda: versions() == [1])
        server.put("reported", password="second")
        agent._look_now()
        wait_until(lambda: versions() == [2])
        assert output.read_text() == "second"
    finally:
        for part in reversed(agent.parts):
            part.stop()
