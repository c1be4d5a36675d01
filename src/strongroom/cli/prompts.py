"""Asking the person at the terminal, and reading standard input, for what must not stand on a command line."""

from __future__ import annotations

import contextlib
import sys

from strongroom.cli.errors import CommandFailed
from strongroom.cli.session import Session

_INPUT_BYTES_MAX = 32 * 1024 * 1024


def hidden(session: Session, question: str, instead: str) -> str:
    """What the person types, unseen. Raises CommandFailed that says ``instead`` what to do where there is no terminal."""
    if not session.interactive or not sys.stdin.isatty():
        raise CommandFailed(f"{question} is needed, and there is no terminal to ask on. {instead}")
    import getpass

    _leave_no_core_file()
    try:
        return getpass.getpass(f"{question} (will be hidden): ", stream=sys.stderr).strip()
    except (EOFError, KeyboardInterrupt):
        raise CommandFailed("nothing was entered") from None


def _leave_no_core_file() -> None:
    """Whatever ends this program from now on, what was typed is not in a file afterwards."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def confirmed(session: Session, question: str, instead: str) -> bool:
    """Whether the person says yes; no is the default. Raises CommandFailed that says ``instead`` without a terminal."""
    if not session.can_ask:
        raise CommandFailed(f"{question} There is no terminal to ask on. {instead}".rstrip())
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    try:
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
    except KeyboardInterrupt:
        raise CommandFailed("nothing was answered") from None


def standard_input() -> str:
    """All of standard input as text. Raises CommandFailed where it is too large or not UTF-8."""
    content = sys.stdin.buffer.read(_INPUT_BYTES_MAX + 1)
    if len(content) > _INPUT_BYTES_MAX:
        raise CommandFailed(f"standard input is larger than {_INPUT_BYTES_MAX} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CommandFailed("standard input is not UTF-8 text; encode it first (base64, say)") from None


def given_or_hidden(session: Session, argument: str | None, question: str, instead: str) -> str:
    """A secret from ``argument``, from standard input where that is ``-``, or else asked for."""
    if argument is None:
        return hidden(session, question, instead)
    _leave_no_core_file()
    return standard_input().strip() if argument == "-" else argument.strip()


def agreed(session: Session, question: str) -> bool:
    """Whether the person at the terminal says yes; where nobody is there to be asked, whoever wrote the command has."""
    if not (session.interactive and sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    print(f"{question} (y/N): ", end="", file=sys.stderr, flush=True)  # noqa: T201 -- this is where the command line speaks
    try:
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
    except KeyboardInterrupt:
        return False
