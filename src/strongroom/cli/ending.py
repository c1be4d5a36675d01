"""The one place where an error becomes a text and an exit code, and a command is called. Knows nothing of click."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, TextIO, cast

from strongroom.cli.errors import LOCAL, REMOTE, UNREAD, CommandFailed, tell
from strongroom.cli.session import CurlPrinted, Session
from strongroom.client.errors import BadSettings, ClientError

_INTERRUPTED = 130
_CANNOT_WRITE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def prepare_streams() -> None:
    """Have output be UTF-8: a value is shown as it is, whatever the locale; what no encoding can hold is replaced.

    A stream that the caller has closed stays without use, but its number is taken: no file or connection that is opened later becomes it.
    """
    sys.stdin = sys.stdin or _taking(0, os.O_RDONLY, "r")
    # Not writable, so that whoever wants to write a result fails as with a closed stream. A program that is run in our place gets none of it.
    sys.stdout = sys.stdout or _taking(1, os.O_RDONLY, "w")
    sys.stderr = sys.stderr or _taking(2, os.O_WRONLY, "w")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")


def call(
    command: Callable[..., int | None], arguments: tuple[str, ...], values: Mapping[str, Any], shared: Collection[str]
) -> int | None:
    """Call a command with a session of its own. ``shared`` are the keys of those ``values`` that are the session's."""
    session = Session({key: values[key] for key in values if key in shared})
    try:
        return command(session, arguments, **{key: values[key] for key in values if key not in shared})
    finally:
        session.close()


def ended(command: Callable[[], object]) -> int:
    """The exit code with which ``command`` ends; what it fails with is told on standard error."""
    try:
        result = command()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except CurlPrinted:
        return 0
    except OSError as error:
        if is_unread(error):
            return _leave_unread()
        if error.errno not in _CANNOT_WRITE:
            raise
        # No traceback: it is the disk that the output goes to.
        _abandon(1)
        return _fail(f"the output cannot be written: {(error.strerror or 'the disk is full').lower()}", LOCAL)
    except CommandFailed as failure:
        return _fail(failure.text, failure.exit_code)
    except BadSettings as error:
        return _fail(str(error), LOCAL)
    except ClientError as error:
        return _fail(str(error), REMOTE)
    return result if isinstance(result, int) else 0


def _taking(number: int, flags: int, mode: str) -> TextIO:
    descriptor = os.open(os.devnull, flags)
    if descriptor != number:
        os.dup2(descriptor, number, inheritable=False)
        os.close(descriptor)
    return cast("TextIO", os.fdopen(number, mode, closefd=False))


def is_unread(error: OSError) -> bool:
    """Whether it is our own output that ``error`` is about, and whoever read that has gone (head, less)."""
    return error.errno == errno.EPIPE and bool(_without_reader())


def _without_reader() -> list[int]:
    """Which of standard output and standard error is a pipe, a connection or a terminal at whose other end nobody is."""
    import select

    poll = select.poll()
    for number in (1, 2):
        poll.register(number, 0)
    return [number for number, events in poll.poll(0) if events & (select.POLLERR | select.POLLHUP)]


def _leave_unread() -> int:
    for number in _without_reader():
        _abandon(number)
    return UNREAD


def _fail(text: str, exit_code: int) -> int:
    try:
        sys.stdout.flush()
    except OSError:
        _abandon(1)  # that it failed is what is told, or what is told comes before it
    tell(text)
    return exit_code


def _abandon(number: int) -> None:
    # Nothing more can be written, not even what is buffered, at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)
