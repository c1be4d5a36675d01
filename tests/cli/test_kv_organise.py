from __future__ import annotations

import json

import pytest
from tests.cli.conftest import CommandLine


@pytest.fixture
def line(quick: CommandLine) -> CommandLine:
    """A command line of a server with a mount of its own."""
    quick("secrets", "disable", "tidy")
    quick.value("secrets", "enable", "-path=tidy", "-version=2", "kv")
    for path in ("app", "team/db", "team/inner/cache"):
        quick.value("kv", "put", f"tidy/{path}", f"url={path}.example")
    return quick


def test_a_tree_is_listed_to_its_end(line: CommandLine) -> None:
    assert line.value("kv", "list", "-r", "tidy").splitlines() == ["Keys", "----", "app", "team/db", "team/inner/cache"]
    assert json.loads(line.value("kv", "list", "-r", "-format=json", "-mount=tidy", "team")) == ["db", "inner/cache"]
    assert line("kv", "list", "-r", "tidy/none").exit_code == 2


def test_names_are_searched(line: CommandLine) -> None:
    found = json.loads(line.value("kv", "search", "-format=json", "-keys", "-path=tidy", "URL"))
    assert [(one["path"], one["keys"]) for one in found] == [
        ("tidy/app", ["url"]),
        ("tidy/team/db", ["url"]),
        ("tidy/team/inner/cache", ["url"]),
    ]
    assert "tidy/team/db" in line.value("kv", "search", "team/?b")
    assert line("kv", "search", "no-such-name").exit_code == 2


def test_secrets_are_moved_renamed_and_copied(line: CommandLine) -> None:
    assert "tidy/web" in line.value("kv", "move", "tidy/app", "tidy/web")
    line.value("kv", "rename", "tidy/web", "site")
    line.value("kv", "copy", "tidy/team/", "tidy/group/")
    line.value("kv", "get", "tidy/group/inner/cache")
    assert line.value("kv", "get", "-field=url", "tidy/site") == "app.example"
    assert line("kv", "get", "tidy/app").exit_code == 2
    for words in (("move", "tidy/site", "tidy/team/db"), ("rename", "tidy", "x")):
        assert line("kv", *words).exit_code != 0


def test_notes_are_checked_shown_and_listed(line: CommandLine) -> None:
    refused = line("kv", "metadata", "put", "-expires-at=in spring", "tidy/app")
    assert (refused.exit_code, "2027-01-31" in refused.err) == (1, True)
    line.value("kv", "metadata", "put", "-expires-at=2027-01-31", "-owner=ana", "-criticality=high", "tidy/app")
    line.value("kv", "metadata", "patch", "-criticality=critical", "tidy/app")
    assert "owner:ana" in line.value("kv", "metadata", "get", "tidy/app")
    assert "2027-01-31" in line.value("kv", "expiring", "-within=36500d", "tidy")
    listed = json.loads(line.value("kv", "critical", "-least=high", "-format=json", "tidy"))
    assert [(one["path"], one["owner"], one["criticality"]) for one in listed] == [("tidy/app", "ana", "critical")]
