"""Which files of a log belong together, and in which order they were written, by what stands at their beginnings."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from strongroom.evidence.checkpoint import is_checkpoint, read_checkpoint
from strongroom.evidence.findings import Finding, Kind
from strongroom.evidence.lines import beginning_of

_TIME = re.compile(rb'\{"time":"([0-9TZ:.-]{20,40})"')


def by_device(paths: Sequence[Path]) -> list[list[Path]]:
    """``paths`` by the device that wrote them: each has a log of its own. What does not say so goes with its neighbours. Raises OSError."""
    names = [_device_of(path) for path in paths]
    for number, name in enumerate(names):
        names[number] = name or (names[number - 1] if number else next(filter(None, names), ""))
    return [
        [path for path, name in zip(paths, names, strict=True) if name == device] for device in dict.fromkeys(names)
    ]


def in_order(paths: Sequence[Path], tell: Callable[[Finding], None]) -> list[Path]:
    """``paths`` of one device by the time of their first lines. Raises OSError.

    That they were given in another order is told: names may have been exchanged.
    """
    times = {}
    for path in paths:
        found = _TIME.search(beginning_of(path).partition(b"\n")[0])
        times[path] = found[1] if found else b""
    ordered = sorted(paths, key=lambda path: times[path])
    if ordered != list(paths) and all(times.values()):
        for given, right in zip(paths, ordered, strict=True):
            if given != right:
                text = (
                    f"the file stands where {right} belongs: files were exchanged, or not given with the oldest first"
                )
                tell(Finding(Kind.SWAPPED_FILES, str(given), 0, 0, text))
        return ordered
    return list(paths)


def _device_of(path: Path) -> str:
    for line in beginning_of(path).splitlines():
        checkpoint = read_checkpoint(line) if is_checkpoint(line) else None
        if checkpoint is not None:
            return checkpoint.device
    return ""
