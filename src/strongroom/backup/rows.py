"""The rows of a store as one stream of bytes, and back again: in the order of their keys, one after the other.

A row is ``length of key (4) | key, UTF-8 | version (8) | length of value (4) | value``; numbers are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from strongroom.backup.damage import BadBackup, Damage
from strongroom.physical.store import VERSION_MAX, Record

KEY_BYTES_MAX = 64 * 1024
VALUE_BYTES_MAX = 1 << 30
"""More than any store of ours takes."""
_KEY = struct.Struct(">I")
_REST = struct.Struct(">QI")


def encode_row(key: str, record: Record) -> bytes:
    """One row."""
    name = key.encode()
    return b"".join((_KEY.pack(len(name)), name, _REST.pack(record.version, len(record.value)), record.value))


class RowReader:
    """Takes the stream piece by piece and gives the rows that are complete. Raises BadBackup where it is none of ours.

    Pieces are kept as they came until a row is whole, so that a large row costs no more than itself.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0
        self._needed = _KEY.size
        self._last = ""

    def feed(self, piece: bytes) -> Iterator[tuple[str, Record]]:
        """The rows that ``piece`` completes. All of them must be taken before the next piece comes."""
        self._pieces.append(piece)
        self._held += len(piece)
        if self._held < self._needed:
            return
        content = b"".join(self._pieces)
        at = 0
        while (row := self._row(content, at)) is not None:
            key, record, at = row
            yield key, record
        self._pieces = [content[at:]]
        self._held = len(content) - at

    def end(self) -> None:
        """The stream is over. Raises BadBackup in the middle of a row."""
        if self._held:
            raise BadBackup(Damage.INCONSISTENT, "a row is cut off")

    def _row(self, content: bytes, at: int) -> tuple[str, Record, int] | None:
        """The row at ``at`` and where it ends, or None where more is needed, and then how much."""
        left = len(content) - at
        self._needed = _KEY.size
        if left < self._needed:
            return None
        (size,) = _KEY.unpack_from(content, at)
        if not 0 < size <= KEY_BYTES_MAX:
            raise BadBackup(Damage.INCONSISTENT, "a key has an impossible length")
        self._needed += size + _REST.size
        if left < self._needed:
            return None
        key_at = at + _KEY.size
        version, length = _REST.unpack_from(content, key_at + size)
        if length > VALUE_BYTES_MAX or version > VERSION_MAX:
            raise BadBackup(Damage.INCONSISTENT, "a row has an impossible length or version")
        self._needed += length
        if left < self._needed:
            return None
        value_at = key_at + size + _REST.size
        key = self._key(content[key_at : key_at + size])
        return key, Record(version, content[value_at : value_at + length]), value_at + length

    def _key(self, name: bytes) -> str:
        try:
            key = name.decode()
        except UnicodeDecodeError:
            raise BadBackup(Damage.INCONSISTENT, "a key is no text") from None
        if key <= self._last:
            raise BadBackup(Damage.INCONSISTENT, "the rows are not in order, or one is there twice")
        self._last = key
        return key
