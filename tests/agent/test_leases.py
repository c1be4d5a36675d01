"""Secrets with leases are renewed while that goes, and replaced with what uses them before they end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.agent.leasing import Leasing, leasing
from tests.agent.test_rendering import Agent, template
from tests.agent.workshop import Server

SOURCE = '{{ with secret "database/creds/app" }}{{ .Data.username }}{{ end }}'


@pytest.fixture
def database() -> Iterator[Leasing]:
    with leasing() as state:
        yield state


@pytest.fixture
def server(database: Leasing) -> Iterator[Server]:
    with contextlib.ExitStack() as stack:
        yield Server(database.address, "root", stack=stack)


def agent_of(server: Server, tmp_path: Path, more: str = "") -> Agent:
    return Agent(server, template(tmp_path / "out", SOURCE), more)


def test_a_lease_is_renewed_at_two_thirds_of_its_life(server: Server, database: Leasing, tmp_path: Path) -> None:
    database.grants = [100, 100]
    agent = agent_of(server, tmp_path)
    for number in (1, 2):
        due = agent.step()
        assert due is not None
        assert 59 < due <= 67
        agent.later(due - 1)
        assert len(database.renewed) == number - 1
        agent.later(2)
        assert database.renewed == ["database/creds/app/1"] * number
    assert (tmp_path / "out").read_text() == "user-1"
    assert database.made == 1


def test_a_lease_that_is_not_renewed_any_more_is_replaced_and_rendered(server: Server, tmp_path: Path) -> None:
    agent = agent_of(server, tmp_path)
    agent.step()
    agent.later(67)
    assert (tmp_path / "out").read_text() == "user-2"


def test_a_lease_whose_renewals_grow_short_is_replaced_before_it_ends(
    server: Server, database: Leasing, tmp_path: Path
) -> None:
    database.grants = [20]
    agent = agent_of(server, tmp_path)
    agent.step()
    due = agent.later(67)
    assert due is not None
    assert due <= 18
    assert (tmp_path / "out").read_text() == "user-1"
    agent.later(due)
    assert (tmp_path / "out").read_text() == "user-2"
    assert len(database.renewed) == 1


@pytest.mark.parametrize(("threshold", "least", "most"), [("0.9", 80, 90), ("0.5", 44, 50)])
def test_a_lease_that_cannot_be_renewed_is_replaced_late_in_its_life(
    server: Server, database: Leasing, tmp_path: Path, threshold: str, least: float, most: float
) -> None:
    database.renewable = False
    agent = agent_of(server, tmp_path, f"lease_renewal_threshold = {threshold}")
    due = agent.step()
    assert due is not None
    assert least < due <= most
    agent.later(due)
    assert (tmp_path / "out").read_text() == "user-2"
    assert database.renewed == []


def test_a_server_that_is_sealed_takes_nothing_away(server: Server, database: Leasing, tmp_path: Path) -> None:
    agent = agent_of(server, tmp_path)
    agent.step()
    database.is_sealed = True
    for _ in range(10):
        agent.later(67)
    assert (tmp_path / "out").read_text() == "user-1"
    assert agent.said.count("[ERROR]") == 1
    database.is_sealed = False
    agent.later(400)
    assert (tmp_path / "out").read_text() == "user-2"


@pytest.mark.parametrize("ttl", [10**400, -5, True, "60", None, 1.5])
def test_a_lifetime_of_any_kind_ends_nobody(server: Server, database: Leasing, tmp_path: Path, ttl: Any) -> None:
    database.ttl = ttl
    agent = agent_of(server, tmp_path)
    due = agent.step()
    assert due is not None
    assert due > 0
    assert (tmp_path / "out").read_text() == "user-1"


def test_a_secret_that_is_nested_beyond_reason_ends_nobody(server: Server, database: Leasing, tmp_path: Path) -> None:
    agent = agent_of(server, tmp_path)
    agent.step()
    database.grants, database.depth = [], 200
    agent.later(67)
    assert (tmp_path / "out").read_text() == "user-1"
    assert "nested deeper" in agent.said


@pytest.mark.parametrize("user", ["\ud800", "a/../b", "x\ny", "", "?"])
def test_a_value_that_cannot_be_a_path_keeps_no_other_template_back(
    server: Server, database: Leasing, tmp_path: Path, user: str
) -> None:
    database.user = user
    following = '{{ with secret "database/creds/app" }}{{ with secret .Data.username }}{{ end }}{{ end }}'
    agent = Agent(server, template(tmp_path / "broken", following) + template(tmp_path / "out", SOURCE))
    agent.step()
    assert not (tmp_path / "broken").exists()
    assert (tmp_path / "out").exists()


def test_another_token_brings_another_lease(server: Server, database: Leasing, tmp_path: Path) -> None:
    agent = agent_of(server, tmp_path)
    agent.step()
    agent.context.tokens.replace("another")
    agent.step()
    assert (tmp_path / "out").read_text() == "user-2"
    assert database.renewed == []


def test_two_templates_share_one_lease(server: Server, tmp_path: Path) -> None:
    agent = Agent(server, template(tmp_path / "one", SOURCE) + template(tmp_path / "two", SOURCE))
    agent.step()
    assert (tmp_path / "one").read_text() == (tmp_path / "two").read_text() == "user-1"
    agent.later(67)
    assert (tmp_path / "one").read_text() == (tmp_path / "two").read_text() == "user-2"
    assert "CANARY" not in agent.said
