from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

ENV_FILE = (
    '# settings\nexport USER_NAME=ana\nPASSWORD=\'CANARY "x" # y\'\nPEM="CANARY\\nline"\nEMPTY=\nURL=x://${USER_NAME}\n'
)
VALUES = {"USER_NAME": "ana", "PASSWORD": 'CANARY "x" # y', "PEM": "CANARY\nline", "EMPTY": "", "URL": "x://ana"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a ``.env`` file, where the command works."""
    made = tmp_path / f"shop{os.getpid()}"
    (made / ".git").mkdir(parents=True)
    (made / ".env").write_text(ENV_FILE)
    monkeypatch.chdir(made)
    return made


def test_the_values_move_and_a_program_gets_them_as_before(ours: CommandLine, quick: CommandLine, folder: Path) -> None:
    (folder / ".gitignore").write_text("build")
    done = quick("init", "-from=.env", "-env=one", "-yes", "-remove")
    assert done.exit_code == 0, done.err
    assert "CANARY" not in done.out + done.err + (folder / ".strongroom.toml").read_text()
    assert not (folder / ".env").exists()
    assert (folder / ".gitignore").read_text() == "build\n.env\n.strongroom.local.toml\n"
    got = dict(item.split("=", 1) for item in ours("run", "--", "env", "-0").out.split("\0") if "=" in item)
    assert got.items() >= VALUES.items()


def test_without_a_terminal_and_without_a_yes_nothing_happens(quick: CommandLine, folder: Path) -> None:
    done = quick("init", "-from=.env", "-env=two")
    assert done.exit_code == 1
    assert "Say -yes" in done.err
    assert sorted(entry.name for entry in folder.iterdir()) == [".env", ".git"]
    assert quick("kv", "get", f"secret/two/{folder.name}").exit_code == 2


def test_nothing_that_exists_is_replaced_without_a_word(quick: CommandLine, folder: Path) -> None:
    path = f"secret/three/{folder.name}"
    quick.value("kv", "put", path, "PASSWORD=other", "KEPT=1")
    done = quick("init", "-from=.env", "-env=three", "-yes")
    assert done.exit_code == 1
    assert "other values for PASSWORD" in done.err
    assert quick.value("kv", "get", "-field=PASSWORD", path) == "other"
    assert quick("init", "-from=.env", "-env=three", "-yes", "-replace").exit_code == 0
    assert quick.value("kv", "get", "-field=KEPT", path) == "1"
    again = quick("init", "-from=.env", "-env=three", "-root=secret/elsewhere", "-yes")
    assert again.exit_code == 1
    assert ".strongroom.toml exists already" in again.err


def test_what_was_cut_off_is_completed_by_the_same_command(quick: CommandLine, folder: Path) -> None:
    words = ("init", "-from=.env", "-env=five", "-yes")
    assert quick(*words).exit_code == 0
    (folder / ".gitignore").unlink()
    done = quick(*words, "-remove")
    assert done.exit_code == 0, done.err
    assert not (folder / ".env").exists()
    assert ".env" in (folder / ".gitignore").read_text().splitlines()
    assert quick.value("kv", "metadata", "get", "-field=current_version", f"secret/five/{folder.name}") == "1"


def test_a_file_that_is_a_link_is_not_said_to_be_removed(quick: CommandLine, folder: Path) -> None:
    (folder / ".env").rename(folder / "shared.env")
    (folder / ".env").symlink_to("shared.env")
    done = quick("init", "-from=.env", "-env=six", "-yes", "-remove")
    assert done.exit_code == 0, done.err
    assert f"remove {folder}/shared.env" in done.err
    assert "Removed" not in done.err
    assert (folder / ".env").exists()


def test_what_was_written_into_the_file_meanwhile_is_not_removed_with_it(
    quick: CommandLine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ignore(*_: str) -> list[str]:
        (folder / ".env").write_text(f"{ENV_FILE}NEW=1\n")
        return []

    monkeypatch.setattr("strongroom.cli.project_init.ignore", ignore)
    done = quick("init", "-from=.env", "-env=seven", "-yes", "-remove")
    assert (done.exit_code, "was changed meanwhile" in done.err) == (1, True)
    assert "NEW=1" in (folder / ".env").read_text()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("A='CANARY\n", "line 1: the value starts with '"),
        ("A=1\nPATH=CANARY\n", "line 2: PATH decides which code"),
        ("A=1\nb-c=CANARY\n", "line 2: 'b-c' cannot be the name"),
        ("# nothing\n", "sets no variable"),
    ],
)
def test_a_file_that_cannot_move_as_a_whole_stays(
    quick: CommandLine, folder: Path, content: str, complaint: str
) -> None:
    (folder / ".env").write_text(content)
    done = quick("init", "-from=.env", "-yes")
    assert done.exit_code == 1
    assert complaint in done.err
    assert "CANARY" not in done.err
    assert not (folder / ".strongroom.toml").exists()


def test_a_person_is_asked(ours: CommandLine, folder: Path) -> None:
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"y\nn\n")
    done = subprocess.run(
        [*ours.program, "init", "-from=.env", "-env=four"],
        stdin=terminal,
        capture_output=True,
        text=True,
        env=ours.environ,
        timeout=60,
        check=True,
    )
    os.close(keyboard)
    os.close(terminal)
    assert "Go on? [y/N] " in done.stderr
    assert "Remove .env? [y/N] " in done.stderr
    assert (folder / ".env").exists()
    assert (folder / ".strongroom.toml").exists()
