from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import dotenv
import pytest
from hypothesis import example, given, settings
from tests.delivery.export.values import VALUES, exported

from strongroom.delivery.dotenv import parse
from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.dotenv_lines import dotenv as write
from strongroom.delivery.export.dotenv_lines import dotenv_export


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dotenv") / ".env"


def without(values: dict[str, str], piece: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if piece not in value}


@given(VALUES)
@example({"A": "\\", "B": "'", "C": "\\'", "D": "a\\"})
@example({"A": "one\r\ntwo\r", "B": '"\r\\'})
@example({"A": "", "B": " x ", "C": "a # b", "D": "\ufeff"})
def test_python_dotenv_reads_the_file_back(file: Path, values: dict[str, str]) -> None:
    wanted = without(values, "${")
    content = write(exported(wanted))
    file.write_bytes(content)
    assert dotenv.dotenv_values(file) == wanted
    assert {entry.name: entry.value.reveal() for entry in parse(content.decode())} == wanted


def holds(value: str) -> bool:
    try:
        dotenv_export(exported({"A": value}))
    except CannotDeliver:
        return False
    return True


@pytest.mark.parametrize("program", ["dash", "bash", "zsh"])
@given(VALUES)
@settings(max_examples=12)
@example({"A": "it's", "B": "both ' and \"", "C": "\\'", "D": "$(id)", "E": "!", "F": "\\", "G": "=ls", "H": "a:~root"})
def test_a_shell_and_python_dotenv_read_the_portable_file_alike(
    program: str, file: Path, values: dict[str, str]
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    wanted = {name: value for name, value in values.items() if holds(value)}
    file.write_bytes(dotenv_export(exported(wanted)))
    assert dotenv.dotenv_values(file) == wanted
    words = [program, "-c", f". {file}; exec env -0"]
    done = subprocess.run(words, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, capture_output=True, check=True)
    got = dict(entry.split("=", 1) for entry in done.stdout.decode().split("\0") if entry)
    assert {name: got.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("value", ["it's $5", "it's `x`", "a\rb", "\\'$"])
def test_what_they_would_read_in_two_ways_is_refused(value: str) -> None:
    with pytest.raises(
        CannotDeliver, match=r"the value of A needs quotes .*: use -format=shell or -format=dotenv"
    ) as caught:
        dotenv_export(exported({"A": value}))
    assert value not in str(caught.value)


@pytest.mark.parametrize("writer", [write, dotenv_export])
def test_what_readers_replace_is_refused_with_the_reason(writer: object) -> None:
    assert callable(writer)
    with pytest.raises(CannotDeliver, match=r"the value of A holds \$\{, .* another format, as json") as caught:
        writer(exported({"A": "CANARY${B}"}))
    assert "CANARY" not in str(caught.value)


def test_lines_look_as_a_person_would_write_them() -> None:
    values = {"A": "plain", "B": "two words", "C": "it's", "D": "a\\b", "E": ""}
    assert write(exported(values)).decode() == "A=plain\nB='two words'\nC=\"it's\"\nD='a\\b'\nE=''\n"
