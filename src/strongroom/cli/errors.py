"""How a command ends early: with a text for standard error and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from strongroom.client.errors import BadSettings, ClientError

LOCAL = 1
"""Exit code: wrong usage, or something on this machine."""
REMOTE = 2
"""Exit code: the server said no, gave no answer, or has nothing there."""

FOUND = 3
"""Exit code: a comparison found something, and ``-exit-code`` asked to say so."""

UNREAD = 141
"""Exit code: whoever read the output has gone before its end. What a shell says of programs that end by SIGPIPE, as most others do."""


class CommandFailed(Exception):
    """Ends the command. The text is printed on standard error as it is."""

    def __init__(self, text: str, exit_code: int = LOCAL) -> None:
        super().__init__(text)
        self.text = text
        self.exit_code = exit_code


def visible(text: str, kept: str = "\n\t") -> str:
    """``text`` with what a terminal would obey, or not show, written out, but for what is ``kept``: names are other people's, too."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in kept else letter.encode("unicode_escape").decode()
        for letter in text
    )


def tell(text: str) -> None:
    """Say ``text`` on standard error. Where that cannot be written, it is left unsaid: a message is no result, and nothing waits for it."""
    try:
        print(visible(text), file=sys.stderr, flush=True)  # noqa: T201 -- this is where the command line speaks
    except OSError:
        # Or what is left in the buffer would fail once more at the very end, with an exit code of its own.
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 -- it is there to the end


@contextlib.contextmanager
def reporting(action: str, exit_code: int = REMOTE) -> Iterator[None]:
    """Puts ``action`` before the text of a client's error, as in ``Error writing data to secret/app: …``."""
    try:
        yield
    except BadSettings:
        # Nothing was sent: that is no matter of the server.
        raise
    except ClientError as error:
        raise CommandFailed(f"{action}: {error}", exit_code) from None
