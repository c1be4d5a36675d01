"""What a command may load: the start of ``run`` and ``kv get`` is on everybody's way."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.cli.conftest import CommandLine

HEAVY = {
    *("httpx", "requests", "urllib3", "pydantic", "rich", "asyncio", "keyring", "cryptography", "yaml", "http.client"),
    *(
        "msgspec",
        "apsw",
        "OpenSSL",
        "hcl2",
        "argon2",
        "decimal",
        "pathlib",
        "subprocess",
        "email",
        "getpass",
        "tempfile",
    ),
}
SERVER_ROOMS = {
    f"strongroom.{room}"
    for room in (
        *("audit", "auth", "barrier", "core", "crypto", "describe", "encoding", "engines", "http", "mounts"),
        *("physical", "policy", "server", "system", "tokens"),
    )
}


def loaded(ours: CommandLine, *words: str) -> set[str]:
    """The modules that are loaded when the command has done its work."""
    watch = (
        "import atexit, os, sys\n"
        "report = lambda *_: os.write(2, ('MODULES ' + ' '.join(sys.modules)).encode())\n"
        "atexit.register(report)\n"
        "os.execvpe = report\n"
        "leave = os._exit\n"
        "os._exit = lambda _: (report(), leave(0))\n"
        "from strongroom.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watch, *words], env=ours.environ, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.partition("MODULES ")[2].split())


@pytest.mark.parametrize(
    "words",
    [
        ("run", "-path", "secret/start", "--", "true"),
        ("kv", "get", "secret/start"),
        ("kv", "get", "-format=json", "secret/start"),
    ],
    ids=["run", "kv get", "kv get as json"],
)
def test_the_hot_commands_load_nothing_heavy(ours: CommandLine, words: tuple[str, ...]) -> None:
    ours.value("kv", "put", "secret/start", "A=1")
    modules = loaded(ours, *words)
    assert "strongroom.client.client" in modules
    assert modules & HEAVY == set()
    assert {
        name for name in modules if any(name == room or name.startswith(room + ".") for room in SERVER_ROOMS)
    } == set()


def test_the_hot_commands_load_click_only_for_what_they_do_not_understand(ours: CommandLine) -> None:
    ours.value("kv", "put", "secret/start", "A=1")
    assert "click" not in loaded(ours, "run", "-path", "secret/start", "--", "true")
    assert "click" not in loaded(ours, "run", "--path=secret/start", "-only", "A", "true", "-h")
    assert "click" not in loaded(ours, "kv", "get", "secret/start", "-format=json")
    assert "click" not in loaded(ours, "scan", "dir", "-format=json", "-exclude", "*.py", os.devnull)
    assert "click" in loaded(ours, "run", "-h")
    assert "click" in loaded(ours, "run", "-paht", "secret/start", "--", "true")


def test_a_plain_run_loads_nothing_that_only_other_ways_of_running_need(ours: CommandLine) -> None:
    ours.value("kv", "put", "secret/start", "A=1")
    modules = loaded(ours, "run", "-path", "secret/start", "--", "true")
    assert {name for name in modules if name.startswith("strongroom.delivery.")} == {
        "strongroom.delivery.environment",
        "strongroom.delivery.execute",
    }


def test_ssl_is_loaded_only_for_https(ours: CommandLine) -> None:
    ours.value("kv", "put", "secret/start", "A=1")
    assert "ssl" not in loaded(ours, "kv", "get", "secret/start")


def test_help_imports_no_command(ours: CommandLine) -> None:
    modules = loaded(ours, "-h")
    assert {name for name in modules if name.startswith("strongroom.cli.")} <= {
        f"strongroom.cli.{name}"
        for name in (
            *("main", "errors", "lazy", "grammar", "options", "http_options", "session", "printer", "secret_view"),
            *("tables", "go_text", "ending", "flags", "words"),
        )
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_offered(ours: CommandLine, shell: str) -> None:
    source = ours("completion", shell)
    assert source.exit_code == 0
    assert "_STRONGROOM_COMPLETE" in source.out


def test_completion_knows_commands_and_flags(ours: CommandLine) -> None:
    groups = ours(_STRONGROOM_COMPLETE="bash_complete", COMP_WORDS="strongroom op", COMP_CWORD="1")
    assert "operator" in groups.out
    flags = ours(_STRONGROOM_COMPLETE="bash_complete", COMP_WORDS="strongroom kv get -fi", COMP_CWORD="3")
    assert "-field" in flags.out


INTERRUPTED_WHILE_LOADING = """
import sys
wanted = sys.argv.pop(1)
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from strongroom.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("module", "words"),
    [("strongroom.cli.main", ["version"]), ("strongroom.cli.quick", ["run", "-path=secret/app", "--", "true"])],
)
def test_an_interruption_while_something_is_loaded_ends_it_without_a_traceback(module: str, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_WHILE_LOADING, module, *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "")
