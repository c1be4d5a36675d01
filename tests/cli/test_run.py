from __future__ import annotations

import json
import signal
import subprocess

import pytest
from tests.cli.conftest import CommandLine

SHOW = ("--", "env", "-0")


@pytest.fixture
def secret(ours: CommandLine) -> str:
    """The path of a secret with values of every kind."""
    content = {"PASSWORD": "CANARY one\ntwo", "PORT": 5432, "OPTIONS": {"a": [1.50]}}
    ours.value("kv", "put", "secret/run", "-", stdin=json.dumps(content))
    return "secret/run"


def variables(output: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in output.split("\0") if "=" in line)


def test_the_program_gets_the_secrets_and_not_the_token(ours: CommandLine, secret: str) -> None:
    done = ours("run", "-path", secret, *SHOW, MINE="kept", BAO_TOKEN="root")
    got = variables(done.out)
    assert (done.exit_code, done.err) == (0, "")
    assert got["PASSWORD"] == "CANARY one\ntwo"
    assert (got["PORT"], got["OPTIONS"], got["MINE"]) == ("5432", '{"a":[1.5]}', "kept")
    assert {"VAULT_TOKEN", "BAO_TOKEN", "STRONGROOM_TOKEN"} & got.keys() == set()


def test_the_token_is_passed_on_when_asked_for(ours: CommandLine, secret: str) -> None:
    assert variables(ours("run", "-path", secret, "-preserve-token", *SHOW).out)["VAULT_TOKEN"] == "root"


def test_a_clean_environment_holds_little_else(ours: CommandLine, secret: str) -> None:
    got = variables(ours("run", "--clean-env", "--path", secret, *SHOW, MINE="dropped").out)
    assert got.keys() <= {"PATH", "HOME", "PASSWORD", "PORT", "OPTIONS"}


def test_what_is_set_already_wins_when_asked_for(ours: CommandLine, secret: str) -> None:
    assert variables(ours("run", "-path", secret, "-preserve-env", *SHOW, PORT="1").out)["PORT"] == "1"
    assert variables(ours("run", "-path", secret, "-preserve-env=OTHER", *SHOW, PORT="1").out)["PORT"] == "5432"


def test_keys_are_chosen_and_renamed(ours: CommandLine, secret: str) -> None:
    got = variables(
        ours("run", "-path", secret, "-only", "PORT,PASSWORD", "-exclude=PASSWORD", "-prefix=APP_", *SHOW).out
    )
    assert [name for name in got if "PORT" in name or "PASSWORD" in name] == ["APP_PORT"]


def test_a_version_1_store_serves_as_well(ours: CommandLine) -> None:
    ours("secrets", "enable", "-path=runone", "-version=1", "kv")
    ours.value("kv", "put", "runone/a/b", "ONE=1")
    assert variables(ours("run", "-kv-mount=runone", "-path=a/b", *SHOW).out)["ONE"] == "1"


def test_the_exit_code_is_the_programs(ours: CommandLine, secret: str) -> None:
    assert ours("run", "-path", secret, "--", "sh", "-c", "exit 7").exit_code == 7


def test_flags_after_the_program_are_the_programs(ours: CommandLine, secret: str) -> None:
    done = ours("run", "-path", secret, "echo", "-path", "-h", "--", "x")
    assert (done.exit_code, done.out) == (0, "-path -h -- x\n")
    assert ours("run", "-path", secret, "echo", "-h", "--help").out == "-h --help\n"


def test_a_program_that_is_killed_is_killed_for_whoever_waits(ours: CommandLine, secret: str) -> None:
    assert ours("run", "-path", secret, "--", "sh", "-c", "kill -KILL $$").exit_code == -signal.SIGKILL


def test_the_program_takes_the_place_of_this_process(ours: CommandLine, secret: str) -> None:
    process = subprocess.Popen(
        [*ours.program, "run", "-path", secret, "--", "sh", "-c", "echo $$"],
        env=ours.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    out, _ = process.communicate(timeout=60)
    assert int(out) == process.pid


def test_the_program_may_die_of_a_closed_pipe(ours: CommandLine, secret: str) -> None:
    done = ours("run", "-path", secret, "--", "sh", "-c", "kill -PIPE $$; exit 3")
    assert done.exit_code == -signal.SIGPIPE


def test_a_dry_run_whose_result_nobody_can_read_fails_as_run_does(ours: CommandLine, secret: str) -> None:
    shell = CommandLine(("sh", "-c", 'exec "$@" >&-', "sh", *ours.program), ours.environ)
    done = shell("run", "-path", secret, "-dry-run")
    assert (done.exit_code, done.out) == (125, "")
    assert done.err.startswith("the output cannot be written")


def test_no_other_descriptor_reaches_the_program(ours: CommandLine, secret: str) -> None:
    done = ours("run", "-path", secret, "--", "sh", "-c", "ls /proc/$$/fd")
    assert {"0", "1", "2"} <= set(done.out.split()) <= {"0", "1", "2", "10", "255"}


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        pytest.param(["-path", "secret/run", "--", "no-such-program"], 127, id="not found"),
        pytest.param(["-path", "secret/run", "--", "/etc/passwd"], 126, id="not executable"),
        pytest.param(["-path", "secret/run", "--", "/"], 126, id="a folder"),
        pytest.param(["-path", "secret/none", "--", "true"], 125, id="no secret"),
        pytest.param(["-path", "nomount/none", "--", "true"], 125, id="no mount"),
        pytest.param(["--", "true"], 125, id="no path"),
        pytest.param(["-path", "secret/run"], 125, id="no program"),
        pytest.param(["-paht", "secret/run", "--", "true"], 125, id="misspelt flag"),
        pytest.param(["-path", "secret/run", "-only=NOPE", "--", "true"], 125, id="missing key"),
        pytest.param(["-path", "secret/run", "-only=", "--", "true"], 125, id="no key where some are to be chosen"),
        pytest.param(["-path", "secret/run", "-address=http://127.0.0.1:1", "-dry-run"], 125, id="no server"),
    ],
)
def test_our_own_failures_have_codes_of_their_own(
    quick: CommandLine, secret: str, words: list[str], exit_code: int
) -> None:
    del secret
    done = quick("run", *words, VAULT_MAX_RETRIES="0")
    assert (done.exit_code, done.out) == (exit_code, "")
    assert done.err
    assert "CANARY" not in done.err


def test_a_dry_run_shows_names_and_sources_and_never_values(quick: CommandLine, secret: str) -> None:
    quick.value("kv", "put", "secret/over", "PORT=CANARY")
    done = quick("run", "-path", secret, "-path", "secret/over", "-dry-run", "--", "touch", "never")
    assert done.out == (
        "Variable    Source              Instead of\n"
        "--------    ------              ----------\n"
        "OPTIONS     secret/data/run     n/a\n"
        "PASSWORD    secret/data/run     n/a\n"
        "PORT        secret/data/over    secret/data/run\n"
    )
    listed = json.loads(quick("run", "-path", secret, "-path", "secret/over", "-dry-run", "-format=json").out)
    assert listed[2] == {"name": "PORT", "source": "secret/data/over", "instead_of": ["secret/data/run"]}
