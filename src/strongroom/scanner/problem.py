"""What could not be scanned. A scan that leaves something out says so: silence would read as "nothing there"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` was not scanned, or not wholly, because of `what`: one sentence that holds nothing of what was read.

    `is_note` marks what was left out on purpose (a limit of the command, another command's work); it fails no scan.
    """

    path: str
    what: str
    is_note: bool = False


Report = Callable[[Problem], None]
"""Takes a problem as soon as it is met."""
