"""Tables of text, laid out as Vault's: columns four spaces apart, a line of dashes under the head, ``n/a`` for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from strongroom.cli.errors import visible
from strongroom.cli.go_text import duration, is_duration_name, plain

_GAP = "    "


def columns(rows: Sequence[Sequence[str]], *, are_values_last: bool = False) -> str:
    """``rows`` aligned, without a final newline. An empty cell reads ``n/a``.

    What a terminal would obey is written out; but not in values, which are shown as they are where the last column has those.
    """
    shown = [
        (*(visible(cell, "") for cell in row[:-1]), row[-1] if are_values_last else visible(row[-1], ""))
        for row in rows
    ]
    filled = [[cell if cell != "" else "n/a" for cell in row] for row in shown]
    widths = [max(map(len, column)) for column in zip(*filled, strict=True)]
    lines = []
    for row in filled:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        lines.append(_GAP.join([*cells, row[-1]]))
    return "\n".join(lines)


def headed(head: Sequence[str], rows: Sequence[Sequence[str]], *, are_values_last: bool = False) -> str:
    """``rows`` under a head with dashes; as :func:`columns`."""
    return columns([head, ["-" * len(title) for title in head], *rows], are_values_last=are_values_last)


def key_values(pairs: Sequence[tuple[str, Any]]) -> str:
    """Names and values under ``Key`` and ``Value``."""
    return headed(("Key", "Value"), [(name, plain(value)) for name, value in pairs], are_values_last=True)


def mapping_pairs(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The members of ``data`` in order, with seconds in readable form where the name says that they are seconds."""
    return [(name, duration(data[name]) if is_duration_name(name) else data[name]) for name in sorted(data)]


def keys(names: Sequence[Any]) -> str:
    """A list under ``Keys``."""
    return "\n".join(["Keys", "----", *(visible(plain(name), "") for name in names)])


def banner(title: str, width: int) -> str:
    """``title`` between equal signs, about ``width`` wide, as it stands above the parts of a secret."""
    signs = width - (len(title) + 2)
    signs = 4 if signs <= 0 else signs + signs % 2
    return f"{'=' * (signs // 2)} {title} {'=' * (signs // 2)}"


def titled(title: str, data: Mapping[str, Any]) -> str:
    """``data`` as a table under its banner."""
    widest = max(map(len, data), default=0)
    return banner(title, widest + len(_GAP) + len("Value")) + "\n" + key_values(mapping_pairs(data))
