"""The file device: appends records to a file, so that a record that was reported durable is whole and in the named file.

Refuses everything that is not a plain file of our own: symlinks, FIFOs, folders, second hard links, files that others own or that are
open to more readers than the mode says (SECURITY rows 94 and 95, D-21). ``stdout`` and ``discard`` are special paths that only the
configuration file may name.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import stat
import threading
import time
from collections.abc import Iterator, Mapping

from strongroom.audit.devices import Device, DeviceFailed
from strongroom.audit.devices.file_options import DISCARD, STDOUT, FileOptions, check_options
from strongroom.audit.options import Limits

_TAIL_BYTES_MAX = 4 << 20
# A write that the system cuts short is continued this often before the device counts as failed.
_ATTEMPTS = 3
_NEWLINE = ord("\n")
_LOOK_SECONDS = 0.0005
_STREAM_TURN = threading.Lock()
"""Among the threads of this process, of which each of several devices has one."""
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is as large as it may be",
    errno.EROFS: "the file system is read-only",
    errno.EIO: "the disk reported an error",
    errno.EACCES: "permission was denied",
    errno.EPERM: "permission was denied",
    errno.ENOENT: "its folder does not exist",
    errno.ENOTDIR: "its folder is not a folder, or is reached through a symlink",
    errno.ELOOP: "it is a symlink",
    errno.EISDIR: "it is a folder",
    errno.ENXIO: "it is not a plain file",
}


def open_file_device(options: Mapping[str, str], limits: Limits) -> Device:
    """The device type ``file``. Raises InvalidRequest; opens nothing yet."""
    checked = check_options(options, limits)
    if checked.path == DISCARD:
        return DiscardDevice()
    if checked.path == STDOUT:
        return StreamDevice(1)
    return FileDevice(checked)


class FileDevice:
    """Appends to one file, which is opened at the first write. May be shared with other processes that append the same way."""

    def __init__(self, options: FileOptions) -> None:
        self._options = options
        self._descriptor = -1
        self._torn = False

    def write(self, lines: bytes) -> None:
        """Append ``lines`` in one system call; see :class:`Device`. With ``synced`` they survive a loss of power."""
        try:
            if self._descriptor < 0:
                self._open()
            self._append(lines)
            # A file that was deleted takes writes as if nothing had happened, and keeps none of them.
            if os.fstat(self._descriptor).st_nlink == 0:
                self._open()
                self._append(lines)
        except OSError as error:
            self.close()
            raise _failed(error) from None
        except DeviceFailed:
            self.close()
            raise

    def reopen(self) -> None:
        """Open the file that the path names now, which is a new one after a rotation."""
        try:
            self._open()
        except OSError as error:
            self.close()
            raise _failed(error) from None
        except DeviceFailed:
            self.close()
            raise

    def tail(self) -> bytes:
        """The end of the file that the path names, from the start of a line on where it is cut."""
        try:
            if self._descriptor < 0:
                self._open()
            start = max(0, os.fstat(self._descriptor).st_size - _TAIL_BYTES_MAX)
            content = os.pread(self._descriptor, _TAIL_BYTES_MAX, start)
        except (OSError, DeviceFailed):
            self.close()
            return b""
        return content.partition(b"\n")[2] if start else content

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            _close(descriptor)

    def _append(self, lines: bytes) -> None:
        # A line that an earlier failure cut off must not swallow the next one: a newline ends it.
        remaining = b"\n" + lines if self._torn else lines
        for _ in range(_ATTEMPTS):
            written = os.write(self._descriptor, remaining)
            if written == len(remaining):
                self._torn = False
                break
            # Another process may append between our two writes, so the line that was cut is written again as a whole.
            whole = remaining.rfind(b"\n", 0, written) + 1
            self._torn = whole != written
            remaining = b"\n" + remaining[whole:] if self._torn else remaining[whole:]
        else:
            raise DeviceFailed("the audit file takes only a part of what is written")
        if self._options.synced:
            os.fdatasync(self._descriptor)

    def _open(self) -> None:
        self.close()
        folder, name = os.path.split(self._options.path)
        folder_descriptor = open_folder(folder, follow_symlinks=self._options.follow_symlinks)
        try:
            self._descriptor, created = _open_or_create(folder_descriptor, name, self._options.mode)
            self._torn = False
            if created:
                os.fsync(folder_descriptor)
            else:
                self._torn = _check_existing(self._descriptor, self._options.mode)
        finally:
            _close(folder_descriptor)


class StreamDevice:
    """Writes to a descriptor that the process was started with, such as standard output, which it never closes.

    The processes of a server share it, and a pipe that is full takes lines in pieces: so they take turns, and none writes into
    another one's line. Whoever reads slowly is waited for, also where the stream was made not to wait.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._torn = False

    def write(self, lines: bytes) -> None:
        """Write ``lines``; durable means taken by whoever reads the stream."""
        remaining = memoryview(b"\n" + lines if self._torn else lines)
        try:
            with _STREAM_TURN, _turn_among_processes(self._descriptor):
                while remaining:
                    remaining = remaining[self._write_some(remaining) :]
        except OSError as error:
            raise _failed(error) from None

    def reopen(self) -> None:
        """Nothing: a stream cannot be opened again."""

    def close(self) -> None:
        """Nothing: the stream is not ours."""

    def _write_some(self, content: memoryview) -> int:
        try:
            written = os.write(self._descriptor, content)
        except BlockingIOError:
            ready = select.poll()
            ready.register(self._descriptor, select.POLLOUT)
            ready.poll()
            return 0
        self._torn = content[written - 1] != _NEWLINE
        return written


