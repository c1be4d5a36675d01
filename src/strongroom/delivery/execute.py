"""Becoming another program: no parent stays behind, so signals and the exit code are the program's own."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping, Sequence

CANNOT_RUN = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127


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
        reason = (error.strerror or "cannot be run").lower()
        code = CANNOT_RUN if error.errno == errno.E2BIG else NOT_EXECUTABLE
        raise CannotExecute(f"{words[0]}: {reason}", code) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
