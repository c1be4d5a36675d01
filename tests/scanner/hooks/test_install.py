"""How a hook comes to a repository and goes again: nothing that was there is lost, whatever happens in between."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from tests.scanner.hooks.conftest import Home, script

from strongroom.scanner.hooks import HookRefused
from strongroom.scanner.hooks.install import Done, State, former_of, install, state_of, uninstall
from strongroom.scanner.hooks.script import FORMER, Script

OTHERS = "#!/bin/sh\nexit 0\n"
OURS = Script("pre-commit", "/usr/bin/python3")


def picture(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """All that is in a folder: modes, contents, where links lead."""
    return {
        path.name: (
            path.lstat().st_mode,
            str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in folder.iterdir()
    }


def test_an_empty_folder_gets_an_executable_hook_and_loses_it_again(tmp_path: Path) -> None:
    folder = tmp_path / "hooks"
    assert install(folder, OURS) is Done.INSTALLED
    assert stat.S_IMODE((folder / "pre-commit").stat().st_mode) == 0o755
    assert uninstall(folder, "pre-commit")
    assert picture(folder) == {}
    assert not uninstall(folder, "pre-commit")


@pytest.mark.parametrize("mode", [0o755, 0o644, 0o700])
def test_the_hook_that_was_there_comes_back_as_it_was(tmp_path: Path, mode: int) -> None:
    script(tmp_path / "pre-commit", OTHERS, mode)
    before = picture(tmp_path)
    assert install(tmp_path, OURS) is Done.CHAINED
    assert former_of(tmp_path, "pre-commit") == tmp_path / f"pre-commit{FORMER}"
    assert uninstall(tmp_path, "pre-commit")
    assert picture(tmp_path) == before


@pytest.mark.parametrize("target", ["../scripts/hook.sh", "/nowhere"])
def test_a_hook_that_is_a_link_stays_one(tmp_path: Path, target: str) -> None:
    folder = tmp_path / "hooks"
    folder.mkdir()
    script(tmp_path / "scripts" / "hook.sh", OTHERS)
    (folder / "pre-commit").symlink_to(target)
    before = picture(folder)
    assert install(folder, OURS) is Done.CHAINED
    assert not (folder / "pre-commit").is_symlink()
    assert (tmp_path / "scripts" / "hook.sh").read_text() == OTHERS
    uninstall(folder, "pre-commit")
    assert picture(folder) == before


def test_installing_again_changes_nothing(tmp_path: Path) -> None:
    script(tmp_path / "pre-commit", OTHERS)
    install(tmp_path, OURS)
    before = picture(tmp_path)
    assert install(tmp_path, OURS) is Done.UNCHANGED
    assert picture(tmp_path) == before


def test_a_hook_of_another_installation_is_brought_up_to_date(tmp_path: Path) -> None:
    script(tmp_path / "pre-commit", OTHERS)
    install(tmp_path, Script("pre-commit", "/old/python"))
    assert install(tmp_path, OURS) is Done.RENEWED
    assert b"/old/python" not in (tmp_path / "pre-commit").read_bytes()
    uninstall(tmp_path, "pre-commit")
    assert (tmp_path / "pre-commit").read_text() == OTHERS


def test_a_hook_of_ours_that_cannot_be_executed_is_repaired(tmp_path: Path) -> None:
    install(tmp_path, OURS)
    (tmp_path / "pre-commit").chmod(0o644)
    assert install(tmp_path, OURS) is Done.RENEWED
    assert os.access(tmp_path / "pre-commit", os.X_OK)


def test_whoever_was_stopped_in_between_has_a_hook_and_may_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "pre-commit", OTHERS)
    before = picture(tmp_path)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            install(tmp_path, OURS)
    assert (tmp_path / "pre-commit").read_text() == OTHERS
    assert install(tmp_path, OURS) is Done.CHAINED
    uninstall(tmp_path, "pre-commit")
    assert picture(tmp_path) == before


def test_two_who_install_at_once_lose_nothing(tmp_path: Path) -> None:
    script(tmp_path / "pre-commit", OTHERS)
    done: list[Done] = []
    threads = [threading.Thread(target=lambda: done.append(install(tmp_path, OURS))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 8
    assert sorted(picture(tmp_path)) == ["pre-commit", f"pre-commit{FORMER}"]
    uninstall(tmp_path, "pre-commit")
    assert (tmp_path / "pre-commit").read_text() == OTHERS


def test_a_second_hook_is_not_put_over_the_one_that_is_kept(tmp_path: Path) -> None:
    script(tmp_path / "pre-commit", OTHERS)
    install(tmp_path, OURS)
    (tmp_path / "pre-commit").unlink()
    script(tmp_path / "pre-commit", "#!/bin/sh\nexit 1\n")
    before = picture(tmp_path)
    with pytest.raises(HookRefused, match="move away"):
        install(tmp_path, OURS)
    with pytest.raises(HookRefused, match="not ours"):
        uninstall(tmp_path, "pre-commit")
    assert picture(tmp_path) == before


def test_a_folder_in_place_of_a_hook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pre-commit").mkdir()
    with pytest.raises(HookRefused, match="is a folder"):
        install(tmp_path, OURS)


def test_a_pipe_in_place_of_a_hook_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pre-commit")
    assert state_of(tmp_path, "pre-commit") is State.FOREIGN
    assert install(tmp_path, OURS) is Done.CHAINED
    uninstall(tmp_path, "pre-commit")
    assert (tmp_path / "pre-commit").is_fifo()


def test_a_file_system_without_second_names_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "pre-commit", OTHERS)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    assert install(tmp_path, OURS) is Done.CHAINED
    assert (tmp_path / f"pre-commit{FORMER}").read_text() == OTHERS


def test_a_folder_that_cannot_be_written_is_an_error_in_words(home: Home, repository: Path) -> None:
    hooks = repository / ".git" / "hooks"
    for path in hooks.iterdir():
        path.unlink()
    hooks.rmdir()
    hooks.write_text("")
    done = home.hook("install", cwd=repository)
    assert (done.exit_code, done.out) == (1, "")
    assert "Cannot read or write" in done.err
    assert "Traceback" not in done.err
