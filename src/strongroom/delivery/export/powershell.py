"""A script that PowerShell reads with ``.`` or ``Invoke-Expression``, line by line: ``$env:NAME = 'value'``.

The file is ASCII: Windows PowerShell reads a file without a byte order mark in the code page of the machine. Whatever is not
printable ASCII is written as ``[char]0x…``, one for each unit of UTF-16, and a single quote is doubled. So no typographic quote,
which PowerShell takes for a quote too, and no line break stands within a string.
"""

from __future__ import annotations

import re

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.document import Export, refused

_PRINTABLE = re.compile(r"[ -~]+|[^ -~]")


def powershell(export: Export) -> bytes:
    """The script. Raises CannotDeliver."""
    lines = []
    seen: dict[str, str] = {}
    for name, value in export.pairs():
        if name.lower() in seen:
            raise CannotDeliver(
                f"{seen[name.lower()]} and {name} are one variable on Windows: leave one out with -exclude, or use -rename"
            )
        seen[name.lower()] = name
        if not value:
            raise refused(name, "is empty, and PowerShell removes a variable that is set to nothing: use -exclude")
        lines.append(f"$env:{name} = {_expression(value)}\n")
    return "".join(lines).encode("ascii")


def _expression(value: str) -> str:
    parts: list[str] = []
    for piece in _PRINTABLE.findall(value):
        if " " <= piece[0] <= "~":
            parts.append("'" + piece.replace("'", "''") + "'")
        else:
            parts += [f"[char]0x{unit:04X}" for unit in _units(piece)]
    if not parts[0].startswith("'"):
        parts.insert(0, "''")  # a text in front makes + join texts
    return " + ".join(parts)


def _units(letter: str) -> list[int]:
    encoded = letter.encode("utf-16-be")
    return [int.from_bytes(encoded[at : at + 2]) for at in range(0, len(encoded), 2)]
