"""The data folder: made for the owner alone, checked at each start, and held by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from strongroom.physical.sqlite.reserve import NAME as RESERVE
from strongroom.physical.store import Unavailable

DATABASE = "strongroom.db"
FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")
ASIDE = "replaced-"
"""So begin the names of folders with what a restore replaced."""
LOCK = "lock"
WRITER_LOCK = "writer-lock"
MARK = "founded"
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_OTHERS = 0o077
_TRIES, _TRY_SECONDS = 5, 0.02
_WHAT_THE_MARK_SAYS = b"""A vault was made in this folder. While this file is here, no server begins another one in its place:
if the vault's database is lost, put it back, or restore a backup with 'strongroom operator restore'.
"""
_LOST = (
    "the database in {folder} is missing or empty, but {proof} says that there was one: put its files back, or restore a backup with"
    " 'strongroom operator restore'. To begin a new vault, name an empty folder"
)
_EMPTIED = "the file of the database was emptied while the server runs; stop the server and restore a backup"
_MOVED = (
    "the files of the database were removed or replaced while the server runs, so what is written now would be lost; "
    "put them back, or stop the server and restore a backup"
)


class Hold:
    """The right to be the one server that has the folder open. Its processes share it, and the last one that goes gives it up."""

    def __init__(self, descriptors: list[int]) -> None:
        self._descriptors = descriptors

    def release(self) -> None:
        """Give it up, as far as this process has it. Releasing twice is fine."""
        while self._descriptors:
            os.close(self._descriptors.pop())


class Folder:
    """A data folder that this process holds. Raises Unavailable where it is unsafe, unreachable or held by another.

    ``is_shared`` says that a parent process holds it, for this one and its siblings: then writers take turns, see ``write_turn``.
    """

    def __init__(self, path: Path, *, is_shared: bool = False) -> None:
        self.path = path
        self._hold: Hold | None = None
        self._writer_lock = -1
        # By path as a text, which is the quickest to ask about: every commit does.
        self._present: dict[str, tuple[int, int]] = {}
        try:
            _make_folder(path)
            _check(path, is_folder=True)
            # SQLite follows no link on the way to its files: the operator's are followed here, and from now on nobody's.
            self.path = path = path.resolve(strict=True)
            if is_shared:
                self._writer_lock = _open(path / WRITER_LOCK)
            else:
                self._hold = _hold(path)
        except OSError as error:
            raise Unavailable(f"the data folder {path} cannot be used: {os.strerror(error.errno or 0)}") from None
        try:
            self.make_files()
        except BaseException:
            self.release()
            raise

    @property
    def database(self) -> Path:
        """Where the database lies."""
        return self.path / DATABASE

    def make_files(self) -> None:
        """Make the database file for the owner alone if it is missing, and check what is there.

        SQLite gives its journal files the mode of the database file, so this decides about all of them, whatever the umask.
        Only before the database is opened: see ``check_files``. Where there was a database once, none is made.
        """
        self._refuse_lost_database()
        drop_second_names(self.path)
        try:
            os.close(_open(self.database))
            _sync(self.path)
        except OSError as error:
            raise Unavailable(f"the database in {self.path} cannot be used: {os.strerror(error.errno or 0)}") from None
        self.check_files()

    @property
    def is_marked(self) -> bool:
        """Whether a vault was made here, as far as what lies beside its database tells."""
        return os.path.lexists(self.path / MARK)

    def mark(self) -> None:
        """Say durably that a vault was made here. Raises OSError."""
        mark_folder(self.path)

    def check_files(self) -> None:
        """Raise Unavailable where others may use a file of the database, or it is not a plain file of ours.

        Looks at the files without opening them: closing a file drops all POSIX locks that this process has on it, those of SQLite too.
        """
        for name in (*FILES, f"{DATABASE}-journal", LOCK, WRITER_LOCK, RESERVE, MARK):
            # A sibling that opens or leaves the database makes files and removes them at this moment: what is gone is nobody's.
            with contextlib.suppress(FileNotFoundError):
                _check(self.path / name, is_folder=False)
        for name in FILES[:2]:
            state = _state_of(self.path / name)
            if state is not None and state.st_nlink > 1:
                raise Unavailable(
                    f"{self.path / name} has a second name (a hard link), under which another server could open it too; remove one"
                )

    def remember_files(self) -> None:
        """From now on the database is these files, which stay where they are for as long as it is open."""
        for path in (self.database, self.path / f"{DATABASE}-wal"):
            with contextlib.suppress(OSError):  # another file layer than the system's keeps them elsewhere
                state = path.stat()
                self._present[str(path)] = (state.st_dev, state.st_ino)

    def check_in_place(self) -> None:
        """Raise Unavailable where a file of the open database has another one, or none, in its place, or is empty: a write to it takes and keeps nothing."""
        for path, identity in self._present.items():
            try:
                state = os.stat(path)  # noqa: PTH116 -- see above
            except OSError:
                raise Unavailable(_MOVED) from None
            if (state.st_dev, state.st_ino) != identity:
                raise Unavailable(_MOVED)
            if not state.st_size and path == str(self.database):
                # SQLite would take it for a new one: it removes the journal, and waits for everybody else before it begins.
                raise Unavailable(_EMPTIED)

    def _refuse_lost_database(self) -> None:
        """Raise Unavailable where a database is gone: one that is made anew is a vault that anybody may initialize.

        A log without a database would be lost as well: SQLite removes it. It is never there before the database has content.
        """
        if _has_content(self.database):
            return
        proofs = [MARK] if self.is_marked else []
        proofs += [name for name in (f"{DATABASE}-wal",) if _has_content(self.path / name)]
        if proofs:
            raise Unavailable(_LOST.format(folder=self.path, proof=f"the file {proofs[0]}"))

    def free_bytes(self) -> int:
        """How much the file system still takes from us. Raises Unavailable."""
        try:
            state = os.statvfs(self.path)
        except OSError:
            raise Unavailable("the data folder cannot be reached") from None
        return state.f_bavail * state.f_frsize

    @contextlib.contextmanager
    def write_turn(self) -> Iterator[None]:
        """Keep siblings from writing meanwhile. Waiting here costs microseconds; waiting for SQLite's own lock means sleeping."""
        if self._writer_lock < 0:
            yield
            return
        fcntl.flock(self._writer_lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._writer_lock, fcntl.LOCK_UN)

    def release(self) -> None:
        """Let another process have the folder. Releasing twice is fine."""
        if self._hold is not None:
            self._hold.release()
        if self._writer_lock >= 0:
            os.close(self._writer_lock)
        self._writer_lock = -1


