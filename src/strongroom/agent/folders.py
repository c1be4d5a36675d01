"""Ways to the folders in which the agent makes something, on which no link is followed and which are walked anew each time.

A folder is opened component by component from the root, each by the descriptor of the one above it. So it does not matter what
somebody renames, or puts a link in place of, between one step and the next: either we arrive where the configuration says, or
nowhere.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

from strongroom.delivery.private_file import CannotWrite

_MADE_FOLDER_MODE = 0o700
# The same folder by the standard (FHS 3.0, 5.13.1), and a link on nearly every system.
_SAME = (("/var/run/", "/run/"),)


class OutputFolders:
    """Where the agent may make files: below ``allowed``, or anywhere that its configuration names where that is empty."""

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        self._allowed = tuple(canonical(folder).rstrip("/") + "/" for folder in allowed)

    @contextlib.contextmanager
    def opened(self, path: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """The folder of ``path`` as an open descriptor, and the name in it. With ``create`` missing folders are made.

        Raises CannotWrite for a link or something else that is no folder on the way, and for a folder where anybody can
        replace what we make.
        """
        path = canonical(path)
        folder, name = os.path.split(path)
        if not path.startswith("/") or not name or name == ".." or ".." in folder.split("/"):
            raise CannotWrite("the path of a file must be absolute and without ..")
        if self._allowed and not path.startswith(self._allowed):
            raise CannotWrite(f"{path} does not lie in one of allowed_folders")
        descriptor = self._walk(folder, create=create)
        try:
            _refuse_public(descriptor, folder)
            yield descriptor, name
        finally:
            os.close(descriptor)

    def _walk(self, folder: str, *, create: bool) -> int:
        here = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        reached = ""
        for name in filter(None, folder.split("/")):
            reached += "/" + name
            try:
                below = self._step(here, name, create=create and self._may_make(reached))
            except OSError as error:
                raise CannotWrite(f"{reached}: {_why(error)}") from None
            finally:
                os.close(here)
            here = below
        return here

    def _may_make(self, folder: str) -> bool:
        return not self._allowed or (folder + "/").startswith(self._allowed)

    @staticmethod
    def _step(here: int, name: str, *, create: bool) -> int:
        flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(name, flags, dir_fd=here)
        except FileNotFoundError:
            if not create:
                raise
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, _MADE_FOLDER_MODE, dir_fd=here)
        return os.open(name, flags, dir_fd=here)


def canonical(path: str) -> str:
    """``path`` without the one link that every system has."""
    for written, meant in _SAME:
        if path.startswith(written):
            return meant + path.removeprefix(written)
    return path


def _refuse_public(descriptor: int, folder: str) -> None:
    mode = os.fstat(descriptor).st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise CannotWrite(f"{folder}: everybody may replace files in this folder; take that right away, or use another")


def _why(error: OSError) -> str:
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        return "this is a link or a file, and no folder; name the folder itself"
    return (error.strerror or "it cannot be opened").lower()
