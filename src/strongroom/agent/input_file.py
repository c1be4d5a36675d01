"""Files from which the agent reads what it logs in with."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_BYTES_MAX = 64 * 1024


class CannotRead(Exception):
    """The file is not there, or not what it should be. The text names it and shows nothing of it."""


class CannotRemove(Exception):
    """The file was read, and is still there."""


def read_input(path: str) -> str:
    """The text in ``path`` without the blanks around it. Raises CannotRead.

    Links are followed here: Kubernetes replaces the files that it mounts by replacing links. Nothing but a file is read, and
    nothing waits.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise CannotRead(f"{path}: this is no file")
            content = os.read(descriptor, _BYTES_MAX + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise CannotRead(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    if len(content) > _BYTES_MAX:
        raise CannotRead(f"{path}: this is larger than {_BYTES_MAX:,} bytes")
    try:
        text = content.decode("ascii").strip()
    except UnicodeDecodeError:
        raise CannotRead(f"{path}: this holds more than plain ASCII text") from None
    if not text or not text.isprintable() or " " in text:
        raise CannotRead(f"{path}: expected one word of printable text in it")
    return text


def remove_input(path: str) -> None:
    """Take the file away once it was read. Raises CannotRemove where that fails: what should be used once stays."""
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        why = (error.strerror or "its folder does not let us").lower()
        raise CannotRemove(f"{path} was read and should be removed, but stays: {why}") from None
