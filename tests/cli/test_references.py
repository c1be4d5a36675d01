from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

PROJECT = """
environment = "dev"
secrets = ["sr:///whole"]

[variables]
PASSWORD = "sr:///app#password"

[environments.dev]
path = "secret/refs/dev"

[environments.prod]
path = "secret/refs/prod"
variables = { PASSWORD = "sr:///app#other" }
"""


@pytest.fixture
def project(quick: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A folder below a project file, and the secrets that it refers to."""
    for environment in ("dev", "prod"):
        content = {"password": f"CANARY-{environment}", "other": f"CANARY-other-{environment}", "n": 5}
        quick.value("kv", "put", f"secret/refs/{environment}/app", "-", stdin=json.dumps(content))
        quick.value("kv", "put", f"secret/refs/{environment}/whole", f"WHERE={environment}", "PASSWORD=CANARY-whole")
    (tmp_path / ".strongroom.toml").write_text(PROJECT)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return quick


def dry(ran: str) -> dict[str, str]:
    return {item["name"]: item["source"] for item in json.loads(ran)}


def test_a_reference_is_read_in_the_environment_that_it_names(project: CommandLine) -> None:
    assert project.value("read", "sr://prod/app#password") == "CANARY-prod"
    assert project.value("read", "sr:///app#password") == "CANARY-dev"
    assert project.value("read", "sr:///app#password", STRONGROOM_ENV="prod") == "CANARY-prod"
    assert project.value("read", "secret/refs/dev/app#n") == "5"
    assert json.loads(project.value("read", "-format=json", "sr://dev/app")) == {
        "password": "CANARY-dev",
        "other": "CANARY-other-dev",
        "n": 5,
    }


def test_an_old_version_can_be_meant(project: CommandLine) -> None:
    project.value("kv", "put", "secret/refs/dev/old", "a=1")
    project.value("kv", "put", "secret/refs/dev/old", "a=2")
    assert project.value("read", "sr:///old?version=1#a") == "1"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["sr:///app#missing"], "has no key of that name"),
        (["sr:///nothing#a"], "No value found"),
        (["sr://nowhere/app#a"], "neither .strongroom.toml (dev, prod) nor the server says where it is"),
        (["sr://dev/../x#a"], "no . or .."),
    ],
)
def test_a_reference_that_leads_nowhere_says_why(project: CommandLine, words: list[str], complaint: str) -> None:
    done = project("read", *words)
    assert done.exit_code in {1, 2}
    assert complaint in done.err
    assert "CANARY" not in done.err + done.out


def test_a_broken_project_file_stops_whoever_needs_it_and_nobody_else(project: CommandLine) -> None:
    (Path.cwd().parent / ".strongroom.toml").write_text("enviroment = 'dev'")
    done = project("run", "-dry-run")
    assert (done.exit_code, done.out) == (125, "")
    assert "line 1: enviroment is no setting of this file; did you mean environment?" in done.err
    assert project("run", "-path", "secret/refs/dev/app", "-dry-run").exit_code == 0


def test_a_program_gets_what_the_project_says(project: CommandLine) -> None:
    assert dry(project.value("run", "-format=json", "-dry-run")) == {
        "PASSWORD": "sr://dev/app#password",
        "WHERE": "sr://dev/whole",
    }
    assert dry(project.value("run", "-env=prod", "-format=json", "-dry-run")) == {
        "PASSWORD": "sr://prod/app#other",
        "WHERE": "sr://prod/whole",
    }


def test_paths_are_paths_of_the_environment_that_is_named(project: CommandLine) -> None:
    ran = project.value("run", "-env=dev", "-e", "prod", "-path=whole", "-format=json", "-dry-run")
    assert json.loads(ran)[1] == {
        "name": "WHERE",
        "source": "secret/data/refs/prod/whole",
        "instead_of": ["secret/data/refs/dev/whole"],
    }
    assert dry(project.value("run", "-path=sr://prod/app#password", "-format=json", "-dry-run")) == {
        "password": "sr://prod/app#password"
    }


def test_a_file_of_variables_holds_references_and_plain_values(project: CommandLine) -> None:
    Path("vars").write_text("A=sr:///app#password\nLEVEL=debug\n")
    ran = project.value("run", "-env-file=vars", "-path=secret/refs/dev/whole", "-format=json", "-dry-run")
    assert dry(ran) == {
        "A": "sr://dev/app#password",
        "LEVEL": "vars",
        "PASSWORD": "secret/data/refs/dev/whole",
        "WHERE": "secret/data/refs/dev/whole",
    }


def test_what_is_wrong_in_a_file_of_variables_is_told_by_its_line(project: CommandLine) -> None:
    Path("vars").write_text("A=1\nB=sr:///app#missing\n")
    assert "vars: line 2: sr://dev/app#missing" in project("run", "-env-file=vars", "-dry-run").err
    assert "none: no such file" in project("run", "-env-file=none", "-dry-run").err


def test_two_values_for_one_variable_are_told(ours: CommandLine) -> None:
    for name, value in (("one", "CANARY1"), ("two", "CANARY2")):
        ours.value("kv", "put", f"secret/refs/{name}", "SAME=x", f"OTHER={value}")
    done = ours("run", "-path=secret/refs/one", "-path=secret/refs/two", "--", "true")
    assert done.err == "OTHER is the one of secret/data/refs/two; secret/data/refs/one had another value for it\n"


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "BASH_ENV", "GIT_SSH_COMMAND", "PYTHONSTARTUP", "NODE_OPTIONS"])
def test_a_name_that_steers_code_must_be_named(quick: CommandLine, name: str) -> None:
    quick.value("kv", "put", "secret/refs/steers", f"{name}=CANARY")
    refused = quick("run", "-path=secret/refs/steers", "-dry-run")
    assert refused.exit_code == 125
    assert "would change which code" in refused.err
    assert quick("run", "-path=secret/refs/steers", f"-only={name}", "-dry-run").exit_code == 0


def test_a_key_gets_another_name(quick: CommandLine) -> None:
    quick.value("kv", "put", "secret/refs/named", "db-password=x", "B=1")
    words = (
        "run",
        "-path=secret/refs/named",
        "-rename=db-password=DB_PASSWORD",
        "-prefix=P_",
        "-format=json",
        "-dry-run",
    )
    assert set(dry(quick.value(*words))) == {"DB_PASSWORD", "P_B"}
    clash = quick("run", "-path=secret/refs/named", "-rename=db-password=B", "-dry-run")
    assert "would both become B" in clash.err


def test_a_template_is_filled_into_a_private_file(project: CommandLine) -> None:
    Path("app.tpl").write_text("password: {{ sr:///app#password | json }}\nn: sr://prod/app#n\n")
    project.value("inject", "-output=app.yaml", "app.tpl")
    assert Path("app.yaml").read_text() == 'password: "CANARY-dev"\nn: 5\n'
    assert Path("app.yaml").stat().st_mode & 0o777 == 0o600
    assert project("inject", "-env=prod", "-", stdin="{{ sr:///app#password }}").out == "CANARY-prod"


def test_a_template_that_cannot_be_filled_writes_nothing(project: CommandLine) -> None:
    Path("app.tpl").write_text("a: sr:///app#password\nb: sr:///app#missing\n")
    done = project("inject", "-output=app.yaml", "app.tpl")
    assert done.exit_code == 1
    assert "app.tpl: line 2:" in done.err
    assert not Path("app.yaml").exists()
    Path("app.yaml").symlink_to("elsewhere")
    assert "is a link" in project("inject", "-output=app.yaml", "-", stdin="a").err


def test_an_explanation_names_every_origin_and_no_value(project: CommandLine) -> None:
    (Path.cwd().parent / ".strongroom.local.toml").write_text('[variables]\nPASSWORD = "sr://dev/app#n"')
    rows = json.loads(project.value("explain", "-env=prod", "-format=json", "PASSWORD", PASSWORD="CANARY"))
    assert [(row["layer"], row["source"], row["wins"]) for row in rows] == [
        ("process environment", "PASSWORD", False),
        ("personal override", "sr://dev/app#n", True),
        ("environment", "sr://prod/app#other", False),
        ("base", "sr://prod/app#password", False),
        ("import", "sr://prod/whole#PASSWORD", False),
    ]
    kept = json.loads(project.value("explain", "-preserve-env", "-format=json", "PASSWORD", PASSWORD="CANARY"))
    assert kept[0]["wins"]
    assert "CANARY" not in str(rows) + project("explain", "PASSWORD", PASSWORD="CANARY").out


def test_an_explanation_of_what_nobody_sets_says_so(project: CommandLine) -> None:
    done = project("explain", "NOTHING")
    assert done.exit_code == 2
    assert "gives NOTHING a value" in done.err
