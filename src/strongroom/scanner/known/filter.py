"""The sealed filter: known values for those who cannot ask a server, as keyed digests in a file that ends by itself (docs/formats/known-values.md).

It holds no value, no name and no whole digest. Without its key nothing can be asked of it; the key alone holds nothing either. Whoever
has both can ask as often as he likes, so what can be guessed is never put in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from strongroom.logical.ambient import Clock
from strongroom.scanner.known.forms import FORMS_VERSION
from strongroom.scanner.known.held import Held, strings_for
from strongroom.scanner.known.values import CannotAsk, Recognition, digest_of
from strongroom.scanner.known.worth import is_guessable

MAGIC = b"strongroom known values 1\n"
KEY_BYTES = 32
LONGEST_SECONDS = 90 * 86400
"""How long a filter may be used, at most."""
LARGEST = 1 << 30
"""Bytes of the largest file that is read."""
_KEY_TEXT = "srkf_"
_HEADER = struct.Struct(">16s8sQQIBB")
"""Identifier, mark of the key, first and last second, number of digests, bits of the bucket, version of the forms."""
_TAG_BYTES = 32
_PER_BUCKET = 16
_REST_BYTES = 4
_MOST_BUCKET_BITS = 26


class BadFilter(CannotAsk):
    """A filter that cannot be used: damaged, expired, or another key's. The text says which."""


class Built(NamedTuple):
    """A filter as it is written, and what was left out of it because it can be guessed."""

    content: bytes
    left_out: tuple[str, ...]


class _Keys(NamedTuple):
    """What is made of the key of a filter, one for each use."""

    digest: bytes
    tag: bytes
    mark: bytes


def false_positives(count: int) -> float:
    """How often something that is not ours is taken for it: the chance for one string, with `count` digests in the filter."""
    return float(count / (1 << (_bucket_bits(count) + 8 * _REST_BYTES)))


def build(held: Iterable[Held], key: bytes, identifier: bytes, first: int, last: int) -> Built:
    """The filter over `held`, to be used from second `first` to second `last` of Unix time.

    The same arguments always give the same bytes. `identifier` has 16 bytes, and none is used twice with one key. Raises ValueError.
    """
    if len(key) != KEY_BYTES or len(identifier) != 16:
        raise ValueError("the key of a filter has 32 bytes, its identifier 16")
    if not 0 <= first < last <= first + LONGEST_SECONDS:
        raise ValueError(f"a filter is for at most {LONGEST_SECONDS // 86400} days")
    keys = _keys(key, identifier)
    digests: set[int] = set()
    left_out: dict[str, None] = {}
    for one in held:
        if is_guessable(one.value):
            left_out[f"{one.holder.place}: {one.holder.key}" if one.holder.key else one.holder.place] = None
            continue
        digests.update(
            _number(keys.digest, digest_of(form)) for form in strings_for(one.value) if not is_guessable(form)
        )
    bits = _bucket_bits(len(digests))
    header = _HEADER.pack(identifier, keys.mark, first, last, len(digests), bits, FORMS_VERSION)
    body = MAGIC + header + _table(digests, bits)
    return Built(body + hmac.digest(keys.tag, body, "sha256"), tuple(left_out))


class FilterValues:
    """The values of a sealed filter. Raises BadFilter where it cannot be used by `clock`, at the start and with each question."""

    patience = 0
    heads: frozenset[bytes] | None = None

    def __init__(self, content: bytes, key: bytes, clock: Clock) -> None:
        header = _checked(content, key)
        identifier, _, self._first, self.last, count, self._bits, _ = _HEADER.unpack(header)
        self._count = int(count)
        self._key = _keys(key, identifier).digest
        self._clock = clock
        self._check_time()
        start = len(MAGIC) + _HEADER.size
        offsets_end = start + 4 * ((1 << self._bits) + 1)
        self._offsets = _numbers(content[start:offsets_end])
        self._rests = _numbers(content[offsets_end:-_TAG_BYTES])
        made = datetime.fromtimestamp(self._first, UTC)
        self._recognition = Recognition(note=f"by the filter of {made:%Y-%m-%d}")

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<FilterValues, {self._count} forms>"

    def _check_time(self) -> None:
        now = self._clock.now_ns() / 1e9
        if now >= self.last:
            raise BadFilter(f"The filter of known values expired on {_day(self.last)}: get a new one")
        if now < self._first:
            raise BadFilter(f"The filter of known values may be used from {_day(self._first)} on: is the clock right?")

    def ask(self, digests: Sequence[bytes]) -> Mapping[bytes, Recognition]:
        """Those of `digests` that the filter knows, and one in `1 / false_positives` others. Raises BadFilter once it has expired."""
        self._check_time()
        key, bits, offsets, rests = self._key, self._bits, self._offsets, self._rests
        shift = 64 - bits
        found: dict[bytes, Recognition] = {}
        for digest in digests:
            number = _number(key, digest)
            bucket = number >> shift
            rest = (number >> (shift - 8 * _REST_BYTES)) & 0xFFFFFFFF
            end = offsets[bucket + 1]
            at = bisect_left(rests, rest, offsets[bucket], end)
            if at < end and rests[at] == rest:
                found[digest] = self._recognition
        return found

    def forked(self) -> None:
        """Nothing is shared that matters."""


