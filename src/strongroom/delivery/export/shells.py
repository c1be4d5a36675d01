r"""Scripts that a shell reads with ``.`` or ``eval``: POSIX shells, and fish.

``shell``: ``export NAME='value'``, a single quote within written ``'\''``; bare where no shell sees anything in it. Read alike by
dash, bash and zsh. ``fish``: ``set -gx NAME 'value'`` with ``\\`` and ``\'``. A name that the shell keeps for itself is
refused: assigned to, it would end the script or change the shell, and the value would not be what was written.
"""

from __future__ import annotations

import re

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.document import Export, refused
from strongroom.delivery.export.dotenv_lines import BARE
from strongroom.delivery.export.kept_names import KEPT_BY_FISH, KEPT_BY_POSIX_SHELLS

_FISH_CODES = re.compile("[\uf600-\uf73f\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that fish keeps for itself: with these it stands for bytes that are no text, and for its own marks."""


def shell(export: Export) -> bytes:
    """A script for POSIX shells. Raises CannotDeliver."""
    lines = []
    for name, value in export.pairs():
        _refuse_kept(name, KEPT_BY_POSIX_SHELLS, "a shell")
        quoted = value if BARE.fullmatch(value) else "'" + value.replace("'", "'\\''") + "'"
        lines.append(f"export {name}={quoted}\n")
    return "".join(lines).encode()


def fish(export: Export) -> bytes:
    """A script for fish. Raises CannotDeliver."""
    lines = []
    for name, value in export.pairs():
        _refuse_kept(name, KEPT_BY_FISH, "fish")
        if _FISH_CODES.search(value):
            raise refused(
                name, "holds a character that fish keeps for itself (U+F600 to U+F73F, or none that is assigned)"
            )
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        lines.append(f"set -gx {name} '{quoted}'\n")
    return "".join(lines).encode()


def _refuse_kept(name: str, kept: frozenset[str], shell: str) -> None:
    if name in kept:
        raise CannotDeliver(
            f"{name} is a variable that {shell} keeps for itself: give the key another name with -rename, "
            "or leave it out with -exclude"
        )
