"""The keyring: numbered terms of AES-256 keys, and how they are stored under the root key (docs/formats/keyring.md).

Values, not state: a new term makes a new keyring. Key bytes are ``bytearray`` so that whoever owns a keyring can wipe it.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass, field

from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Entropy
from strongroom.physical.store import Record

FORMAT_VERSION = 2
"""From 2 on a store has a root record. It says so here, where nobody can take it back."""
_FORMATS = frozenset({1, 2})
KEYRING_ROOT = 0
"""The id of the keyring of the root environment: of everything that belongs to no other."""

_LABEL = b"strongroom keyring"
_COUNTER_LABEL = b"strongroom invocations"
_COUNTER_FORMAT = 1
_HEAD = struct.Struct(">BHQI")
_TERM = struct.Struct(">IQQ32x")
_COUNTER = struct.Struct(">Q")
_PLACE = struct.Struct(">BHQ")


@dataclass(frozen=True, slots=True)
class Term:
    """One key of the keyring.

    ``installed_ns`` is when it became the active one, ``first_invocation`` the number of its first encryption.
    """

    number: int
    installed_ns: int
    first_invocation: int
    key: bytearray = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The terms, oldest first; the last one is active and encrypts. ``revision`` counts the stored writings of it.

    ``format`` is the one it was stored in; it is always stored anew in the newest.
    """

    id: int
    revision: int
    terms: tuple[Term, ...]
    format: int = FORMAT_VERSION

    @property
    def active(self) -> Term:
        """The term that encrypts."""
        return self.terms[-1]

    def with_new_term(self, now_ns: int, first_invocation: int, entropy: Entropy) -> Keyring:
        """The same keyring with one more term, which is then the active one. The older terms share their key buffers."""
        term = Term(self.active.number + 1, now_ns, first_invocation, aead.draw_key(entropy))
        return Keyring(self.id, self.revision + 1, (*self.terms, term))

    def with_newest_format(self) -> Keyring:
        """The same keyring, to be stored anew. It shares the key buffers."""
        return Keyring(self.id, self.revision + 1, self.terms)

    def wipe(self) -> None:
        """Overwrite every key."""
        aead.wipe(*(term.key for term in self.terms))


def new_keyring(now_ns: int, first_invocation: int, entropy: Entropy, keyring_id: int = KEYRING_ROOT) -> Keyring:
    """A keyring with its first term."""
    return Keyring(keyring_id, 1, (Term(1, now_ns, first_invocation, aead.draw_key(entropy)),))


def keyring_key(keyring_id: int) -> str:
    """Where the keyring with this id is stored."""
    return f"barrier/keyring/{keyring_id}"


def counter_key(keyring_id: int) -> str:
    """Where the invocation counter of the keyring with this id is stored."""
    return f"barrier/counter/{keyring_id}"


def seal_keyring(root_key: bytearray, keyring: Keyring, entropy: Entropy) -> Record:
    """The record that holds ``keyring``: encrypted under the root key, bound to its id and revision."""
    content = bytearray(_HEAD.pack(FORMAT_VERSION, keyring.id, keyring.revision, len(keyring.terms)))
    for term in keyring.terms:
        # The key goes in by slice: struct would make an immutable copy of it, which nobody can wipe.
        content += _TERM.pack(term.number, term.installed_ns, term.first_invocation)
        content[-aead.KEY_BYTES :] = term.key
    try:
        place = _associated(_LABEL, keyring.id, keyring.revision, FORMAT_VERSION)
        return Record(keyring.revision, bytes([FORMAT_VERSION]) + aead.seal(root_key, content, place, entropy))
    finally:
        aead.wipe(content)


def open_keyring(root_key: bytearray, keyring_id: int, record: Record | None) -> Keyring:
    """The keyring in ``record``. Raises Damaged for whatever is not exactly what :func:`seal_keyring` made for this id."""
    content = _open(root_key, _LABEL, keyring_id, record, _FORMATS)
    try:
        return _parse(content)
    except (struct.error, ValueError):
        raise Damaged from None
    finally:
        aead.wipe(content)


def seal_counter(root_key: bytearray, keyring_id: int, reserved_to: int, entropy: Entropy) -> Record:
    """The record that says: every invocation number below ``reserved_to`` may have been used."""
    place = _associated(_COUNTER_LABEL, keyring_id, reserved_to, _COUNTER_FORMAT)
    sealed = aead.seal(root_key, _COUNTER.pack(reserved_to), place, entropy)
    return Record(reserved_to, bytes([_COUNTER_FORMAT]) + sealed)


def open_counter(root_key: bytearray, keyring_id: int, record: Record | None) -> int:
    """The first invocation number that was never reserved. Raises Damaged."""
    content = _open(root_key, _COUNTER_LABEL, keyring_id, record, {_COUNTER_FORMAT})
    # The tag was checked, so these are the eight bytes that we wrote.
    return int.from_bytes(content, "big")


def _associated(label: bytes, keyring_id: int, version: int, form: int) -> bytes:
    return bytes([len(label)]) + label + _PLACE.pack(form, keyring_id, version)


def _open(
    root_key: bytearray, label: bytes, keyring_id: int, record: Record | None, forms: Collection[int]
) -> bytearray:
    if record is None or not record.value or record.value[0] not in forms:
        raise Damaged
    place = _associated(label, keyring_id, record.version, record.value[0])
    return aead.open_sealed(root_key, record.value[1:], place)


def _parse(content: bytearray) -> Keyring:
    form, keyring_id, revision, count = _HEAD.unpack_from(content)
    if form not in _FORMATS or count < 1 or len(content) != _HEAD.size + count * _TERM.size:
        raise ValueError("not a keyring of a known format")
    terms = []
    for index in range(count):
        start = _HEAD.size + index * _TERM.size
        number, installed_ns, first_invocation = _TERM.unpack_from(content, start)
        key = content[start + _TERM.size - aead.KEY_BYTES : start + _TERM.size]
        terms.append(Term(number, installed_ns, first_invocation, key))
    return Keyring(keyring_id, revision, tuple(terms), form)
