# ruff: noqa: PTH109, PTH110, PTH113, PTH118, PTH120, PTH117, PTH123 -- names of files as the system has them
"""Entries in ``.gitignore``: only within a repository, only what is not there yet, and nothing of git is run."""

from __future__ import annotations

import os
from collections.abc import Iterator

_FILE = ".gitignore"


def ignore(*files: str) -> Iterator[str]:
    """Enter the names of ``files`` in the ignore file of this folder, and say in sentences what was done."""
    folder = os.getcwd()
    if not _in_repository(folder):
        return
    path = os.path.join(folder, _FILE)
    known = _lines(path)
    missing = [name for name in map(os.path.basename, files) if not {name, f"/{name}"} & set(known)]
    inside = [name for file, name in zip(files, map(os.path.basename, files), strict=True) if _is_here(file, folder)]
    new = [name for name in missing if name in inside]
    if not new:
        return
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with open(os.open(path, flags, 0o644), "ab") as file:
            broken = bool(known) and not _ends_a_line(path)
            file.write((("\n" if broken else "") + "".join(f"{name}\n" for name in new)).encode())
    except OSError as error:
        yield f"{_FILE} cannot be written ({(error.strerror or '').lower()}): enter {', '.join(new)} in it by hand."
        return
    yield f"Entered {', '.join(new)} in {_FILE}."


def _lines(path: str) -> list[str]:
    if not os.path.isfile(path):
        return []  # a pipe would keep us waiting
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [line.strip() for line in file]
    except OSError:
        return []


def _ends_a_line(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read().endswith(b"\n")


def _in_repository(folder: str) -> bool:
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return True
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above


def _is_here(file: str, folder: str) -> bool:
    return not os.path.isabs(file) or os.path.dirname(file) == folder