def key_to_text(key: bytes) -> str:
    """The key of a filter as it is kept: a prefix that scanners know, base64, and a check against slips."""
    check = hashlib.sha256(MAGIC + key).digest()[:4]
    return _KEY_TEXT + base64.urlsafe_b64encode(key + check).decode()


def key_from_text(text: str) -> bytes:
    """The key in `text`. Raises BadFilter, with nothing of it."""
    try:
        data = base64.urlsafe_b64decode(text.strip().removeprefix(_KEY_TEXT).encode())
    except ValueError:
        data = b""
    key, check = data[:KEY_BYTES], data[KEY_BYTES:]
    if not text.strip().startswith(_KEY_TEXT) or not hmac.compare_digest(
        check, hashlib.sha256(MAGIC + key).digest()[:4]
    ):
        raise BadFilter(f"The file does not hold the key of a filter ({_KEY_TEXT}…), or not all of it")
    return key


def _checked(content: bytes, key: bytes) -> bytes:
    """The header of a filter that is whole and belongs to `key`. Raises BadFilter."""
    start = len(MAGIC) + _HEADER.size
    if not content.startswith(MAGIC[:-2]):
        raise BadFilter("This is no filter of known values")
    if not content.startswith(MAGIC):
        raise BadFilter("The filter of known values has a format that this version does not know")
    if len(content) < start + _TAG_BYTES:
        raise BadFilter("The filter of known values is cut short")
    header = content[len(MAGIC) : start]
    identifier, mark, _, _, count, bits, version = _HEADER.unpack(header)
    keys = _keys(key, identifier)
    if not hmac.compare_digest(mark, keys.mark):
        raise BadFilter("The filter of known values was made with another key, or is damaged")
    size = start + 4 * ((1 << bits) + 1) + _REST_BYTES * count + _TAG_BYTES if bits <= _MOST_BUCKET_BITS else -1
    tag = hmac.digest(keys.tag, memoryview(content)[:-_TAG_BYTES], "sha256")
    if len(content) != size or not hmac.compare_digest(tag, content[-_TAG_BYTES:]):
        raise BadFilter("The filter of known values is damaged: it is not what was written")
    if version != FORMS_VERSION:
        raise BadFilter("The filter of known values was made for another version of the scanner")
    return header


def _keys(key: bytes, identifier: bytes) -> _Keys:
    made = (
        hmac.digest(key, b"strongroom known values 1 " + use + identifier, "sha256")
        for use in (b"digest", b"tag", b"mark")
    )
    digest, tag, mark = made
    return _Keys(digest, tag, mark[:8])


def _number(key: bytes, digest: bytes) -> int:
    """The first 64 bits of the keyed digest."""
    return int.from_bytes(hmac.digest(key, digest, "sha256")[:8], "big")


def _bucket_bits(count: int) -> int:
    return min(_MOST_BUCKET_BITS, max(0, (count - 1) // _PER_BUCKET).bit_length())


def _table(digests: set[int], bits: int) -> bytes:
    """Where each bucket begins, and the 32 bits that follow those of the bucket, in order."""
    shift = 64 - bits
    offsets, rests = array("I"), array("I")
    ordered = sorted(digests)
    position = 0
    for bucket in range(1 << bits):
        offsets.append(position)
        end = bisect_left(ordered, (bucket + 1) << shift, position)
        rests.extend((number >> (shift - 8 * _REST_BYTES)) & 0xFFFFFFFF for number in ordered[position:end])
        position = end
    offsets.append(position)
    return _big_endian(offsets) + _big_endian(rests)


def _numbers(data: bytes) -> array[int]:
    numbers = array("I")
    numbers.frombytes(data)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _big_endian(numbers: array[int]) -> bytes:
    if sys.byteorder == "little":
        numbers = array("I", numbers)
        numbers.byteswap()
    return numbers.tobytes()


def _day(second: float) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M} UTC"
