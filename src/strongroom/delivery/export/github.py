"""GitHub Actions: lines for the file that ``$GITHUB_ENV`` names, and commands that mask values in the log.

``github-env`` is the documented form of several lines: ``NAME<<DELIMITER``, the value, ``DELIMITER``. The delimiter is drawn at
random for each variable, so no value can end itself and go on as another variable. ``github-mask`` is ``::add-mask::`` for every
line of every value, with ``%``, CR and LF percent-encoded, as the runner decodes them.
"""

from __future__ import annotations

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.document import Export, refused

_DELIMITER_BYTES = 16
_SHORTEST_MASK = 3
"""Shorter lines stand everywhere in a log; masking them would hide what is no secret, and tell what is."""


def github_env(export: Export) -> bytes:
    """Lines to append to the file. Raises CannotDeliver."""
    lines = []
    for name, value in export.pairs():
        if name.upper() == "NODE_OPTIONS" or name.upper().startswith(("GITHUB_", "RUNNER_")):
            raise CannotDeliver(
                f"{name} is a variable that GitHub lets no step set: give the key another name with -rename, "
                "or leave it out with -exclude"
            )
        if value.endswith("\r"):
            raise refused(
                name, "ends with a carriage return, which a runner on Windows takes for a part of the line's end"
            )
        delimiter = _delimiter(export, value)
        body = f"{value}\n" if value else ""
        lines.append(f"{name}<<{delimiter}\n{body}{delimiter}\n")
    return "".join(lines).encode()


def github_mask(export: Export) -> bytes:
    """Commands to print before anything else. Raises CannotDeliver."""
    masks: dict[str, None] = {}
    for _, value in export.pairs():
        # The runner masks what it is told, and a log shows lines: so both the whole and each line.
        for text in (value, *(line.strip() for line in value.splitlines())):
            if len(text) >= _SHORTEST_MASK:
                masks[text] = None
    return "".join(f"::add-mask::{_command_data(text)}\n" for text in masks).encode()


def _delimiter(export: Export, value: str) -> str:
    while True:
        found = f"strongroom_{export.entropy.bytes(_DELIMITER_BYTES).hex()}"
        if found not in value:
            return found


def _command_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
