"""Which keyring each environment has, and which rows are still to be sealed anew since that changed.

``core/keyrings`` is brought in line with the environments in the commit that changes them; the barrier makes and destroys keyrings with it. Rows
that were there before stay readable, and are sealed anew later: ``core/resealing/<uuid>`` names a mount of which that is to be done, up to
which key it is, and ``core/resealing/store`` the whole store: a keyring whose environment is gone is destroyed once no row is under it.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from strongroom.barrier.assignment import (
    ASSIGNMENT_KEY,
    OVERRIDE_AREA,
    Assignment,
    decode_assignment,
    encode_assignment,
)
from strongroom.barrier.keyrings import KEYRING_ID_MAX
from strongroom.environments.store import all_environments, put_environment
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.storage import Storage

RESEALING_AREA = "core/resealing/"
WHOLE_STORE = f"{RESEALING_AREA}store"
"""Comes after every mount, whose names are hexadecimal."""


class Retiring(NamedTuple):
    """The keyrings that go once the whole store was looked through, and the key up to which it was."""

    ids: frozenset[int]
    after: str = ""

    def encoded(self) -> bytes:
        """As it is stored."""
        return f"{','.join(map(str, sorted(self.ids)))}\n{self.after}".encode()


def read_assignment(storage: Storage) -> Assignment:
    """The assignment as it is; one that names nothing where there is none. Raises Damaged."""
    content = storage.get(ASSIGNMENT_KEY)
    return Assignment() if content is None else decode_assignment(content)


def assign_keyrings(storage: Storage) -> bool:
    """Bring the keyrings in line with the environments as ``storage`` has them; whether rows are to be sealed anew.

    Whoever calls touches the epoch, if anything changed. Raises InvalidRequest where no id is left for a new one.
    """
    before = read_assignment(storage)
    last, mounts_of = before.last, dict.fromkeys(before.ids, ())
    wanted: dict[int, tuple[str, ...]] = {**mounts_of}
    named = set()
    for environment in all_environments(storage):
        keyring = environment.keyring
        if not keyring:
            keyring = last = last + 1
            if last > KEYRING_ID_MAX:
                raise InvalidRequest(
                    f"no more environments can be made: {KEYRING_ID_MAX} keyrings were, and none is used twice"
                )
            put_environment(storage, msgspec.structs.replace(environment, keyring=keyring))
        named.add(keyring)
        wanted[keyring] = environment.mounts
    after = Assignment(last, wanted)
    if after != before:
        storage.put(ASSIGNMENT_KEY, encode_assignment(after))
    moved = _by_mount(before) ^ _by_mount(after)
    for uuid, _ in moved:
        storage.put(RESEALING_AREA + uuid, b"")
    return bool(moved) | _retire(storage, frozenset(wanted) - named)


def drop_overrides(storage: Storage, uuid: str) -> bool:
    """Have personal overrides over secrets of a mount that is unmounted removed, if there are any at all; whether that is to be done.

    Whether it is in an environment says nothing: it may have left one before.
    """
    if next(iter(storage.scan(OVERRIDE_AREA)), None) is None:
        return False
    storage.put(RESEALING_AREA + uuid, b"")
    return True


def is_resealing(storage: Storage, uuid: str) -> bool:
    """Whether rows of the mount may lie under another keyring than its own, still."""
    return storage.get(RESEALING_AREA + uuid) is not None


def retiring(storage: Storage) -> Retiring:
    """The keyrings whose environments are gone."""
    ids, _, after = (storage.get(WHOLE_STORE) or b"").decode().partition("\n")
    return Retiring(frozenset(int(one) for one in ids.split(",") if one), after)


def drop_retired(storage: Storage, retired: Retiring) -> None:
    """Have the keyrings destroyed with this commit. No row may be under any of them."""
    before = read_assignment(storage)
    left = {one: mounts for one, mounts in before.keyrings.items() if one not in retired.ids}
    storage.put(ASSIGNMENT_KEY, encode_assignment(Assignment(before.last, left)))
    storage.delete(WHOLE_STORE)


def _retire(storage: Storage, ids: frozenset[int]) -> bool:
    # Rows that were looked at already may be under one that came later: then it begins anew.
    if ids == retiring(storage).ids:
        return False
    storage.put(WHOLE_STORE, Retiring(ids).encoded())
    return True


def _by_mount(assignment: Assignment) -> set[tuple[str, int]]:
    return {(uuid, one) for one, mounts in assignment.keyrings.items() for uuid in mounts}
