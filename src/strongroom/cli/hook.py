"""``hook install``, ``uninstall`` and ``status``: git calls the scanner before a commit, before a push, and where a push arrives."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from strongroom.cli.ending import is_unread
from strongroom.cli.errors import CommandFailed
from strongroom.cli.extras import how_to_install
from strongroom.cli.grammar import command, expect
from strongroom.cli.options import switch, text
from strongroom.cli.session import Session

if TYPE_CHECKING:
    from strongroom.scanner.hooks.folder import HooksFolder
    from strongroom.scanner.sources.git_layout import Repository


def _everywhere() -> Any:
    return switch("-global", help="For all repositories of this user, by git's setting core.hooksPath.")


@command(
    "install",
    "[HOOK] [PATH]",
    _everywhere(),
    text("-framework", help="pre-commit: put our hooks into .pre-commit-config.yaml, for pre-commit and prek."),
    switch(
        "-force", help="Install also where another program manages the hooks, or settings lead out of the repository."
    ),
    remote=False,
)
def install_hook(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Puts a hook into a git repository that refuses secrets: pre-commit, pre-push or pre-receive.

    Without a name it is pre-commit, and pre-receive in a bare repository. A hook that is there is kept, and called as well.

        strongroom hook install
        strongroom hook install pre-push
        strongroom hook install pre-receive /srv/git/app.git
    """
    name, path = _named(arguments)
    with _failing():
        if flags["framework"]:
            return _add_to_framework(session, flags["framework"], path)
        if find_spec("re2") is None:
            session.note(
                f"The scanner is not installed here, and without it the hook refuses: {how_to_install('scanner')}"
            )
        if flags["global"]:
            return _install_everywhere(session, name or "pre-commit")
        return _install_here(session, name, path, force=flags["force"])


@command("uninstall", "[HOOK] [PATH]", _everywhere(), remote=False)
def uninstall_hook(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Takes hooks of ours out again, all or the named one, and puts back what was there before.

    strongroom hook uninstall pre-push
    """
    from strongroom.scanner.hooks import HOOKS
    from strongroom.scanner.hooks.everywhere import uninstall_everywhere
    from strongroom.scanner.hooks.install import State, state_of, uninstall

    name, path = _named(arguments)
    with _failing():
        taken = []
        folder = None if flags["global"] else _place(session, path)[1].own().path
        for hook in (name,) if name else HOOKS:
            if folder is None:
                is_taken = uninstall_everywhere(session.environ, hook)
            elif name or state_of(folder, hook) is State.OURS:
                is_taken = uninstall(folder, hook)
            else:
                is_taken = False
            taken += [hook] if is_taken else []
    session.say(f"Taken out: {', '.join(taken)}" if taken else "There is no hook of ours here.")
    return 0


@command("status", "[PATH]", remote=False)
def hook_status(session: Session, arguments: tuple[str, ...]) -> int:
    """Shows which hooks of a repository scan, and what else is there. Exit code 1 if none of them does."""
    from strongroom.scanner.hooks import HOOKS
    from strongroom.scanner.hooks.install import State, former_of, scans, state_of
    from strongroom.scanner.hooks.managers import manager_of
    from strongroom.scanner.reports.masking import printable

    expect(arguments, 0, 1)
    with _failing():
        repository, folder = _place(session, arguments[0] if arguments else ".")
        states = {hook: state_of(folder.path, hook) for hook in HOOKS}
        # In a folder for all repositories, what only calls the repository's own hook is none of ours.
        states |= {
            hook: State.NOTHING
            for hook, state in states.items()
            if state is State.OURS and not scans(folder.path, hook)
        }
        shared = f", for all repositories ({folder.scope})" if folder.is_shared else ""
        session.say(f"Hooks in {printable(str(folder.path))}{shared}")
        for hook, state in states.items():
            more = ""
            if state is State.OURS and former_of(folder.path, hook):
                more = ", and calls the one that was there"
            elif state is State.FOREIGN and (manager := manager_of(repository, folder, hook)):
                more = f", of {manager.name}"
            session.say(f"{hook:<12} {state.value}{more}")
    return 0 if State.OURS in states.values() else 1


def _named(arguments: tuple[str, ...]) -> tuple[str, str]:
    """The hook, or nothing, and the path of the repository."""
    from strongroom.scanner.hooks import HOOKS

    expect(arguments, 0, 2)
    if arguments and arguments[0] in HOOKS:
        return arguments[0], arguments[1] if len(arguments) > 1 else "."
    if len(arguments) > 1:
        raise CommandFailed(f"There is no hook {arguments[0]} of ours; there are {', '.join(HOOKS)}")
    return "", arguments[0] if arguments else "."


@contextmanager
def _failing() -> Iterator[None]:
    """Errors of hooks as those of the command line."""
    from strongroom.scanner.hooks import HookRefused
    from strongroom.scanner.scan import ScanFailed

    try:
        yield
    except (HookRefused, ScanFailed) as error:
        raise CommandFailed(str(error)) from None
    except OSError as error:
        if is_unread(error):
            raise
        raise CommandFailed(f"Cannot read or write {error.filename or 'a file'}: {error.strerror}") from None


def _place(session: Session, path: str) -> tuple[Repository, HooksFolder]:
    from strongroom.scanner.hooks.folder import hooks_folder
    from strongroom.scanner.sources.git_layout import find_repository

    repository = find_repository(path)
    return repository, hooks_folder(repository, session.environ)


def _add_to_framework(session: Session, framework: str, path: str) -> int:
    from strongroom.scanner.hooks.pre_commit_file import FILE_NAME, add_hooks
    from strongroom.scanner.sources.git_layout import find_repository

    if framework != "pre-commit":
        raise CommandFailed("-framework is pre-commit; prek reads the same file")
    repository = find_repository(path)
    if not repository.worktree:
        raise CommandFailed("A bare repository has no working tree for that file: install pre-receive there")
    is_new = add_hooks(repository.worktree)
    session.say(f"{'Added to' if is_new else 'Our hooks are already in'} {FILE_NAME}")
    session.say("Next: pre-commit install --hook-type pre-commit --hook-type pre-push")
    return 0


def _install_everywhere(session: Session, name: str) -> int:
    from strongroom.scanner.hooks.everywhere import install_everywhere

    done, folder = install_everywhere(session.environ, name, sys.executable)
    session.say(f"{done.value}: {name} of all repositories, in {folder}")
    return 0


def _install_here(session: Session, name: str, path: str, *, force: bool) -> int:
    from strongroom.scanner.hooks.install import install
    from strongroom.scanner.hooks.managers import manager_of
    from strongroom.scanner.hooks.script import Script

    repository, folder = _place(session, path)
    folder.own()
    name = name or ("pre-commit" if repository.worktree else "pre-receive")
    if name == "pre-commit" and not repository.worktree:
        raise CommandFailed("Nothing is committed in a bare repository: install pre-receive there")
    if folder.leads_out and not force:
        raise CommandFailed(
            f"The hooks of this repository lead out of it, to {folder.path}: with -force they are installed there"
        )
    if not force and (manager := manager_of(repository, folder, name)):
        raise CommandFailed(
            f"{manager.name} manages the hooks here, and would overwrite ours. Instead, {manager.advice}"
        )
    done = install(folder.path, Script(name, "" if folder.is_in_worktree else sys.executable))
    session.say(f"{done.value}: {name} in {folder.path}")
    if folder.is_in_worktree:
        session.note("This folder belongs to the working tree: commit it, and the hook is everybody's.")
    return 0
