# ruff: noqa: PTH108, PTH117, PTH118, PTH208 -- names of files as the system has them
"""A folder of credentials as systemd makes them: one file for each, in memory where that is possible, and gone at the end.

The folder has mode 0700 and its files 0400. Its path stands in ``CREDENTIALS_DIRECTORY``. Whoever has made one holds a lock on it. So what
somebody who was killed has left can be told from what is in use, and the next one takes it away.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.private_file import CannotWrite, write_private
from strongroom.logical.secret import Secret

VARIABLE = "CREDENTIALS_DIRECTORY"
_PREFIX = "strongroom-credentials-"
_NAME_BYTES_MAX = 255 - 24  # with what a file is called while it is written
_READ_ONLY = 0o400
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


def check_file_name(name: str, where: str) -> None:
    """Whether ``name`` can be that of a credential. Raises CannotDeliver that says ``where`` it comes from."""
    fits = name.isascii() and name.isprintable() and "/" not in name and len(name) <= _NAME_BYTES_MAX
    if not fits or not name or name.startswith("."):
        raise CannotDeliver(
            f"{where} cannot be the name of a credential (printable ASCII without a slash, and no dot in front): "
            "give it another with -rename, or leave it out with -exclude"
        )


class CredentialsDirectory:
    """One such folder. ``is_in_memory`` tells whether its content may reach a disk."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        parent, self.is_in_memory = _parent(environ)
        try:
            _remove_left(parent)
            self.path = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
            self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        except OSError as error:
            raise CannotDeliver(f"no folder for credentials could be made in {parent}: {error.strerror}") from None

    def write(self, values: Mapping[str, Secret[str]]) -> None:
        """Make the folder hold exactly ``values``. Each file changes as a whole. Raises CannotDeliver."""
        try:
            for name, value in values.items():
                content = value.reveal().encode("utf-8", "surrogatepass")
                write_private(os.path.join(self.path, name), content, mode=_READ_ONLY)
            for name in set(os.listdir(self.path)) - set(values):
                os.unlink(os.path.join(self.path, name))
        except (CannotWrite, OSError) as error:
            raise CannotDeliver(f"a credential could not be written: {error}") from None

    def remove(self) -> None:
        """Take the folder away with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _remove_left(parent: str) -> None:
    """Take away the folders of those who were killed, unless a program that they have started still has its credentials there."""
    with os.scandir(parent) as entries:
        found = [entry.path for entry in entries if entry.name.startswith(_PREFIX)]
    for path in found:
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                status = os.fstat(descriptor)
                if status.st_uid == os.geteuid() and os.listdir(
                    descriptor
                ):  # else it may be that of somebody who is just beginning
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if not _is_used(path):
                        shutil.rmtree(path)
            finally:
                os.close(descriptor)


def _is_used(path: str) -> bool:
    """Whether a process of ours was started with this folder. What cannot be looked at is somebody else's."""
    wanted = f"{VARIABLE}={path}".encode()
    for process in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{process}/environ", "rb") as file:  # noqa: PTH123 -- as above
            if wanted in file.read().split(b"\0"):
                return True
    return False


def _parent(environ: Mapping[str, str]) -> tuple[str, bool]:
    """The first folder in memory that is ours to write; else the one for temporary files."""
    user = f"/run/user/{os.geteuid()}"
    for folder in (environ.get("XDG_RUNTIME_DIR", ""), user, "/run" if os.geteuid() == 0 else "", "/dev/shm"):  # noqa: S108 -- a folder of its own is made in it, for nobody else
        if folder and os.path.isabs(folder) and os.access(folder, os.W_OK | os.X_OK) and is_in_memory(folder):
            return folder, True
    return tempfile.gettempdir(), False


def is_in_memory(folder: str) -> bool:
    """Whether ``folder`` lies on a file system that is kept in memory."""
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 -- as above
        return kind_of_mount(os.path.realpath(folder), file) in _IN_MEMORY
    return False


def kind_of_mount(folder: str, lines: Iterable[str]) -> str:
    """The kind of the file system of ``folder``, from the lines of mountinfo (proc(5)); ``""`` where none fits."""
    best, kind = -1, ""
    for line in lines:
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 5:
            continue
        place = fields[4].replace("\\040", " ").rstrip("/")
        # Of two on one place the later covers the earlier.
        if (folder + "/").startswith(place + "/") and len(place) >= best:
            best, kind = len(place), after.split(" ")[0]
    return kind
