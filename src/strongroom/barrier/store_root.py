"""The root record: what the whole store was after its last transaction, sealed (docs/formats/store-root.md).

It says how many transactions there were, how many records there are, the set-hash of the tenant's records, and a MAC of each of the few
rows beside them. Those rows (seal, keyring, counter) are pinned one by one, because their versions do not determine their content.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.barrier.set_hash import TOTAL_BYTES
from strongroom.crypto import aead, kdf
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Entropy
from strongroom.physical.store import Record

FORMAT_VERSION = 1
ROOT_KEY = "barrier/root"
_PIN_BYTES = 16
_LABEL = b"strongroom store root"
_FORMAT = bytes([FORMAT_VERSION])
_BEFORE_PLACE = bytes([len(_LABEL)]) + _LABEL
_PIN_PERSON = b"strongroom pin"
_HEAD = struct.Struct(">QQ")
_PLACE = struct.Struct(">BQ")
_VERSION = struct.Struct(">Q")
_CONTENT_AT = 1 + aead.NONCE_BYTES
_LEAST_BYTES = _CONTENT_AT + _HEAD.size + TOTAL_BYTES + aead.TAG_BYTES
# One key seals this many root records: NIST SP 800-38D, 8.3 allows 2**32 with random nonces.
_EPOCH_SHIFT = 30


class Root(NamedTuple):
    """What a root record says. ``counter`` counts the store's transactions; ``total`` is the set's sum with its sketch.

    ``records`` is the number of the tenant's records; ``pins`` holds the rows beside them, as :func:`parse_pins` reads them.
    """

    counter: int
    records: int
    time_ns: int
    total: int
    pins: bytes


class RootCipher:
    """Seals and opens root records under keys derived from ``key``, which it owns; ``wipe`` ends it. Safe in every thread."""

    def __init__(self, key: bytearray, entropy: Entropy) -> None:
        self._key = key
        self._entropy = entropy
        self._epoch: tuple[int, AESGCM] | None = None
        # The same bytes say the same: who finds what it sealed last need not decrypt it.
        self._last: tuple[Record, Root] | None = None

    def seal(self, root: Root) -> Record:
        """The record that says ``root``."""
        content = _HEAD.pack(root.records, root.time_ns) + root.total.to_bytes(TOTAL_BYTES, "big") + root.pins
        nonce = aead.draw(aead.NONCE_BYTES, self._entropy)
        sealed = self._cipher(root.counter).encrypt(nonce, content, _associated(root.counter))
        record = Record(root.counter, _FORMAT + nonce + sealed)
        self._last = (record, root)
        return record

    def open(self, record: Record) -> Root:
        """What ``record`` says. Raises Damaged for whatever is not exactly what :meth:`seal` made."""
        last = self._last
        if last is not None and last[0] == record:
            return last[1]
        counter, value = record
        if counter < 0 or len(value) < _LEAST_BYTES or value[0] != FORMAT_VERSION:
            raise Damaged
        try:
            content = self._cipher(counter).decrypt(value[1:_CONTENT_AT], value[_CONTENT_AT:], _associated(counter))
        except InvalidTag:
            raise Damaged from None
        records, time_ns = _HEAD.unpack_from(content)
        pins_at = _HEAD.size + TOTAL_BYTES
        return Root(counter, records, time_ns, int.from_bytes(content[_HEAD.size : pins_at], "big"), content[pins_at:])

    def wipe(self) -> None:
        """Overwrite the key."""
        self._epoch = self._last = None
        aead.wipe(self._key)

    def _cipher(self, counter: int) -> AESGCM:
        epoch = counter >> _EPOCH_SHIFT
        known = self._epoch
        if known is None or known[0] != epoch:
            key = kdf.derive(self._key, _LABEL, salt=_VERSION.pack(epoch))
            try:
                known = self._epoch = (epoch, aead.cipher(key))
            finally:
                aead.wipe(key)
        return known[1]


class Pinner:
    """Makes the MACs of the rows beside the tenant's records."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytearray) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=_PIN_BYTES, person=_PIN_PERSON)

    def pin(self, key: str, version: int, value: bytes) -> bytes:
        """The MAC of the whole row."""
        name = key.encode()
        keyed = self._keyed.copy()
        keyed.update(_VERSION.pack(len(name)) + name + _VERSION.pack(version) + value)
        return keyed.digest()


def parse_pins(content: bytes) -> dict[str, bytes]:
    """The MACs by key."""
    pins: dict[str, bytes] = {}
    at = 0
    while at < len(content):
        end = at + 1 + content[at]
        pins[content[at + 1 : end].decode()] = content[end : end + _PIN_BYTES]
        at = end + _PIN_BYTES
    return pins


def encode_pins(pins: Mapping[str, bytes]) -> bytes:
    """The MACs as the root record holds them. Keys of these rows are ours and short."""
    return b"".join(bytes([len(key.encode())]) + key.encode() + pins[key] for key in sorted(pins))


def _associated(counter: int) -> bytes:
    return _BEFORE_PLACE + _PLACE.pack(FORMAT_VERSION, counter)
