# ruff: noqa: PTH100, PTH116, PTH118, PTH120 -- pathlib would add to the start of ``run``
"""Finding the project file: upwards from where one stands, as far as it can be trusted.

The search ends at the home folder and where another file system begins. A file that belongs to somebody else, or that others
may write, is refused: who wrote it would choose which secrets a program gets.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from strongroom.delivery.project import BadProject, Project, read_project

FILE_NAME = ".strongroom.toml"
PERSONAL_FILE_NAME = ".strongroom.local.toml"
_BYTES_MAX = 1 << 20
_LEVELS_MAX = 64


def find(start: str, home: str) -> str:
    """The path of the nearest project file at or above ``start``; ``""`` where there is none."""
    folder = os.path.abspath(start)
    try:
        device = os.stat(folder).st_dev
    except OSError:
        return ""
    for _ in range(_LEVELS_MAX):
        candidate = os.path.join(folder, FILE_NAME)
        if os.path.lexists(candidate):
            return candidate
        above = os.path.dirname(folder)
        if folder in {above, home} or _device(above) != device:
            return ""
        folder = above
    return ""


def load(path: str, environ: Mapping[str, str]) -> Project:
    """The project at ``path``, with the personal file beside it if there is one. Raises BadProject that names the file."""
    project = _read(path, environ, personal=False)
    beside = os.path.join(os.path.dirname(path), PERSONAL_FILE_NAME)
    if os.path.lexists(beside):
        project = project._replace(personal=_read(beside, environ, personal=True))
    return project


def _read(path: str, environ: Mapping[str, str], *, personal: bool) -> Project:
    try:
        # Without waiting: somebody may have put a pipe there.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise BadProject(f"{path} cannot be read: {(error.strerror or 'no reason given').lower()}") from None
    try:
        _check_owner(path, os.fstat(descriptor), environ)
        content = os.read(descriptor, _BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    if len(content) > _BYTES_MAX:
        raise BadProject(f"{path} is larger than {_BYTES_MAX} bytes")
    try:
        return read_project(content.decode(), personal=personal)
    except UnicodeDecodeError:
        raise BadProject(f"{path} is not UTF-8 text") from None
    except BadProject as error:
        raise BadProject(f"{path}: {error}") from None


def _check_owner(path: str, found: os.stat_result, environ: Mapping[str, str]) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise BadProject(f"{path} is not a file")
    if found.st_uid not in _trusted_users(environ):
        raise BadProject(f"{path} belongs to another user, who would choose what your programs get; make a copy of it")
    if found.st_mode & stat.S_IWOTH:
        raise BadProject(f"{path} can be written by everybody; run: chmod o-w {FILE_NAME}")


def _trusted_users(environ: Mapping[str, str]) -> set[int]:
    me = os.geteuid()
    trusted = {me, 0}
    caller = environ.get("SUDO_UID", "")
    if me == 0 and caller.isascii() and caller.isdigit() and len(caller) <= 10:
        trusted.add(int(caller))
    return trusted


def _device(folder: str) -> int:
    try:
        return os.stat(folder).st_dev
    except OSError:
        return -1
