"""Files that the agent writes: complete or not there, readable by nobody whom the configuration does not name.

A new file is written beside the old one and takes its place in one step. If the agent is killed in between, the old one is still
whole, and the next write removes what was left. Whoever writes holds a lock on the new file: another agent that is to write the same one
neither takes it away nor puts it into its place half written. Every name is used by the descriptor of its folder (see ``folders``).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from strongroom.agent.folders import OutputFolders
from strongroom.delivery.private_file import CannotWrite

_COMPARED_BYTES_MAX = 64 * 1024 * 1024
_ATTEMPTS_MAX = 8
_TAKEN = "another agent is writing this file; each needs files of its own"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class OutputFile(NamedTuple):
    """One file of the agent. With ``backup`` its former content stays beside it, as ``NAME.bak``."""

    path: str
    mode: int
    folders: OutputFolders
    backup: bool = False
    create_folders: bool = False

    def write(self, content: bytes) -> bool:
        """Make the file hold ``content``; False where it does already. Raises CannotWrite, and then nothing has changed."""
        with self.folders.opened(self.path, create=self.create_folders) as (folder, name):
            try:
                found = _look(folder, name)
                if found is not None and self._holds(folder, name, found, content):
                    return False
                scratch = scratch_name(name)
                with _new(folder, scratch) as descriptor:
                    _fill(descriptor, content, self.mode)
                    if self.backup and found is not None:
                        _keep(folder, name)
                    os.rename(scratch, name, src_dir_fd=folder, dst_dir_fd=folder)
                _sync(folder)
            except OSError as error:
                raise CannotWrite(f"{self.path}: {(error.strerror or 'cannot be written').lower()}") from None
            except CannotWrite as error:
                raise CannotWrite(f"{self.path}: {error}") from None
        return True

    def remove(self) -> None:
        """Take the file away, if it is there."""
        with contextlib.suppress(CannotWrite), self.folders.opened(self.path) as (folder, name):
            _unlink(folder, name)

    def _holds(self, folder: int, name: str, found: os.stat_result, content: bytes) -> bool:
        if found.st_size != len(content) or stat.S_IMODE(found.st_mode) != self.mode:
            return False
        if found.st_uid != os.geteuid() or found.st_nlink != 1 or len(content) > _COMPARED_BYTES_MAX:
            return False
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError:
            return False
        with os.fdopen(descriptor, "rb") as file:
            return os.path.samestat(os.fstat(file.fileno()), found) and file.read(len(content) + 1) == content


def scratch_name(name: str) -> str:
    """What a file is called while it is written. Always the same, so that what a killed agent left is found again."""
    return f".{name}.strongroom-new"


def _look(folder: int, name: str) -> os.stat_result | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise CannotWrite("this is a link, a folder, a pipe or a device, and no file; remove it or name another")
    return found


@contextlib.contextmanager
def _new(folder: int, name: str) -> Iterator[int]:
    """An empty file that nobody else writes; taken away again, unless it was given another name. Raises CannotWrite."""
    descriptor = _locked(folder, name)
    try:
        yield descriptor
    finally:
        if _is_called(folder, name, descriptor):
            _unlink(folder, name)
        os.close(descriptor)


def _locked(folder: int, name: str) -> int:
    for _ in range(_ATTEMPTS_MAX):
        try:
            descriptor = os.open(name, _NEW, 0o600, dir_fd=folder)
        except FileExistsError:
            _remove_left(folder, name)
            continue
        if _lock(descriptor) and _is_called(folder, name, descriptor):
            return descriptor
        # Another one took it for something that was left, in the moment before it was locked.
        os.close(descriptor)
    raise CannotWrite(_TAKEN)


def _remove_left(folder: int, name: str) -> None:
    """Take away what a killed agent has left, or somebody has put there. Raises CannotWrite where another agent is writing it."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        _unlink(folder, name)  # a link, or nothing any more
        return
    try:
        if not _lock(descriptor):
            raise CannotWrite(_TAKEN)
        if _is_called(folder, name, descriptor):
            _unlink(folder, name)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_called(folder: int, name: str, descriptor: int) -> bool:
    """Whether ``name`` is the open file."""
    try:
        return os.path.samestat(os.stat(name, dir_fd=folder, follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _fill(descriptor: int, content: bytes, mode: int) -> None:
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        # Whatever the umask is: exactly this mode.
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _keep(folder: int, name: str) -> None:
    backup = name + ".bak"
    found = None
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(backup, dir_fd=folder, follow_symlinks=False)
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise CannotWrite(f"{backup} beside it is no file; remove it")
    _unlink(folder, backup)
    os.link(name, backup, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)


def _unlink(folder: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _sync(folder: int) -> None:
    # A folder that may be searched but not read cannot be synced; the file in it is complete all the same.
    with contextlib.suppress(PermissionError):
        descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