@contextlib.contextmanager
def _turn_among_processes(descriptor: int) -> Iterator[None]:
    """A record lock of the kernel's, which the end of a process gives back, however it ends.

    It is asked for again and again, and not waited for: the kernel would take a process whose thread waits here, and which has another
    lock that ours waits for, for a deadlock of the two, and fail the other lock.
    """
    while not _can_lock(descriptor):
        time.sleep(_LOOK_SECONDS)
    try:
        yield
    finally:
        fcntl.lockf(descriptor, fcntl.LOCK_UN)


def _can_lock(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class DiscardDevice:
    """Keeps nothing, for trials of a configuration. It satisfies the rule that a record must be kept, so it is no audit log."""

    def write(self, lines: bytes) -> None:
        """Forget ``lines``."""

    def reopen(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


def open_folder(folder: str, *, follow_symlinks: bool) -> int:
    """A descriptor of the absolute or relative ``folder``. Raises OSError, also for a symlink on the way where none may be followed."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    if follow_symlinks:
        return os.open(folder or ".", flags)
    descriptor = os.open("/", flags)
    try:
        for segment in folder.split("/"):
            if segment:
                below = os.open(segment, flags | os.O_NOFOLLOW, dir_fd=descriptor)
                _close(descriptor)
                descriptor = below
    except OSError:
        _close(descriptor)
        raise
    return descriptor


def _open_or_create(folder_descriptor: int, name: str, mode: int) -> tuple[int, bool]:
    """The file's descriptor and whether this call created it."""
    try:
        descriptor = os.open(name, _FLAGS | os.O_CREAT | os.O_EXCL, mode, dir_fd=folder_descriptor)
    except FileExistsError:
        return os.open(name, _FLAGS, dir_fd=folder_descriptor), False
    # The process's umask may have taken bits away that the mode grants.
    os.fchmod(descriptor, mode)
    return descriptor, True


def _check_existing(descriptor: int, mode: int) -> bool:
    """Refuse a file that is not plainly our own log. Returns whether its last line was cut off."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise DeviceFailed("the audit file is not a plain file")
    if status.st_uid != os.geteuid():
        raise DeviceFailed("the audit file belongs to another user; change its owner to the server's user")
    if status.st_nlink != 1:
        raise DeviceFailed("the audit file has a second name (a hard link); remove one")
    if stat.S_IMODE(status.st_mode) & ~mode:
        raise DeviceFailed(f"the audit file is open to more users than its mode allows; run chmod {mode:04o} on it")
    return status.st_size > 0 and os.pread(descriptor, 1, status.st_size - 1) != b"\n"


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:
        # The descriptor is gone either way (close(2)); what it held was reported durable by the write, or not at all.
        return


def _failed(error: OSError) -> DeviceFailed:
    reason = _REASONS.get(error.errno or 0, "the operating system refused the write")
    return DeviceFailed(f"the audit file cannot be written: {reason}")
