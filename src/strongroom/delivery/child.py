"""Starting a program that stays a child: in a process group of its own, with the signals as they were."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from strongroom.delivery.execute import CANNOT_RUN, NOT_EXECUTABLE, NOT_FOUND, CannotExecute, too_large

_PYTHON_IGNORES = frozenset({signal.SIGPIPE, signal.SIGXFSZ})


def start(
    words: Sequence[str],
    environ: Mapping[str, str],
    outputs: Mapping[int, int],
    restored: Iterable[signal.Signals] = (),
) -> int:
    """Start the program; its process identifier, which is also that of its group.

    ``outputs`` says which of our descriptors become which of its own. ``restored`` are signals that we ignore and it must
    not. Raises CannotExecute.
    """
    actions = [(os.POSIX_SPAWN_DUP2, ours, its) for its, ours in outputs.items()]
    default = _PYTHON_IGNORES | set(restored)
    refused: OSError | None = None
    try:
        for candidate in _candidates(words[0], environ.get("PATH", os.defpath)):
            try:
                return os.posix_spawn(
                    candidate, list(words), dict(environ), file_actions=actions, setpgroup=0, setsigdef=default
                )
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if error.errno == errno.E2BIG:
                    raise CannotExecute(too_large(words, environ), CANNOT_RUN) from None
                refused = refused or error
    except ValueError:
        raise CannotExecute("the command line holds a zero byte", CANNOT_RUN) from None
    if refused is None:
        raise CannotExecute(f"{words[0]}: not found", NOT_FOUND)
    raise CannotExecute(f"{words[0]}: {(refused.strerror or 'cannot be run').lower()}", NOT_EXECUTABLE)


def exit_code_of(status: int) -> int:
    """The exit code that says what ``status`` says: the program's own, or 128 and the signal that killed it."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def has_pending(process: int, number: signal.Signals) -> bool:
    """Whether the signal waits for the process, which is stopped, to go on. False where that cannot be told (proc(5))."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    masks = [line.split()[1] for line in status.splitlines() if line.startswith(("SigPnd:", "ShdPnd:"))]
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)


def _candidates(name: str, path: str) -> Iterator[str]:
    if "/" in name:
        yield name
        return
    for folder in path.split(os.pathsep):
        yield f"{folder or '.'}/{name}"
