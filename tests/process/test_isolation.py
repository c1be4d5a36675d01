"""A server loads code from where it is installed: neither the working folder nor the environment puts other code in its place."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from tests.processes import start_server

import strongroom

# Says which interpreter loads it: the first one, or the one that serves.
PLANTED = """
import os, sys
with open({marks!r}, "a") as file:
    file.write(f"{{__name__}} {{sys.flags.isolated}}\\n")
"""
MODULES = ("sitecustomize", "click", "msgspec", "apsw", "cryptography", "argon2", "strongroom")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment in which this code is installed, with the console script that pip makes."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=True)
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    source = Path(strongroom.__file__).parents[1]
    (packages / "strongroom.pth").write_text(f"{source}\n{sysconfig.get_path('purelib')}\n")
    script = folder / "bin" / "strongroom"
    script.write_text(
        f"#!{folder}/bin/python\nimport sys\nfrom strongroom.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    script.chmod(0o755)
    return folder / "bin"


def planted(folder: Path) -> tuple[Path, Path]:
    """A folder of hostile modules, and the file in which they say that they were loaded."""
    hostile, marks = folder / "hostile", folder / "marks"
    hostile.mkdir()
    marks.touch()
    for name in MODULES[:-1]:
        (hostile / f"{name}.py").write_text(PLANTED.format(marks=str(marks)))
    return hostile, marks


def test_a_server_ignores_what_lies_in_the_working_folder_and_in_pythonpath(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile, marks = planted(tmp_path)
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("PYTHONPATH", str(hostile))
    folder = tmp_path / "server"
    server = start_server(folder, command=(str(installed / "strongroom"), "server", f"-config={folder}/server.hcl"))
    try:
        assert server.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).status == 200
        arguments = Path(f"/proc/{server.process.pid}/cmdline").read_bytes().split(b"\0")
        assert arguments[1] == b"-I"
    finally:
        server.kill()
    # What the environment had loaded before our first line is gone with the first interpreter.
    assert [line for line in marks.read_text().splitlines() if not line.endswith(" 0")] == []
    assert {line.split()[0] for line in marks.read_text().splitlines()} <= {"sitecustomize"}


def test_other_commands_do_not_pay_for_it(installed: Path, tmp_path: Path) -> None:
    words = [str(installed / "strongroom"), "version"]
    done = subprocess.run(
        words, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True, text=True
    )
    assert done.stdout.startswith("Strongroom")
