r"""The form of a backup, as far as it is seen without keys (docs/formats/backup.md).

    "strongroom backup 1\n" | length (4) | header, JSON | frames        numbers are big-endian

A frame is ``kind (1) | length (4) | content | link (32)``. Each link is the SHA-256 of the link before it and the frame, so that a frame that was
changed, moved, lost or doubled is found, with its place, by whoever reads the file. Links prove nothing against somebody who computes them anew;
the tags within the frames do (``chunks``).
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Iterator
from enum import Enum
from typing import BinaryIO, NamedTuple

import msgspec

from strongroom.backup.damage import BadBackup, Damage

FORMAT_VERSION = 1
CHUNK_BYTES = 256 * 1024
"""So many bytes of records are encrypted together; the last chunk may have fewer."""
TAG_BYTES = 16
SALT_BYTES = 32
LINK_BYTES = 32
HEADER_BYTES_MAX = 64 * 1024
MANIFEST_BYTES_MAX = 1024 * 1024

_MAGIC = b"strongroom backup "
_OPENING = re.compile(rb"strongroom backup ([0-9]{1,9})\n")
_OPENING_BYTES_MAX = len(_MAGIC) + 10
_LENGTH = struct.Struct(">I")
_FRAME = struct.Struct(">cI")
_ID = re.compile(r"[0-9a-f]{32}")
_VAULT = re.compile(r"[0-9a-f-]{36}")


class Kind(Enum):
    """What a frame holds."""

    CHUNK = b"C"
    LAST_CHUNK = b"L"
    MANIFEST = b"M"


class SealOfBackup(msgspec.Struct, frozen=True):
    """What is needed to open the backup: the seal that the vault had, and the root key as that seal wrapped it."""

    type: str
    threshold: int
    root_key: bytes


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in clear at the beginning. ``time`` is RFC 3339; ``counter`` and ``proof`` are the store's state (ADR 0009)."""

    id: str
    vault: str
    time: str
    product: str
    data_format: int
    counter: int
    proof: str
    seal: SealOfBackup
    salt: bytes


class AuditHead(msgspec.Struct, frozen=True):
    """The last signed checkpoint that an audit device had kept when the backup was made."""

    chain: str
    sequence: int
    hash: str
    generation: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in clear at the end. ``digest`` is the SHA-256 of the records' bytes; ``records`` counts all rows."""

    id: str
    records: int
    bytes: int
    chunks: int
    digest: str
    audit: dict[str, AuditHead] = {}


class Frame(NamedTuple):
    """A frame whose link fits. ``number`` counts from 0."""

    number: int
    kind: Kind
    content: bytes


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode_header = msgspec.json.Decoder(Header).decode
_decode_manifest = msgspec.json.Decoder(Manifest).decode


