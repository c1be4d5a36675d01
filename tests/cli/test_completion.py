"""What the shell is offered when somebody presses the tab key."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from tests.cli.conftest import CommandLine, Server
from tests.processes import free_port

from strongroom.cli import completion, path_completion
from strongroom.cli.main import main, root
from strongroom.cli.words import COMPLETION_VARIABLE

Offer = Callable[..., list[str]]


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Offer:
    """What is offered behind the words; the last one is the incomplete one. Fails where anything is said besides."""
    monkeypatch.setenv("STRONGROOM_ADDR", f"http://127.0.0.1:{free_port()}")

    def ask(*words: str) -> list[str]:
        monkeypatch.setenv(COMPLETION_VARIABLE, "bash_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["strongroom", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        assert main([]) == 0
        out, err = capfd.readouterr()
        assert err == ""
        return [line.removeprefix("plain,") for line in out.splitlines() if line]

    return ask


def test_commands_are_offered_at_every_level(offer: Offer) -> None:
    assert {"kv", "login", "run", "completion"} <= set(offer(""))
    assert offer("comp") == ["completion"]
    assert offer("kv", "meta") == ["metadata"]
    assert offer("kv", "metadata", "") == ["delete", "get", "patch", "put"]


def test_flags_are_offered_once_a_dash_stands_there(offer: Offer) -> None:
    assert offer("kv", "get", "-f") == ["-format", "-field"]
    assert "-path" in offer("run", "-p")


@pytest.mark.parametrize(
    "words",
    [("kv", "get", "-bogus", ""), ("kv", "get", "-format", "x", "-h", ""), ("status", "x", "")],
)
def test_half_a_command_that_is_wrong_offers_nothing_and_says_nothing(offer: Offer, words: tuple[str, ...]) -> None:
    assert offer(*words) == []


@pytest.mark.parametrize("words", [("kv", "get", "secret/"), ("kv", "get", "-mount=secret", ""), ("read", "")])
def test_a_server_that_does_not_answer_offers_no_paths_and_says_nothing(offer: Offer, words: tuple[str, ...]) -> None:
    assert offer(*words) == []


def test_a_broken_setting_offers_no_paths_and_says_nothing(offer: Offer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRONGROOM_ADDR", "not an address")
    assert offer("kv", "get", "secret/") == []


@pytest.fixture
def asking(offer: Offer, server: Server, monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Offers of somebody who is logged in at a server that is given all the time that it needs."""
    monkeypatch.setattr(path_completion, "PATIENCE_SECONDS", 30.0)
    monkeypatch.setenv("STRONGROOM_ADDR", server.address)
    monkeypatch.setenv("STRONGROOM_TOKEN", server.token)
    return offer


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("kv", "get", "sec"), ["secret/"]),
        (("kv", "get", "secret/shelf/"), ["secret/shelf/a", "secret/shelf/ab", "secret/shelf/deep/"]),
        (("kv", "put", "secret/shelf/a"), ["secret/shelf/a", "secret/shelf/ab"]),
        (("kv", "metadata", "get", "secret/shelf/deep/"), ["secret/shelf/deep/c"]),
        (("kv", "get", "-mount=secret", "shelf/d"), ["shelf/deep/"]),
        (("kv", "get", "secret/shelf/a", "sec"), []),
        (("kv", "get", "nowhere/"), []),
        (("path-help", "cubby"), ["cubbyhole/"]),
        (("auth", "disable", "sec"), []),
    ],
)
def test_mounts_folders_and_secrets_are_offered_where_a_path_stands(
    quick: CommandLine, asking: Offer, words: tuple[str, ...], offered: list[str]
) -> None:
    for name in ("a", "ab", "deep/c"):
        quick.value("kv", "put", f"secret/shelf/{name}", "key=value")
    assert asking(*words) == offered


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("env", "rotate", "tab-"), ["tab-one", "tab-two"]),
        (("env", "rotate", "tab-one", "tab-"), []),
        (("env", "diff", "tab-one", "tab-"), ["tab-two"]),
        (("env", "diff", "tab-one", "tab-two", "tab-"), []),
    ],
)
def test_environments_are_offered_where_one_is_named(
    quick: CommandLine, asking: Offer, words: tuple[str, ...], offered: list[str]
) -> None:
    for rank, name in ((51, "tab-one"), (52, "tab-two")):
        quick.value("write", f"sys/environments/{name}", f"rank={rank}")
    try:
        assert asking(*words) == offered
    finally:
        for name in ("tab-one", "tab-two"):
            quick.value("delete", f"sys/environments/{name}")


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_there_is_a_script_for_both_names_of_the_program(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for name in completion.NAMES:
        assert f"_{name}_completion" in script


def test_the_script_for_bash_is_one_that_bash_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    subprocess.run(["bash", "-n"], input=capsys.readouterr().out, text=True, check=True)


@pytest.mark.parametrize("words", [["completion"], ["completion", "powershell"], ["completion", "bash", "zsh"]])
def test_other_shells_and_wrong_numbers_of_words_are_refused(words: list[str]) -> None:
    assert main(words) == 1


def test_an_instruction_that_nobody_gave_us_offers_nothing() -> None:
    assert completion.answer(root(), "tcsh_complete") == ""
