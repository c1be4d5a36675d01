"""Scripts are read by the shells themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from tests.delivery.export.values import VALUES, exported

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.kept_names import KEPT_BY_FISH, KEPT_BY_POSIX_SHELLS
from strongroom.delivery.export.shells import fish, shell

POSIX_SHELLS = ["sh", "dash", "bash", "zsh"]
HOSTILE = "".join(chr(code) for code in range(1, 256)) + "\u2028\u2019'\\''$(id)`id`\\"
ENVIRON = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/dev/null", "XDG_CONFIG_HOME": "/dev/null"}
"""Without a home: fish would make folders in it."""
EVERY_BYTE = {
    "A": HOSTILE,
    "B": "",
    "C": "\r\n",
    "D": "'",
    "E": "\\",
    "F": "\ufeff",
    "G": "=ls",
    "H": "x:=ls",
    "I": "~root",
    "J": "x:~root",
}


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def variables(words: list[str]) -> dict[str, str]:
    done = subprocess.run(words, env=ENVIRON, capture_output=True, check=True)
    assert done.stderr == b""
    return dict(entry.split("=", 1) for entry in done.stdout.decode().split("\0") if entry)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shell") / "script"


@pytest.mark.parametrize("program", POSIX_SHELLS)
@given(VALUES)
@example(EVERY_BYTE)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_shells_read_every_value_back(program: str, file: Path, values: dict[str, str]) -> None:
    need(program)
    file.write_bytes(shell(exported(values)))
    got = variables([program, "-c", f". {file}; exec env -0"])
    assert {name: got.get(name) for name in values} == values


@pytest.mark.parametrize("program", POSIX_SHELLS)
def test_shells_evaluate_the_script(program: str, file: Path) -> None:
    need(program)
    file.write_bytes(shell(exported(EVERY_BYTE)))
    got = variables([program, "-c", f'eval "$(cat {file})"; exec env -0'])
    assert {name: got.get(name) for name in EVERY_BYTE} == EVERY_BYTE


@pytest.mark.parametrize(
    ("program", "names"),
    [
        ("bash", "compgen -v"),
        ("zsh", "zmodload zsh/parameter zsh/zutil; print -l ${(k)parameters}"),
        ("dash", "set | sed 's/=.*//'"),
    ],
)
def test_no_name_that_a_shell_knows_comes_back_changed(program: str, names: str, file: Path) -> None:
    need(program)
    known = subprocess.run([program, "-c", names], capture_output=True, text=True, check=True).stdout.split()
    wrong = []
    for name in known:
        if not name.isidentifier() or name in {"PATH", "HOME"}:
            continue
        try:
            file.write_bytes(shell(exported({name: "it is text"})))
        except CannotDeliver:
            continue
        done = subprocess.run(
            [program, "-c", f". {file}; exec /usr/bin/env -0"],
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        if f"{name}=it is text" not in done.stdout.split("\0"):
            wrong.append(name)
    assert wrong == []


@given(VALUES)
@example(EVERY_BYTE)
@example({"SOME_PATH": "a:b::c", "MANPATH": ":x:", "v_": "~/$HOME (id) %"})
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_fish_reads_every_value_back(file: Path, values: dict[str, str]) -> None:
    program = need("fish")
    wanted = {name: value for name, value in values.items() if holds(value)}
    file.write_bytes(fish(exported(wanted)))
    got = variables([program, "--no-config", "-c", f"source {file}; exec env -0"])
    assert {name: got.get(name) for name in wanted} == wanted


def holds(value: str) -> bool:
    try:
        fish(exported({"A": value}))
    except CannotDeliver:
        return False
    return True


def test_no_name_that_fish_knows_comes_back_changed(file: Path) -> None:
    program = need("fish")
    known = subprocess.run(
        [program, "--no-config", "-c", "set -n"], env=ENVIRON, capture_output=True, text=True, check=True
    ).stdout.split()
    wrong = []
    for name in known:
        if name in KEPT_BY_FISH or name in {"PATH", "HOME"}:
            continue
        file.write_bytes(fish(exported({name: "it is text"})))
        done = subprocess.run(
            [program, "--no-config", "-c", f"source {file}; exec /usr/bin/env -0"],
            env=ENVIRON,
            capture_output=True,
            text=True,
            check=False,
        )
        if f"{name}=it is text" not in done.stdout.split("\0"):
            wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize("name", ["UID", "RANDOM", "_", "status"])
def test_a_name_that_a_shell_keeps_is_refused(name: str) -> None:
    assert name in KEPT_BY_POSIX_SHELLS
    with pytest.raises(CannotDeliver, match=f"{name} is a variable that a shell keeps for itself: .* -rename"):
        shell(exported({name: "CANARY"}))
    with pytest.raises(CannotDeliver, match="status is a variable that fish keeps"):
        fish(exported({"status": "CANARY"}))


def test_what_fish_keeps_for_itself_is_refused() -> None:
    with pytest.raises(CannotDeliver, match="the value of A holds a character that fish keeps") as caught:
        fish(exported({"A": "CANARY\uf612"}))
    assert "CANARY" not in str(caught.value)
