from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

PROJECT = """
environment = "workshop"
secrets = ["sr:///whole"]

[variables]
URL = "sr:///app#url"
"""


@pytest.fixture
def line(quick: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A project in an environment that is not the most sensitive one, and one that is."""
    for rank, name in ((40, "workshop"), (1000, "shop")):
        quick("secrets", "enable", f"-path=own-{name}", "-version=2", "kv")
        quick.value("write", f"sys/environments/{name}", f"rank={rank}", f"mounts=own-{name}")
        quick.value("kv", "put", f"own-{name}/app", f"url=https://{name}.example")
        quick.value("kv", "put", f"own-{name}/whole", f"WHERE={name}")
    for path in ("own-workshop/app", "own-workshop/whole"):
        quick("env", "override", "unset", path)
    (tmp_path / ".strongroom.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return quick


def variables(line: CommandLine, *words: str) -> dict[str, str]:
    """Where run would take each variable from."""
    listed = json.loads(line.value("run", "-dry-run", "-format=json", *words, "--", "true"))
    return {item["name"]: item["source"] for item in listed}


def test_an_override_wins_over_everything_of_the_environment(line: CommandLine) -> None:
    assert variables(line)["URL"] == "sr://workshop/app#url"
    line.value("env", "override", "set", "-env=workshop", "app", "url=-", stdin="http://localhost")
    line.value("env", "override", "set", "sr://workshop/whole", "WHERE=mine", "ADDED=too")
    found = variables(line)
    assert found["URL"] == "your override of sr://workshop/app#url"
    assert found["WHERE"] == found["ADDED"] == "your override of sr://workshop/whole"
    assert line.value("read", "sr://workshop/app#url") == "http://localhost"
    assert line.value("kv", "get", "-field=url", "own-workshop/app") == "https://workshop.example"
    assert variables(line, "-env=shop")["URL"] == "sr://shop/app#url"


def test_explain_shows_the_override_first(line: CommandLine) -> None:
    line.value("env", "override", "set", "own-workshop/app", "url=x")
    origins = json.loads(line.value("explain", "-format=json", "URL"))
    assert [(origin["layer"], origin["wins"]) for origin in origins] == [
        ("process environment", False),
        ("personal override", True),
        ("base", False),
    ]
    assert "overridden" in line.value("env", "matrix", "-env=workshop", "app")


def test_overrides_are_listed_and_taken_away(line: CommandLine) -> None:
    line.value("env", "override", "set", "own-workshop/app", "url=x", "more=y")
    assert line.value("env", "override", "list").splitlines() == [
        "Keys",
        "----",
        "own-workshop/app#more",
        "own-workshop/app#url",
    ]
    assert "name of a key is empty" in line("env", "override", "unset", "-env=workshop", "app", "").err
    line.value("env", "override", "unset", "-env=workshop", "app", "more")
    line.value("env", "override", "unset", "own-workshop/app")
    assert line("env", "override", "list").exit_code == 2
    assert variables(line)["URL"] == "sr://workshop/app#url"


def test_the_most_sensitive_environment_takes_none(line: CommandLine) -> None:
    done = line("env", "override", "set", "-env=shop", "app", "url=x")
    assert (done.exit_code, "most sensitive" in done.err) == (2, True)
