"""Hooks for all repositories of a user: a folder of them that git's own setting names.

Once that setting is there, git takes no hook from a repository's own folder any more. So the folder has a script for every
hook there is, and each of them calls the repository's own one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from strongroom.scanner.hooks import HOOKS, HookRefused
from strongroom.scanner.hooks.install import Done, State, install, scans, state_of, uninstall
from strongroom.scanner.hooks.managers import start_of
from strongroom.scanner.hooks.script import Script, forwarding, is_forwarding
from strongroom.scanner.hooks.settings import HOOKS_PATH, set_globally, setting, unset_globally

# Without those whose mere presence changes what git does: push-to-checkout, proc-receive, fsmonitor-watchman.
_OTHERS = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-commit", "pre-rebase",
    "post-checkout", "post-merge", "post-rewrite", "sendemail-validate", "update", "post-receive", "post-update", "reference-transaction",
    "post-index-change", "pre-auto-gc",
)  # fmt: skip


def folder_of_all(environ: Mapping[str, str]) -> Path | None:
    """The folder that git takes the hooks of all repositories from, if one is set. Raises HookRefused where the machine's setting names it."""
    found = setting(HOOKS_PATH, environ, is_path=True)
    if found is None or found.is_of_repository:
        return None
    if not Path(found.value).is_absolute():
        raise HookRefused(f"{HOOKS_PATH} is {found.value}, another folder in each repository: install without -global")
    return Path(found.value)


def own_folder(environ: Mapping[str, str]) -> Path:
    """The folder that is made where there is none yet."""
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "strongroom" / "git-hooks"


def install_everywhere(environ: Mapping[str, str], name: str, interpreter: str) -> tuple[Done, Path]:
    """Put the hook `name` into the folder for all repositories, which is made and set if there is none. What was done, and where."""
    folder, own = folder_of_all(environ), own_folder(environ)
    done = install(folder or own, Script(name, interpreter, is_global=(folder or own) == own))
    if folder is None or folder == own:
        for other in (*_OTHERS, *HOOKS):
            if state_of(own, other) is State.NOTHING:
                _write_forwarding(own / other)
    if folder is None:
        set_globally(HOOKS_PATH, str(own), environ)
    return done, folder or own


def uninstall_everywhere(environ: Mapping[str, str], name: str) -> bool:
    """Take the hook `name` out of that folder, and the folder and its setting away with the last one."""
    folder, own = folder_of_all(environ), own_folder(environ)
    if folder is None or is_forwarding(_at(folder, name)) or not uninstall(folder, name):
        return False
    if folder != own:
        return True
    if any(scans(own, hook) for hook in HOOKS):
        if state_of(own, name) is State.NOTHING:
            _write_forwarding(own / name)
        return True
    unset_globally(HOOKS_PATH, environ)
    for other in (*_OTHERS, *HOOKS):
        if is_forwarding(_at(own, other)):
            (own / other).unlink()
    with contextlib.suppress(OSError):  # what somebody put there stays
        own.rmdir()
    return True


def _at(folder: Path, name: str) -> bytes:
    return start_of(folder / name)


def _write_forwarding(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o755)
    with os.fdopen(descriptor, "wb") as file:
        file.write(forwarding())
        os.fchmod(descriptor, 0o755)
