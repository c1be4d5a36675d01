"""The format of one stored record (docs/formats/barrier-record.md): sealed under a term, bound to its tenant, key and version.

    0x01 | keyring id (2) | term (4) | nonce (12) | ciphertext | tag (16)        numbers are big-endian

The additional data names the place that the record was written for, so a record that is moved to another key, given another
version, or moved to another tenant is refused exactly like one whose bits were flipped.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.barrier.keyring import KEYRING_ROOT, Term
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Entropy
from strongroom.physical.store import Record

FORMAT_VERSION = 1
TENANT = "root"
"""The only tenant for now. Every record's key in the store begins with it."""

_HEADER = struct.Struct(">BHI")
_HEADER_BYTES = _HEADER.size
_CIPHERTEXT_AT = _HEADER_BYTES + aead.NONCE_BYTES
_LEAST_BYTES = _CIPHERTEXT_AT + aead.TAG_BYTES
_LABEL = b"strongroom record"
_LENGTH = struct.Struct(">I")
_VERSION = struct.Struct(">Q")


class _Active(NamedTuple):
    """The term of a keyring that encrypts."""

    cipher: AESGCM
    bound: bytes
    header: bytes


class RecordCipher:
    """Seals records under the last of the terms given for a keyring, and opens those of all of them. Immutable; safe in every thread."""

    __slots__ = ("_active", "_by_header", "_entropy")

    def __init__(self, terms: Mapping[int, Iterable[Term]], entropy: Entropy, tenant: str = TENANT) -> None:
        # One look-up by the record's first seven bytes checks its format, keyring and term at once.
        self._by_header: dict[bytes, tuple[AESGCM, bytes]] = {}
        self._active: dict[int, _Active] = {}
        after_header = _LENGTH.pack(len(tenant.encode())) + tenant.encode()
        for keyring_id, terms_of_keyring in terms.items():
            for term in terms_of_keyring:
                header = _HEADER.pack(FORMAT_VERSION, keyring_id, term.number)
                bound = bytes([len(_LABEL)]) + _LABEL + header + after_header
                cipher = aead.cipher(term.key)
                self._by_header[header] = cipher, bound
                self._active[keyring_id] = _Active(cipher, bound, header)
        self._entropy = entropy

    def seal(self, key: str, version: int, plaintext: bytes, keyring_id: int = KEYRING_ROOT) -> Record:
        """The record for ``plaintext`` at ``key``, as writing number ``version``. Raises Damaged where there is no such keyring."""
        active = self._active.get(keyring_id)
        if active is None:
            raise Damaged
        cipher, bound, header = active
        nonce = aead.draw(aead.NONCE_BYTES, self._entropy)
        sealed = cipher.encrypt(nonce, plaintext, _associated(bound, key, version))
        return Record(version, header + nonce + sealed)

    def knows_term_of(self, record: Record) -> bool:
        """Whether the term that ``record`` names is one of ours."""
        return record.value[:_HEADER_BYTES] in self._by_header

    def open(self, key: str, record: Record) -> bytes:
        """What was sealed at ``key``. Raises Damaged, always the same, for whatever else the bytes may be."""
        version, value = record
        known = self._by_header.get(value[:_HEADER_BYTES])
        if known is None or len(value) < _LEAST_BYTES or version < 0:
            raise Damaged
        cipher, bound = known
        associated = _associated(bound, key, version)
        try:
            return cipher.decrypt(value[_HEADER_BYTES:_CIPHERTEXT_AT], value[_CIPHERTEXT_AT:], associated)
        except InvalidTag:
            raise Damaged from None


def keyring_in(record: Record) -> int:
    """The id of the keyring that ``record`` says it was sealed under; -1 where it is too short to say anything."""
    if len(record.value) < _HEADER_BYTES:
        return -1
    return int.from_bytes(record.value[1:3], "big")


def _associated(bound: bytes, key: str, version: int) -> bytes:
    """``bound``, which is the same for all records of a term, and what is of this one alone."""
    name = key.encode()
    return b"%b%b%b%b" % (bound, _LENGTH.pack(len(name)), name, _VERSION.pack(version))
