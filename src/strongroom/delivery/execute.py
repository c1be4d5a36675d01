"""Becoming another program: no parent stays behind, so signals and the exit code are the program's own."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping, Sequence

CANNOT_RUN = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127
ONE_STRING_BYTES_MAX = 131_072
"""What Linux takes of one argument or one variable with its name (MAX_ARG_STRLEN)."""


class CannotExecute(Exception):
    """The program could not be started. ``exit_code`` is what a shell would say."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def become(words: Sequence[str], environ: Mapping[str, str]) -> None:
    """Replace this process by the program ``words`` with exactly ``environ``. Returns only by raising CannotExecute."""
    # Python ignores these two, and what is ignored stays ignored in the program.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGPIPE, signal.SIGXFSZ)}
    try:
        os.execvpe(words[0], list(words), dict(environ))  # noqa: S606 -- running the named program is the purpose
    except (FileNotFoundError, NotADirectoryError):
        raise CannotExecute(f"{words[0]}: not found", NOT_FOUND) from None
    except ValueError:
        raise CannotExecute("the command line holds a zero byte", CANNOT_RUN) from None
    except OSError as error:
        if error.errno == errno.E2BIG:
            raise CannotExecute(too_large(words, environ), CANNOT_RUN) from None
        reason = (error.strerror or "cannot be run").lower()
        raise CannotExecute(f"{words[0]}: {reason}", NOT_EXECUTABLE) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def too_large(words: Sequence[str], environ: Mapping[str, str]) -> str:
    """What to tell somebody whose variables and arguments are more than the system takes. Names, sizes, no values."""
    sizes = {name: len(os.fsencode(f"{name}={value}")) + 1 for name, value in environ.items()}
    largest = max(sizes, key=sizes.__getitem__, default="")
    if largest and sizes[largest] > ONE_STRING_BYTES_MAX:
        return (
            f"the variable {largest} has {sizes[largest]:,} bytes with its value, and the system takes "
            f"{ONE_STRING_BYTES_MAX:,}: give it to the program as a file, with -creds-dir"
        )
    total = sum(sizes.values()) + sum(len(os.fsencode(word)) + 1 for word in words) + 8 * (len(sizes) + len(words))
    return (
        f"variables and arguments have {total:,} bytes together, and the system takes {os.sysconf('SC_ARG_MAX'):,} "
        "(a quarter of the stack's limit): deliver fewer with -only, or as files with -creds-dir"
    )
