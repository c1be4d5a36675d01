"""A found secret as ignore files and allow lists look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Seen:
    """One place of one secret. What is not known is empty, and allows nothing.

    `match` is all that the rule's pattern matched, of which the secret is a part; `text` is the lines that it stands on. `commit` is known only of
    what stands in a history, and there only after the scan: until then `path` is a name for the object, in angle brackets.
    """

    rule: str
    path: str
    line: int = 0
    fingerprint: str = ""
    commit: str = ""
    secret: bytes = field(default=b"", repr=False)
    match: bytes = field(default=b"", repr=False)
    text: bytes = field(default=b"", repr=False)

    @property
    def has_place(self) -> bool:
        """Whether `path` is one, and no name for an object whose place is not known yet."""
        return bool(self.path) and not self.path.startswith("<")


Ignores = Callable[[Seen], bool]
"""Whether a place is not to be reported."""
