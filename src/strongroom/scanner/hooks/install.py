"""Puts a hook into a folder and takes it out again. What was there is kept, and comes back as it was.

At no moment is a hook missing that was there: the former one gets a second name, then ours takes its first one in one step. Whoever is stopped in between
may do it again.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from enum import Enum
from pathlib import Path

from strongroom.scanner.hooks import HookRefused
from strongroom.scanner.hooks.managers import start_of
from strongroom.scanner.hooks.script import FORMER, Script, is_forwarding, is_ours

_MODE = 0o755
_TRIES = 5


class State(Enum):
    """What stands under a hook's name."""

    NOTHING = "not installed"
    OURS = "installed"
    FOREIGN = "another hook"


class Done(Enum):
    """What an installation came to."""

    INSTALLED = "Installed"
    CHAINED = "Installed; the hook that was there is called as well"
    RENEWED = "Brought up to date"
    UNCHANGED = "It was installed already"


def state_of(folder: Path, name: str) -> State:
    """What stands under the name of a hook in `folder`."""
    path = folder / name
    if not os.path.lexists(path):
        return State.NOTHING
    return State.OURS if not path.is_symlink() and is_ours(start_of(path)) else State.FOREIGN


def scans(folder: Path, name: str) -> bool:
    """Whether a hook of ours stands there that scans, and does not only call the repository's own one."""
    return state_of(folder, name) is State.OURS and not is_forwarding(start_of(folder / name))


def former_of(folder: Path, name: str) -> Path | None:
    """Where the hook is that was there before ours, if there was one."""
    path = folder / (name + FORMER)
    return path if os.path.lexists(path) else None


def install(folder: Path, script: Script) -> Done:
    """Put `script` into `folder`, in front of a hook that is there or behind it. Raises HookRefused and OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(_TRIES):
        with contextlib.suppress(FileExistsError):  # somebody else installs too: look again
            return _install_once(folder, script)
    raise HookRefused(f"{folder / script.name} changes all the time: try again")


def _install_once(folder: Path, script: Script) -> Done:
    path = folder / script.name
    state = state_of(folder, script.name)
    if state is State.OURS:
        return _renew(path, script)
    if state is State.FOREIGN:
        _keep(path, folder / (script.name + FORMER))
    _write(path, script.render(), is_new=state is State.NOTHING)
    return Done.CHAINED if former_of(folder, script.name) else Done.INSTALLED


def _renew(path: Path, script: Script) -> Done:
    content = script.render()
    if content == start_of(path) and stat.S_IMODE(path.stat().st_mode) & 0o111:
        return Done.UNCHANGED
    _write(path, content)
    return Done.RENEWED


def _keep(path: Path, kept: Path) -> None:
    """Give the hook at `path` its second name."""
    if path.is_dir() and not path.is_symlink():
        raise HookRefused(f"{path} is a folder, and no hook: move it away")
    if os.path.lexists(kept):
        if os.path.samestat(path.lstat(), kept.lstat()):
            return  # somebody was stopped here before
        if is_ours(start_of(path)):
            raise FileExistsError  # somebody else has just installed ours
        raise HookRefused(
            f"{path} is another hook, and {kept} is one that was kept earlier: move away the one that is not needed any more"
        )
    try:
        os.link(path, kept, follow_symlinks=False)
    except OSError as error:
        if isinstance(error, FileExistsError):
            raise
        path.rename(kept)  # a file system without second names


def uninstall(folder: Path, name: str) -> bool:
    """Take our hook out, and put back what was there. False if ours is not there. Raises HookRefused for another one."""
    state = state_of(folder, name)
    if state is State.NOTHING:
        return False
    path = folder / name
    if state is State.FOREIGN:
        raise HookRefused(f"{path} is not ours, so it stays as it is")
    if former := former_of(folder, name):
        former.rename(path)
    else:
        path.unlink()
    _sync(folder)
    return True


def _write(path: Path, content: bytes, *, is_new: bool = False) -> None:
    """Write a hook at once, whole and executable. Raises FileExistsError if it `is_new` and is there."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".strongroom-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, _MODE)
            file.flush()
            os.fsync(descriptor)
        if is_new and os.path.lexists(path):
            raise FileExistsError
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