def opening(header: Header) -> bytes:
    """The bytes before the first frame."""
    content = _encode(header)
    return _MAGIC + b"%d\n" % FORMAT_VERSION + _LENGTH.pack(len(content)) + content


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as it is stored."""
    return _encode(manifest)


def decode_manifest(content: bytes) -> Manifest:
    """The manifest. Raises BadBackup."""
    try:
        return _decode_manifest(content)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise BadBackup(Damage.CHANGED, "the manifest cannot be read") from None


def digest_of(opened: bytes) -> bytes:
    """What stands for the opening in every tag, and is the link before the first frame."""
    return hashlib.sha256(opened).digest()


class FrameWriter:
    """Writes the parts in order to ``sink``, which takes all that it is given. ``written`` counts the bytes."""

    def __init__(self, sink: Callable[[bytes], object], header: Header) -> None:
        self._sink = sink
        self._whole = hashlib.sha256()
        opened = opening(header)
        self.link = digest_of(opened)
        self.written = 0
        self._write(opened)

    @property
    def checksum(self) -> str:
        """The SHA-256 of all bytes that were written, in hexadecimal."""
        return self._whole.hexdigest()

    def frame(self, kind: Kind, content: bytes) -> None:
        """One more frame."""
        head = _FRAME.pack(kind.value, len(content))
        self.link = hashlib.sha256(self.link + head + content).digest()
        self._write(head + content + self.link)

    def _write(self, content: bytes) -> None:
        self._whole.update(content)
        self.written += len(content)
        self._sink(content)


class FrameReader:
    """Reads a backup from ``file``, never holding more than a frame. Raises BadBackup; nothing of the content is believed yet.

    ``read`` counts the bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._whole = hashlib.sha256()
        self.read = 0
        opened = self._read_opening()
        self.opening_digest = self._link = digest_of(opened)

    @property
    def checksum(self) -> str:
        """The SHA-256 of all bytes that were read, in hexadecimal: at the end, that of the file."""
        return self._whole.hexdigest()

    def frames(self) -> Iterator[Frame]:
        """Every frame, the manifest last; what comes after it is refused."""
        kind, number, chunks_over = None, 0, False
        while kind is not Kind.MANIFEST:
            kind, content = self._frame(number)
            if chunks_over is not (kind is Kind.MANIFEST):
                raise BadBackup(Damage.CHANGED, f"frame {number} is not the one that belongs there")
            chunks_over = kind is Kind.LAST_CHUNK
            yield Frame(number, kind, content)
            number += 1
        if self._file.read(1):
            raise BadBackup(Damage.SURPLUS)

    def _read_opening(self) -> bytes:
        first = self._some(len(_MAGIC))
        if first != _MAGIC:
            raise BadBackup(Damage.TRUNCATED if first and _MAGIC.startswith(first) else Damage.FOREIGN)
        while not first.endswith(b"\n") and len(first) < _OPENING_BYTES_MAX:
            first += self._exactly(1)
        match = _OPENING.fullmatch(first)
        if match is None:
            raise BadBackup(Damage.FOREIGN)
        if int(match[1]) != FORMAT_VERSION:
            raise BadBackup(Damage.NEWER if int(match[1]) > FORMAT_VERSION else Damage.FOREIGN)
        length = self._exactly(_LENGTH.size)
        (size,) = _LENGTH.unpack(length)
        if size > HEADER_BYTES_MAX:
            raise BadBackup(Damage.CHANGED, "the header is too long")
        content = self._exactly(size)
        self.header = _header(content)
        return first + length + content

    def _frame(self, number: int) -> tuple[Kind, bytes]:
        head = self._exactly(_FRAME.size)
        letter, size = _FRAME.unpack(head)
        try:
            kind = Kind(letter)
        except ValueError:
            raise BadBackup(Damage.CHANGED, f"frame {number} is of no known kind") from None
        most = MANIFEST_BYTES_MAX if kind is Kind.MANIFEST else CHUNK_BYTES
        if not TAG_BYTES <= size <= most + TAG_BYTES or (kind is Kind.CHUNK and size != CHUNK_BYTES + TAG_BYTES):
            raise BadBackup(Damage.CHANGED, f"frame {number} has an impossible length")
        content = self._exactly(size)
        link = self._exactly(LINK_BYTES)
        self._link = hashlib.sha256(self._link + head + content).digest()
        # A checksum, which hides nothing: no need for constant time.
        if link != self._link:
            raise BadBackup(Damage.CHANGED, f"frame {number}")
        return kind, content

    def _exactly(self, count: int) -> bytes:
        found = self._some(count)
        if len(found) < count:
            raise BadBackup(Damage.TRUNCATED)
        return found

    def _some(self, count: int) -> bytes:
        found = self._file.read(count)
        self._whole.update(found)
        self.read += len(found)
        return found


def _header(content: bytes) -> Header:
    try:
        header = _decode_header(content)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise BadBackup(Damage.CHANGED, "the header cannot be read") from None
    if (
        len(header.salt) != SALT_BYTES
        or not _ID.fullmatch(header.id)
        or not _VAULT.fullmatch(header.vault)
        or header.counter < 0
        or not 0 <= header.seal.threshold <= 255
        or not all(text.isascii() and text.isprintable() for text in (header.time, header.product, header.seal.type))
    ):
        raise BadBackup(Damage.CHANGED, "the header says what no header says")
    return header
