"""No value stands where every process of a user can look: on command lines and in the environments of anything but the program."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from tests.cli.conftest import CommandLine
from tests.test_docs import PAGES, commands

from strongroom.cli.main import root

# Two of these at once would find each other.
pytestmark = pytest.mark.xdist_group("canary")

CANARY = "CANARY-8f3bd1c7"
PROGRAM = "the-program"

# Whoever begins with one of these words handles values; of them these do not.
HANDLE_VALUES = {"kv", "read", "write", "unwrap", "login", "inject", "init", "run", "export"}
WITHOUT_VALUES = {
    *("kv copy", "kv critical", "kv delete", "kv expiring", "kv list", "kv metadata get", "kv metadata patch"),
    *("kv metadata put", "kv move", "kv rename", "kv search", "kv undelete"),
}


@dataclass(frozen=True)
class Use:
    """One documented way to use a command: its words, and what comes by standard input."""

    words: tuple[str, ...]
    stdin: str = ""


SCRIPT = ("sh", "-c", "read x; cat $CREDENTIALS_DIRECTORY/* ../pipe 2>/dev/null; exit 0")
RUN = ("run", "-path", "secret/canary")
USES = {
    "kv put": Use(("kv", "put", "secret/canary", "USER=ana", "PASSWORD=-"), CANARY),
    "kv put from a file": Use(("kv", "put", "secret/canary", "@values.json")),
    "kv patch": Use(("kv", "patch", "secret/canary", "PASSWORD=@value"), CANARY),
    "kv get": Use(("kv", "get", "secret/canary")),
    "kv get a field": Use(("kv", "get", "-field=PASSWORD", "secret/canary")),
    "read": Use(("read", "secret/canary#PASSWORD")),
    "read an environment": Use(("read", "sr:///canary#PASSWORD")),
    "write": Use(("write", "cubbyhole/canary", "value=-"), CANARY),
    "unwrap": Use(("unwrap", "-"), "@wrapped"),
    "login": Use(("login", "-no-print", "-"), "@token"),
    "inject": Use(("inject", "-output=filled", "template")),
    "export": Use(("export", "-path=secret/canary", "-format=shell", "-output=exported")),
    "init": Use(("init", "-from=values.env", "-yes")),
    "run": Use((*RUN, "--", f"./{PROGRAM}", "-c", "read x"), "\n"),
    "run a project": Use(("run", "--", f"./{PROGRAM}", "-c", "read x"), "\n"),
    "run a file of variables": Use(("run", "-env-file=references.env", "--", f"./{PROGRAM}", "-c", "read x"), "\n"),
    "run and watch": Use((*RUN, "-watch", "-redact=on", "--", f"./{PROGRAM}", "-c", "read x"), "\n"),
    "run with files": Use((*RUN, "-creds-dir", "--", *SCRIPT), "\n"),
    "run with a pipe": Use((*RUN, "-mount=pipe", "--", *SCRIPT[:2], "read x; cat pipe"), "\n"),
}


class Watcher(threading.Thread):
    """Looks at the command lines and environments of all processes, again and again, until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.found: set[str] = set()
        self.rounds = 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            for process in (entry.name for entry in os.scandir("/proc") if entry.name.isdigit()):
                self._look(process)
            self.rounds += 1

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _look(self, process: str) -> None:
        try:
            line = Path(f"/proc/{process}/cmdline").read_bytes()
            environ = Path(f"/proc/{process}/environ").read_bytes()
        except OSError:
            return
        if not line:
            return  # it ends, or is about to become another program
        if CANARY.encode() in line:
            self.found.add(f"command line of {line!r}")
        # The program that is run gets the value in its environment: that is what it was run for.
        if CANARY.encode() in environ and PROGRAM.encode() not in line.split(b"\0")[0]:
            self.found.add(f"environment of {line!r}")


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    watching = Watcher()
    watching.start()
    yield watching
    watching.stop()


@pytest.fixture
def folder(quick: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], str]]:
    """A folder with everything that the commands use; gives what some of them read from standard input."""
    monkeypatch.chdir(tmp_path)
    quick.value("kv", "put", "secret/canary", "USER=ana", "PASSWORD=-", stdin=CANARY)
    Path(PROGRAM).symlink_to("/bin/sh")
    Path("values.json").write_text(f'{{"PASSWORD": "{CANARY}"}}')
    Path("value").write_text(CANARY)
    Path("values.env").write_text(f"PASSWORD={CANARY}\n")
    Path("references.env").write_text("PASSWORD=sr:///canary#PASSWORD\n")
    Path("template").write_text("{{ sr:///canary#PASSWORD }}")
    project = 'environment = "e"\nsecrets = ["sr:///canary"]\n[environments.e]\npath = "secret"\n'
    return {
        "project": lambda: str(Path(".strongroom.toml").write_text(project)),
        "@wrapped": lambda: quick.value("kv", "get", "-wrap-ttl=60s", "-field=wrapping_token", "secret/canary"),
        "@token": lambda: quick.value("token", "create", "-policy=default", "-ttl=1h", "-field=token"),
    }


@pytest.mark.parametrize("name", USES)
def test_no_value_is_on_a_command_line_or_in_a_foreign_environment(
    ours: CommandLine, watcher: Watcher, folder: dict[str, Callable[[], str]], name: str
) -> None:
    use = USES[name]
    if name != "init":
        folder["project"]()
    stdin = folder[use.stdin]() if use.stdin.startswith("@") else use.stdin
    process = subprocess.Popen(
        [*ours.program, *use.words], env=ours.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    rounds = watcher.rounds
    while process.poll() is None and watcher.rounds < rounds + 3:
        watcher._over.wait(0.01)
    out, _ = process.communicate(stdin, timeout=60)
    assert process.returncode == 0, out
    watcher.stop()
    assert watcher.found == set()


def test_the_watcher_sees_what_it_is_there_to_see(watcher: Watcher) -> None:
    words = [sys.executable, "-c", "input()", CANARY]
    process = subprocess.Popen(words, env={"X": CANARY}, stdin=subprocess.PIPE)
    while len(watcher.found) < 2:
        assert process.poll() is None
    process.communicate(b"\n")
    assert {found.split(" of ")[0] for found in watcher.found} == {"command line", "environment"}


def test_every_documented_command_is_watched_or_handles_no_value() -> None:
    documented = {leaf(words) for page in PAGES for words in commands(page)} - {""}
    watched = {leaf(list(use.words)) for use in USES.values()}
    unknown = {name for name in documented - watched - WITHOUT_VALUES if name.split(" ")[0] in HANDLE_VALUES}
    assert unknown == set()


def leaf(words: list[str]) -> str:
    """The full name of the command that ``words`` start with."""
    command: click.Command = root()
    context = click.Context(command, info_name="strongroom", **command.context_settings)
    names = []
    for word in words:
        found = command.get_command(context, word) if isinstance(command, click.Group) else None
        if found is None:
            break
        names.append(word)
        command = found
    return " ".join(names)
