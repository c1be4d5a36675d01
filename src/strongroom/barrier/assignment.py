"""Which keyring seals which row: decided here and nowhere else, from the mount that a row's key names.

The assignment is one record, behind the barrier, under the keyring of the root environment: which mounts each of the other keyrings seals
(docs/formats/keyring.md). It is the only thing that says which keyrings there are: to put another assignment is to make those that it names
anew, and to destroy those that it does not name any more, in the same commit.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import msgspec

from strongroom.barrier.keyring import KEYRING_ROOT
from strongroom.barrier.keyrings import KEYRING_ID_MAX
from strongroom.crypto.aead import Damaged

ASSIGNMENT_KEY = "core/keyrings"
OVERRIDE_AREA = "core/override/"
"""Below it stand an owner, and the mount whose values that owner put others over."""
_AREAS_OF_MOUNTS = ("logical", "auth")


class Assignment(msgspec.Struct, frozen=True):
    """The mounts, by uuid, that each keyring seals. ``last`` is the greatest id that any ever had: none is used twice."""

    last: int = KEYRING_ROOT
    keyrings: dict[int, tuple[str, ...]] = {}

    @property
    def ids(self) -> AbstractSet[int]:
        """The keyrings that there are beside that of the root environment."""
        return self.keyrings.keys()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Assignment).decode


def encode_assignment(assignment: Assignment) -> bytes:
    """``assignment`` as it is stored."""
    return _encode(assignment)


def decode_assignment(content: bytes) -> Assignment:
    """What is stored. Raises Damaged where it makes no sense."""
    try:
        assignment = _decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Damaged from None
    if any(not KEYRING_ROOT < one <= assignment.last for one in assignment.ids) or assignment.last > KEYRING_ID_MAX:
        raise Damaged
    return assignment


class Areas:
    """One assignment, asked for every row that is written. ``version`` is that of its record; None where there is none."""

    __slots__ = ("_by_mount", "assignment", "version")

    def __init__(self, assignment: Assignment, version: int | None) -> None:
        self.assignment = assignment
        self.version = version
        self._by_mount = {uuid: one for one, mounts in assignment.keyrings.items() for uuid in mounts}

    def keyring_of(self, key: str) -> int:
        """The id of the keyring that seals the tenant's row at ``key``."""
        if not self._by_mount:
            return KEYRING_ROOT
        if key.startswith(OVERRIDE_AREA):
            parts = key.split("/", 4)
            return self._by_mount.get(parts[3], KEYRING_ROOT) if len(parts) > 3 else KEYRING_ROOT
        area, _, rest = key.partition("/")
        if area not in _AREAS_OF_MOUNTS:
            return KEYRING_ROOT
        return self._by_mount.get(rest.partition("/")[0], KEYRING_ROOT)


def prefixes_of(uuid: str) -> tuple[str, ...]:
    """Where all rows lie that belong to one mount, in order. Among those below the last but one are others' as well."""
    return f"auth/{uuid}/", OVERRIDE_AREA, f"logical/{uuid}/"
