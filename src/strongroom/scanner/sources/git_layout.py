"""Where a repository has what: bare or with a working tree, linked working trees, submodules, repositories within."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from strongroom.scanner.sources.git_command import GitFailed

_LARGEST_LINK = 4096
_LARGEST_LIST = 1 << 20


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository: its own folder, the folder that it shares with linked working trees, and its working tree, if it has one.

    `shown_below` is how its paths begin in reports: empty, except for a submodule or another repository within.
    """

    folder: str
    common: str
    worktree: str = ""
    shown_below: str = ""

    @property
    def root(self) -> str:
        """Where the settings for its scans stand: the root of its working tree, or a bare repository itself."""
        return self.worktree or self.common

    @property
    def has_history_cut_off(self) -> bool:
        """Whether it is a shallow clone."""
        return os.path.exists(os.path.join(self.common, "shallow"))

    @property
    def is_partial(self) -> bool:
        """Whether it is a partial clone: objects were left with the server."""
        packs = os.path.join(self.common, "objects", "pack")
        try:
            return any(name.endswith(".promisor") for name in os.listdir(packs))
        except OSError:
            return False

    @property
    def lacks_alternates(self) -> bool:
        """Whether it takes objects from a folder that is not there: git goes on without them and does not say so by its exit code."""
        objects = os.path.join(self.common, "objects")
        named = _short_text(os.path.join(objects, "info", "alternates"), _LARGEST_LIST).split("\n")
        places = [name for name in named if name and not name.startswith(("#", '"'))]
        return not all(os.path.isdir(os.path.join(objects, name)) for name in places)

    def linked(self) -> list[str]:
        """The folders of linked working trees: each has an index of its own."""
        folder = os.path.join(self.common, "worktrees")
        try:
            return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
        except OSError:
            return []

    def quarantines(self) -> list[str]:
        """Folders of objects that were pushed, and never accepted."""
        objects = os.path.join(self.common, "objects")
        try:
            names = sorted(os.listdir(objects))
        except OSError:
            return []
        return [os.path.join(objects, name) for name in names if name.startswith(("incoming-", "tmp_objdir-"))]


def find_repository(place: str) -> Repository:
    """The repository at `place`, or the one whose working tree `place` is in. Raises GitFailed if there is none."""
    start = os.path.realpath(place)
    if not os.path.exists(start):  # else a slip of the finger would be about the repository around it
        raise GitFailed("there is no such folder")
    for folder in (start, *map(str, Path(start).parents)):
        if found := _repository_at(folder):
            return found
    raise GitFailed("there is no git repository here")


def _repository_at(folder: str, shown_below: str = "") -> Repository | None:
    own = os.path.join(folder, ".git")
    if _is_repository(own):
        return Repository(own, _common(own), folder, shown_below)
    if os.path.isfile(own) and (linked := _linked(own)):
        return Repository(linked, _common(linked), folder, shown_below)
    if _is_repository(folder):
        is_own = os.path.basename(folder) == ".git"
        return Repository(folder, _common(folder), os.path.dirname(folder) if is_own else "", shown_below)
    return None


def repository_within(root: str, name: str) -> Repository | None:
    """The repository whose working tree is the folder `name` of another's, `root`."""
    return _repository_at(os.path.join(root, name), f"{_shown(name)}/")


def _shown(name: str) -> str:
    """A name as reports show it: bytes that are no UTF-8 as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def submodules(repository: Repository) -> Iterator[Repository]:
    """The repositories of submodules, wherever their working trees are, and submodules of theirs."""
    modules = Path(repository.common) / "modules"
    folders = [modules] if modules.is_dir() else []
    while folders:
        folder = folders.pop()
        for below in sorted(folder.iterdir()):
            if below.is_symlink() or not below.is_dir():
                continue
            if not _is_repository(str(below)):
                folders.append(below)
                continue
            name = below.relative_to(modules).as_posix()
            yield Repository(str(below), _common(str(below)), "", f"{repository.shown_below}{_shown(name)}/")
            if (below / "modules").is_dir():
                folders.append(below / "modules")


def _is_repository(folder: str) -> bool:
    has_objects = os.path.isdir(os.path.join(folder, "objects")) or os.path.isfile(os.path.join(folder, "commondir"))
    return has_objects and os.path.lexists(os.path.join(folder, "HEAD"))


def _linked(file: str) -> str:
    """Where a `.git` file says that the repository is, or nothing if it does not."""
    text = _short_text(file)
    if not text.startswith("gitdir: "):
        return ""
    folder = os.path.realpath(os.path.join(os.path.dirname(file), text.removeprefix("gitdir: ")))
    return folder if _is_repository(folder) else ""


def _common(folder: str) -> str:
    text = _short_text(os.path.join(folder, "commondir"))
    return os.path.realpath(os.path.join(folder, text)) if text else folder


def _short_text(file: str, most: int = _LARGEST_LINK) -> str:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        return os.fsdecode(os.read(descriptor, most).rstrip(b"\n")) if is_file else ""
    except OSError:
        return ""
    finally:
        os.close(descriptor)
