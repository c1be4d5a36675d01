"""Every command over a repository whose settings, environment and files name programs, and lead out: nothing runs, nothing outside is read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.scanner.hiding.repositories import Builder, number_of
from tests.scanner.hooks.conftest import SETTINGS, Done, Home, script
from tests.scanner.sources.test_hostile_repository import Trap

ZEROS = "0" * 40


@pytest.fixture(scope="module")
def trap(tmp_path_factory: pytest.TempPathFactory) -> Trap:
    made = Trap(tmp_path_factory.mktemp("trap"))
    (made.builder.root / ".strongroom-scan.toml").write_text(SETTINGS)
    return made


def environment(trap: Trap) -> dict[str, str]:
    """All that a shell may hand on to git that makes it run something."""
    program = str(trap.marker.parent / "program")
    names = ("EXTERNAL_DIFF", "SSH_COMMAND", "SSH", "PAGER", "EDITOR", "SEQUENCE_EDITOR", "ASKPASS", "PROXY_COMMAND")
    settings = {
        "core.fsmonitor": program,
        "diff.external": program,
        "core.sshCommand": program,
        "alias.log": f"!{program}",
    }
    counted = {f"GIT_CONFIG_KEY_{at}": name for at, name in enumerate(settings)}
    counted |= {f"GIT_CONFIG_VALUE_{at}": value for at, value in enumerate(settings.values())}
    return {f"GIT_{name}": program for name in names} | counted | {"GIT_CONFIG_COUNT": str(len(settings))}


def tip(trap: Trap) -> str:
    """The commit at HEAD, read without git: the traps are set."""
    return (trap.builder.root / ".git/refs/heads/main").read_text().strip()


COMMANDS: dict[str, tuple[int, str]] = {
    "scan dir .": (1, ""),
    "scan git .": (1, ""),
    "scan git -since=HEAD~1 .": (1, ""),
    "scan git -since=HEAD~1..HEAD .": (1, ""),
    "scan git -since=2001-01-01 .": (1, ""),
    "scan staged": (1, ""),
    "hook run pre-commit": (1, ""),
    "hook run pre-push -- origin x": (1, f"refs/heads/main TIP refs/heads/main {ZEROS}\n"),
    "hook run pre-receive": (0, f"{ZEROS} TIP refs/heads/main\n"),  # which all references have already
    "hook install pre-push": (1, ""),  # its hooks lead out of it
    "hook install -force pre-push": (0, ""),
    "hook install -framework=pre-commit": (0, ""),
    "hook uninstall pre-receive": (1, ""),  # what is there is another hook
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_runs_anything(home: Home, trap: Trap, command: str) -> None:
    exit_code, given = COMMANDS[command]
    trap.marker.unlink(missing_ok=True)
    done = ours(home, command, trap.builder.root, given.replace("TIP", tip(trap)), **environment(trap))
    trap.check()
    assert done.exit_code == exit_code, done.out + done.err
    assert "Traceback" not in done.err


def ours(home: Home, command: str, cwd: Path, given: str = "", **environ: str) -> Done:
    words = [sys.executable, "-P", "-m", "strongroom", *command.split(" ")]
    return home.run(*words, cwd=cwd, given=given.encode(), **environ)


def outside(home: Home) -> str:
    (home.path / "outside").mkdir()
    (home.path / "outside" / "key.py").write_text(f"key = '{number_of('outside').decode()}'\n")
    return str(home.path / "outside")


def test_a_working_tree_elsewhere_is_not_read(home: Home, repository: Path) -> None:
    place = outside(home)
    home.git("config", "core.worktree", place, cwd=repository)
    for command in ("scan git .", "scan staged", "hook run pre-commit"):
        assert "key.py" not in ours(home, f"{command}", repository).out, command


@pytest.mark.parametrize("name", [".strongroom-scan.toml", ".strongroomignore", ".gitleaks.toml", ".gitleaksignore"])
def test_settings_that_are_links_out_count_for_nothing(home: Home, repository: Path, name: str) -> None:
    place = Path(outside(home))
    (place / "settings").write_text("this is no setting = [\n**\n")
    builder = Builder(repository)
    builder.hide("inside", "a.py")
    home.git("add", "--all", cwd=repository)
    (repository / name).unlink(missing_ok=True)
    (repository / name).symlink_to(place / "settings")
    done = ours(home, "hook run pre-commit", repository)
    assert done.exit_code == 1, done.err
    assert "a.py:3" in done.err


@pytest.mark.parametrize("path", ["../outside/settings", "ABSOLUTE", "link"])
def test_settings_that_extend_others_stay_within_the_repository(home: Home, repository: Path, path: str) -> None:
    place = Path(outside(home))
    (place / "settings").write_text("title = 'x'\n")
    (repository / "link").symlink_to(place / "settings")
    (repository / ".strongroom-scan.toml").unlink()
    text = f"[extend]\npath = '{path.replace('ABSOLUTE', str(place / 'settings'))}'\n"
    (repository / ".gitleaks.toml").write_text(text)
    done = ours(home, "scan dir .", repository)
    assert done.exit_code == 2
    assert "leads out of the repository" in done.err


@pytest.mark.parametrize("name", ["../outside/known.json", "/etc/passwd"])
def test_a_baseline_stands_in_the_repository(home: Home, repository: Path, name: str) -> None:
    (repository / ".strongroom-scan.toml").write_text(f"baseline = '{name}'\n{SETTINGS}")
    done = ours(home, "scan dir .", repository)
    assert (done.exit_code, "beside or below" in done.err) == (2, True)


def test_a_link_in_place_of_a_baseline_is_not_read(home: Home, repository: Path) -> None:
    place = Path(outside(home))
    script(place / "known.json", "[]")
    (repository / "known.json").symlink_to(place / "known.json")
    (repository / ".strongroom-scan.toml").write_text(f"baseline = 'known.json'\n{SETTINGS}")
    done = ours(home, "scan dir .", repository)
    assert (done.exit_code, "no file of this repository" in done.err) == (2, True)


def test_files_of_a_repository_that_are_folders_break_nothing(home: Home, repository: Path) -> None:
    (repository / ".strongroomignore").mkdir()
    (repository / ".git/MERGE_HEAD").mkdir()
    assert ours(home, "hook run pre-commit", repository) == Done(0, "", "")
    (repository / ".git/commondir").mkdir()
    done = ours(home, "hook run pre-commit", repository)
    assert (done.exit_code, done.err.startswith("Cannot scan: git ")) == (2, True)
