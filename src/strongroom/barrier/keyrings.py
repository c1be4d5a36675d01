"""Several keyrings as one thing: that of the root environment, and one for each environment that mounts belong to.

Values, not state, like a keyring itself: what changes makes new ones, which share the key buffers of what stays.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from strongroom.barrier.keyring import KEYRING_ROOT, Keyring, keyring_key, open_keyring, seal_keyring
from strongroom.barrier.record import RecordCipher
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Entropy
from strongroom.physical.store import Record, Snapshot

KEYRINGS_PREFIX = "barrier/keyring/"
KEYRING_ID_MAX = 2**16 - 1
"""The greatest id that fits into a record's header."""


@dataclass(frozen=True, slots=True)
class Keyrings:
    """The keyrings by id; that of the root environment is always among them."""

    by_id: Mapping[int, Keyring]

    @property
    def root(self) -> Keyring:
        """The one of the root environment: what belongs to no other, and what the store's own records are derived from."""
        return self.by_id[KEYRING_ROOT]

    @property
    def least_first_invocation(self) -> int:
        """The first invocation of the active term that has been active for longest: none did more than what was done since."""
        return min(keyring.active.first_invocation for keyring in self.by_id.values())

    def putting(self, keyrings: Iterable[Keyring]) -> Keyrings:
        """The same with ``keyrings`` in the place of those with their ids, or beside the others."""
        return Keyrings({**self.by_id, **{keyring.id: keyring for keyring in keyrings}})

    def without(self, ids: Collection[int]) -> Keyrings:
        """The same but for those with ``ids``."""
        return Keyrings({one: keyring for one, keyring in self.by_id.items() if one not in ids})

    def with_new_terms(self, ids: Iterable[int], now_ns: int, first_invocation: int, entropy: Entropy) -> Keyrings:
        """The same with one more term in each of ``ids``."""
        return self.putting(self.by_id[one].with_new_term(now_ns, first_invocation, entropy) for one in ids)

    def with_newest_format(self) -> Keyrings:
        """The same, to be stored anew."""
        return Keyrings({one: keyring.with_newest_format() for one, keyring in self.by_id.items()})

    def cipher(self, entropy: Entropy) -> RecordCipher:
        """What opens records of all terms of all of them, and seals under the active ones."""
        return RecordCipher({one: keyring.terms for one, keyring in self.by_id.items()}, entropy)

    def sealed(self, root_key: bytearray, ids: Iterable[int], entropy: Entropy) -> dict[str, Record]:
        """The rows that store those with ``ids``."""
        return {keyring_key(one): seal_keyring(root_key, self.by_id[one], entropy) for one in ids}

    def revisions(self, ids: Iterable[int]) -> dict[str, int | None]:
        """The versions that the rows of those with ``ids`` have; None for ids that are not there."""
        return {keyring_key(one): self.by_id[one].revision if one in self.by_id else None for one in ids}

    def wipe(self) -> None:
        """Overwrite every key."""
        for keyring in self.by_id.values():
            keyring.wipe()

    def wipe_active(self, ids: Iterable[int]) -> None:
        """Overwrite the active keys of those with ``ids``: terms that did not come to be stored."""
        aead.wipe(*(self.by_id[one].active.key for one in ids))


def stored_ids(snapshot: Snapshot) -> list[int]:
    """The ids of all keyrings of which there is a row."""
    found = (key.removeprefix(KEYRINGS_PREFIX) for key in snapshot.keys(KEYRINGS_PREFIX))
    return [int(name) for name in found if name.isascii() and name.isdecimal() and name == str(int(name))]


def read_others(root_key: bytearray, snapshot: Snapshot, ids: Iterable[int]) -> dict[int, Keyring]:
    """The keyrings with ``ids`` as they are stored, but for that of the root environment, and for those that are missing or do not open.

    Whether a row is the right one is for the root record to say, which pins it; here one environment's loss is not everybody's.
    """
    found: dict[int, Keyring] = {}
    for one in ids:
        if one != KEYRING_ROOT:
            with contextlib.suppress(Damaged):
                found[one] = open_keyring(root_key, one, snapshot.get(keyring_key(one)))
    return found
