"""Data that is answered again and again, covered once: the same secret, read by the same program every minute."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from typing import Any

import msgspec

from strongroom.audit.hasher import Hasher
from strongroom.audit.text import line_of

REMEMBERED_MAX = 1024
"""When so much is remembered all is forgotten."""
BYTES_MAX = 4096
"""What is larger, before or after, is not remembered."""
_WITHOUT_REFERENCES = 2
"""The version of marshal's format in which equal values have equal bytes, whatever shares or interns them."""


class RecurringCover:
    """Covers data as the hasher does. Safe to use from several threads.

    What it remembers holds no value: keyed digests of the data, under a key of their own, and what stands in the records anyway. Two data are
    taken for the same where they are so in every type: ``marshal`` tells apart what JSON does not (bytes and text), and refuses all that is not
    plain, which then is covered each time.
    """

    __slots__ = ("_hasher", "_known")

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self._known: dict[bytes, msgspec.Raw] = {}

    def members(self, members: Mapping[str, Any]) -> msgspec.Raw | dict[str, Any]:
        """An object with its names kept and its values hashed, as JSON where it was seen before. Raises UnknownType."""
        try:
            content = marshal.dumps(members, _WITHOUT_REFERENCES)  # type: ignore[arg-type] # it refuses what it cannot write
        except ValueError:
            return self._hasher.members(members)
        if len(content) > BYTES_MAX:
            return self._hasher.members(members)
        digest = self._hasher.digest(content)
        known = self._known.get(digest)
        if known is None:
            line = line_of(self._hasher.members(members))
            known = msgspec.Raw(line)
            if len(line) <= BYTES_MAX:
                if len(self._known) >= REMEMBERED_MAX:
                    self._known = {}
                self._known[digest] = known
        return known
