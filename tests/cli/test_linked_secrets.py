from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

from strongroom.cli.run_sources import Gatherer, Wanted
from strongroom.cli.secret_reader import SecretReader
from strongroom.cli.session import Session

PROJECT = """
environment = "lower"
secrets = ["sr:///app"]
"""


@pytest.fixture
def line(quick: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A project in a lower environment, and one above it; both empty."""
    for rank, name in ((60, "lower"), (70, "upper")):
        quick("secrets", "disable", f"linked-{name}")
        quick.value("secrets", "enable", f"-path=linked-{name}", "-version=2", "kv")
        quick.value("write", f"sys/environments/{name}", f"rank={rank}", f"mounts=linked-{name}")
    (tmp_path / ".strongroom.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return quick


def put(line: CommandLine, path: str, imports: str = "", **values: object) -> None:
    line.value("kv", "put", f"linked-{path}", "-", stdin=json.dumps(values))
    if imports:
        line.value("kv", "metadata", "put", f"-custom-metadata=imports={imports}", f"linked-{path}")


def read(line: CommandLine, reference: str = "sr:///app") -> dict[str, object]:
    found: dict[str, object] = json.loads(line.value("read", "-format=json", reference))
    return found


def complaint(line: CommandLine, reference: str = "sr:///app") -> str:
    done = line("read", "-format=json", reference)
    assert done.exit_code == 1, done
    return done.err


def test_a_value_that_is_a_reference_is_what_is_there(line: CommandLine) -> None:
    put(line, "lower/db", password="of the db", port=5432, deep={"a": [1]})
    put(line, "lower/app", p="sr:///db#password", n="sr://lower/db#port", d="sr:///db#deep", plain="x")
    assert read(line) == {"p": "of the db", "n": 5432, "d": {"a": [1]}, "plain": "x"}
    assert line.value("read", "sr:///app#p") == "of the db"
    # Whoever reads the secret by its path of the server gets it as it is stored, as every client does.
    assert line.value("kv", "get", "-field=p", "linked-lower/app") == "sr:///db#password"


def test_references_within_a_text_are_filled_in(line: CommandLine) -> None:
    put(line, "lower/db", user="ana", password="of the db", port=5432)
    put(
        line,
        "lower/app",
        url="postgres://${sr:///db#user}:${sr:///db#password}@host:${sr:///db#port}/x",
        other="$${sr:///db#user} and ${HOME} stay",
    )
    assert read(line) == {
        "url": "postgres://ana:of the db@host:5432/x",
        "other": "${sr:///db#user} and ${HOME} stay",
    }


def test_references_lead_to_references(line: CommandLine) -> None:
    put(line, "lower/a", k="sr:///b#k")
    put(line, "lower/b", k="<${sr:///c#k}>", other="sr:///a#k")
    put(line, "lower/c", k="the end")
    assert read(line, "sr:///a") == {"k": "<the end>"}
    assert read(line, "sr:///b") == {"k": "<the end>", "other": "<the end>"}


def test_a_circle_is_told_with_its_way(line: CommandLine) -> None:
    put(line, "lower/app", k="sr:///b#k")
    put(line, "lower/b", k="x${sr:///app#k}")
    assert "sr://lower/app#k -> sr://lower/b#k -> sr://lower/app#k" in complaint(line)
    put(line, "lower/self", k="sr:///self#k")
    assert "circle" in complaint(line, "sr:///self")


def test_a_way_that_is_too_long_and_a_flood_are_refused(line: CommandLine) -> None:
    for number in range(9):
        put(line, f"lower/s{number}", k=f"sr:///s{number + 1}#k")
    assert "more than 8 steps" in complaint(line, "sr:///s0")
    put(line, "lower/a", k="${sr:///b#k}" * 40)
    put(line, "lower/b", k="${sr:///c#k}" * 40)
    put(line, "lower/c", k="x")
    assert "more than 1000 times" in complaint(line, "sr:///a")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("sr:///db", "names no key"),
        ("sr:///db#missing", "which is not there"),
        ("sr:///nothing#k", "No value found"),
        ("sr://", "cannot be read"),
        ("${sr:///a b#k}", ""),
    ],
)
def test_a_reference_that_leads_nowhere_is_told_or_no_reference(line: CommandLine, value: str, said: str) -> None:
    put(line, "lower/db", password="of the db")
    put(line, "lower/app", k=value)
    done = line("read", "-format=json", "sr:///app")
    assert said in done.err
    assert (done.exit_code == 0) is (said == "")


def test_nothing_refers_to_a_more_sensitive_environment(line: CommandLine) -> None:
    put(line, "upper/db", password="of the upper")
    put(line, "lower/db", password="of the lower")
    put(line, "lower/app", k="sr://upper/db#password")
    put(line, "lower/importing", imports="sr://upper/db", own="x")
    for reference in ("sr:///app", "sr:///importing"):
        said = complaint(line, reference)
        assert "more sensitive" in said
        assert "of the upper" not in said
    put(line, "upper/app", k="sr://lower/db#password")
    assert read(line, "sr://upper/app") == {"k": "of the lower"}
    # A reference without an environment means that of the secret in which it stands.
    put(line, "lower/hop", k="sr:///db#password")
    put(line, "upper/hop", k="sr://lower/hop#k")
    assert read(line, "sr://upper/hop") == {"k": "of the lower"}


def test_secrets_and_folders_are_imported_and_what_is_nearer_wins(line: CommandLine) -> None:
    put(line, "lower/shared/a", level="of a", only_a="a", both="of a")
    put(line, "lower/shared/b", both="of b", deep="sr:///other#k")
    put(line, "lower/other", k="of other")
    put(line, "lower/app", imports="sr:///shared/", level="its own")
    assert read(line) == {"level": "its own", "only_a": "a", "both": "of b", "deep": "of other"}
    put(line, "lower/app", imports="sr:///shared/b, sr:///shared/a", level="its own")
    assert read(line)["both"] == "of a"
    listed = json.loads(line.value("run", "-dry-run", "-format=json", "--", "true"))
    assert {item["name"] for item in listed} == {"level", "only_a", "both", "deep"}
    origins = json.loads(line.value("explain", "-format=json", "only_a"))
    assert origins[1]["source"] == "sr://lower/app#only_a, imported from sr://lower/shared/a#only_a"


def test_imports_in_a_circle_are_refused_and_a_secret_may_import_its_own_folder(line: CommandLine) -> None:
    put(line, "lower/a", imports="sr:///b", x="1")
    put(line, "lower/b", imports="sr:///a", y="1")
    assert "circle" in complaint(line, "sr:///a")
    put(line, "lower/team/base", z="1")
    put(line, "lower/team/app", imports="sr:///team/", w="1")
    assert read(line, "sr:///team/app") == {"z": "1", "w": "1"}


def test_nobody_reads_by_a_reference_what_they_may_not_read(line: CommandLine) -> None:
    put(line, "lower/db", password="of the db")
    put(line, "lower/app", k="sr:///db#password")
    put(line, "lower/importing", imports="sr:///db", own="x")
    readable = ("linked-lower/data/app", "linked-lower/data/importing", "sys/environments/*")
    rules = [f'path "{path}" {{ capabilities = ["read"] }}' for path in readable]
    line.value("policy", "write", "linked-app", "-", stdin="\n".join(rules))
    token = line.value("token", "create", "-policy=linked-app", "-field=token")
    for reference in ("sr:///app", "sr:///importing"):
        done = line("read", "-format=json", reference, VAULT_TOKEN=token)
        assert (done.exit_code, "permission denied" in done.err) == (2, True)
        assert "of the db" not in done.out + done.err


def test_what_is_referred_to_is_watched_like_what_refers(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    put(line, "lower/db", password="of the db")
    put(line, "lower/shared/a", level="info")
    put(line, "lower/app", imports="sr:///shared/", k="sr:///db#password")
    for name, value in line.environ.items():
        monkeypatch.setenv(name, value)
    session = Session({})
    gathered = Gatherer(SecretReader(session.client), Wanted((), "", (), ()), os.environ).gather()
    session.close()
    assert set(gathered.watched) == {f"linked-lower/metadata/{path}" for path in ("app", "db", "shared/a")}