def mark_folder(folder: Path) -> None:
    """Say durably that a vault was made in ``folder``, for as long as the file is there, whatever it holds. Raises OSError."""
    mark = folder / MARK
    if os.path.lexists(mark):
        return
    descriptor = _open(mark)
    try:
        os.write(descriptor, _WHAT_THE_MARK_SAYS)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _sync(folder)


def drop_second_names(folder: Path) -> None:
    """Take back what an exchange of the database that was cut off had begun: names in another folder for files that still lie here.

    What was exchanged whole lies in that folder alone. Raises OSError.
    """
    here = {(state.st_dev, state.st_ino) for name in FILES if (state := _state_of(folder / name)) is not None}
    for name in (path for aside in folder.glob(f"{ASIDE}*") for path in map(aside.joinpath, FILES)):
        state = _state_of(name)
        if state is not None and state.st_nlink > 1 and (state.st_dev, state.st_ino) in here:
            name.unlink()


def _state_of(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def hold_folder(path: Path) -> Hold:
    """Hold the data folder for the workers of this server. Raises Unavailable."""
    try:
        _make_folder(path)
        _check(path, is_folder=True)
        return _hold(path)
    except OSError as error:
        raise Unavailable(f"the data folder {path} cannot be used: {os.strerror(error.errno or 0)}") from None


def _has_content(path: Path) -> bool:
    """Whether there is anything but an empty file."""
    state = _state_of(path)
    return state is not None and (not stat.S_ISREG(state.st_mode) or state.st_size > 0)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=_FOLDER_MODE, parents=True)
    except FileExistsError:
        return
    path.chmod(_FOLDER_MODE)
    _sync(path.parent)


def _check(path: Path, *, is_folder: bool) -> None:
    state = path.lstat()
    if is_folder:
        state = path.stat()
        if not stat.S_ISDIR(state.st_mode):
            raise Unavailable(f"{path} is not a folder")
    elif not stat.S_ISREG(state.st_mode):
        raise Unavailable(f"{path} is not a regular file")
    if state.st_uid != os.geteuid():
        raise Unavailable(f"{path} belongs to another user; run the server as its owner, or chown it")
    if state.st_mode & _OTHERS:
        wanted = "700" if is_folder else "600"
        raise Unavailable(f"other users may use {path}; close it with: chmod {wanted} {path}")


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    except FileExistsError:
        return os.open(path, flags)
    os.fchmod(descriptor, _FILE_MODE)
    return descriptor


def _hold(folder: Path) -> Hold:
    """Lock the file that says so, and the folder itself: who removes the file must not let another server in."""
    descriptors: list[int] = []
    try:
        descriptors.append(_open(folder / LOCK))
        _lock(descriptors[0])
        descriptors.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        _lock_folder(descriptors[1])
    except BaseException as refused:
        Hold(descriptors).release()
        if isinstance(refused, BlockingIOError):
            raise Unavailable(f"another server has the data folder open ({folder}); stop it first") from None
        raise
    return Hold(descriptors)


def _lock(descriptor: int) -> None:
    """Lock it now. Whoever only looks whether somebody has (``strongroom doctor``) is in the way for an instant. Raises BlockingIOError."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_TRY_SECONDS)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_folder(descriptor: int) -> None:
    try:
        _lock(descriptor)
    except OSError as refused:
        if isinstance(refused, BlockingIOError):
            raise
        # Some network file systems lock no folders. The file is locked there all the same.


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
