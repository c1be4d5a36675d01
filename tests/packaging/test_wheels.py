"""The wheels: what is in them, that they are the same each time, and that one of them needs nothing but click."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email.parser import Parser
from pathlib import Path

import click
import pytest
from tests.packaging.conftest import PROJECTS, ROOT, build

from strongroom import __version__

pytestmark = pytest.mark.xdist_group("packaging")

SOURCE = ROOT / "src" / "strongroom"
ROOMS_OF_THE_COMMAND_LINE = {"agent", "cli", "client", "delivery", "evidence", "logical", "scanner"}
IMPORT_EVERYTHING = """
import importlib, json, pkgutil, strongroom
names = [found.name for found in pkgutil.walk_packages(strongroom.__path__, "strongroom.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(json.dumps(names))
"""


def files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def metadata(wheel: Path) -> list[tuple[str, str]]:
    with zipfile.ZipFile(wheel) as opened:
        (name,) = (name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(opened.read(name).decode()).items()


def code(*folders: str) -> set[str]:
    """The files of the source tree in these folders of it (all of it without any), as they stand in a wheel."""
    found = [path for folder in folders or ("",) for path in (SOURCE / folder).rglob("*") if path.is_file()]
    return {f"strongroom/{path.relative_to(SOURCE)}" for path in found if "__pycache__" not in path.parts}


def test_the_wheels_hold_the_code_and_nothing_else(wheels: dict[str, Path]) -> None:
    files_alone = (
        *("__init__.py", "__main__.py", "failpoints.py", "py.typed", "backup/__init__.py", "backup/file.py"),
        *("encoding/__init__.py", "encoding/base62.py", "encoding/hcl.py"),
        # with which the agent's proxy reads requests
        *("http/__init__.py", "http/message.py", "http/parser.py", "http/target.py", "http/writer.py"),
    )
    own = {f"strongroom/{name}" for name in files_alone}
    found = {name: {file for file in files(wheel) if file.startswith("strongroom/")} for name, wheel in wheels.items()}
    assert found["strongroom"] == code()
    assert found["strongroom_cli"] == code(*ROOMS_OF_THE_COMMAND_LINE) | own


@pytest.mark.parametrize("project", PROJECTS)
def test_pages_completion_and_units_come_with_the_code(wheels: dict[str, Path], project: str) -> None:
    share = f"{project}-{__version__}.data/data/share/"
    shared = {file.removeprefix(share) for file in files(wheels[project]) if file.startswith(share)}
    assert {"man/man1/strongroom.1", "man/man1/strongroom-kv-get.1", "man/man1/strongroom-run.1"} <= shared
    assert {file for file in shared if not file.startswith("man/")} >= {
        *("bash-completion/completions/strongroom", "bash-completion/completions/sr"),
        *("zsh/site-functions/_strongroom", "zsh/site-functions/_sr"),
        *("fish/vendor_completions.d/strongroom.fish", "fish/vendor_completions.d/sr.fish"),
        "strongroom/systemd/strongroom-agent.service",
    }
    assert ("strongroom/systemd/strongroom.service" in shared) == (project == "strongroom")


@pytest.mark.parametrize("project", PROJECTS)
def test_the_same_source_makes_the_same_bytes(wheels: dict[str, Path], project: str, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        again = build(PROJECTS[project], tmp_path)
    finally:
        os.umask(before)
    assert again.name == wheels[project].name
    assert again.read_bytes() == wheels[project].read_bytes()


@pytest.mark.parametrize("project", PROJECTS)
def test_a_wheel_needs_click_alone_unless_asked_for_more(wheels: dict[str, Path], project: str) -> None:
    needed = [value for name, value in metadata(wheels[project]) if name == "Requires-Dist"]
    assert [one for one in needed if "extra ==" not in one] == ["click>=8.2"]
    assert ("Version", __version__) in metadata(wheels[project])


def test_the_extras_of_both_wheels_are_the_same_but_for_the_server(wheels: dict[str, Path]) -> None:
    extras = {
        project: {
            value for name, value in metadata(wheel) if name == "Requires-Dist" and "extra == 'server'" not in value
        }
        for project, wheel in wheels.items()
    }
    assert extras["strongroom"] == extras["strongroom_cli"]


@pytest.fixture(scope="module")
def fresh(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new environment in which the command line is installed, and click, and nothing else."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    installed = Path(click.__file__).parent
    shutil.copytree(installed, packages / "click")
    (record,) = installed.parent.glob("click-*.dist-info")
    shutil.copytree(record, packages / record.name)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "install", "--quiet", "--no-index", str(wheels["strongroom_cli"])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def run(fresh: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": f"{fresh}:/usr/bin:/bin", "HOME": str(fresh.parent), **environ}
    return subprocess.run(words, env=clean, capture_output=True, text=True, check=False, timeout=120)


def test_every_module_of_the_command_line_loads_beside_click_alone(fresh: Path) -> None:
    done = run(fresh, "python", "-I", "-c", IMPORT_EVERYTHING)
    assert done.returncode == 0, done.stderr
    assert {"strongroom.cli.run", "strongroom.agent.main", "strongroom.scanner.scan"} <= set(json.loads(done.stdout))


@pytest.mark.parametrize("program", ["strongroom", "sr"])
def test_both_names_of_the_program_are_there(fresh: Path, program: str) -> None:
    done = run(fresh, program, "version")
    assert done.returncode == 0, done.stderr
    assert __version__ in done.stdout


def test_a_scan_says_what_to_install(fresh: Path, tmp_path: Path) -> None:
    token = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    (tmp_path / "settings.py").write_text(f'TOKEN = "{token}"\n')
    done = run(fresh, "strongroom", "scan", "dir", str(tmp_path), "-redact", XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "The scanner is not installed here (no module re2): pip install 'strongroom-cli[scanner]'" in done.stderr


@pytest.mark.parametrize("words", [("server", "-dev"), ("dev",), ("doctor",), ("operator", "verify", "-config=x")])
def test_what_needs_a_server_says_how_to_get_one(fresh: Path, words: tuple[str, ...]) -> None:
    done = run(fresh, "strongroom", *words)
    assert done.returncode in {1, 2}
    assert done.stdout == ""
    assert "The server is not installed here" in done.stderr
    assert "Traceback" not in done.stderr
