"""The rows of the index of fingerprints (docs/formats/fingerprint.md): how they are named, and what they tell. ``core`` writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from strongroom.crypto.fingerprint import DIGEST_BYTES, Key, fingerprint
from strongroom.logical.storage import Storage

AREA = "core/fingerprint/"
LEAKED_AREA = "core/leaked/"
"""Below it stands the fingerprint of each value that is known to have leaked."""
PLACES_AT = len(AREA) + 2 * DIGEST_BYTES + 1
"""Up to here a key names the value; what follows is where it is."""


class ValuePlace(NamedTuple):
    """Where a value is or was: under which key of which secret of which mount."""

    mount_uuid: str
    key: str
    path: str


class ValueRow(NamedTuple):
    """One value of a secret, as it was written, and the name of its row in the index."""

    text: str
    fingerprint: bytes
    key: str


def rows_of(index_key: Key, mount_uuid: str, path: str, values: Mapping[str, Any]) -> list[ValueRow]:
    """Every value in ``values``, of the secret at ``path``."""
    rows: list[ValueRow] = []
    for name, value in values.items():
        # Nearly every name is an identifier, and then there is nothing to quote.
        quoted = name if name.isascii() and name.isidentifier() else quote(name, safe="")
        for text in (value,) if type(value) is str and value else texts_in(value):
            known_by = fingerprint_of(index_key, text)
            rows.append(ValueRow(text, known_by, f"{AREA}{known_by.hex()}/{mount_uuid}/{quoted}/{path}"))
    return rows


def fingerprint_of(index_key: Key, text: str) -> bytes:
    """The fingerprint of a value."""
    return fingerprint(index_key, text.encode() if text.isascii() else text.encode("utf-8", "surrogatepass"))


def texts_in(value: Any) -> Iterator[str]:
    """Every text and number in ``value``, at any depth, as it is fingerprinted; no empty ones."""
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)


class KnownValues:
    """What the index tells about values. Reads alone, and opens no secret."""

    __slots__ = ("_key", "_root")

    def __init__(self, index_key: Key, root: Storage) -> None:
        self._key = index_key
        self._root = root

    def first_version(self, mount_uuid: str, path: str, name: str, value: Any) -> int:
        """The number of the version that first held ``value`` under ``name``, all parts of it; 0 where that is not known."""
        rows = (self._root.get(row.key) for row in rows_of(self._key, mount_uuid, path, {name: value}))
        return max((int(row) for row in rows if row), default=0)

    def has_leaked(self, value: Any) -> bool:
        """Whether some part of ``value`` is known to have leaked."""
        return any(
            self._root.get(LEAKED_AREA + fingerprint_of(self._key, text).hex()) is not None for text in texts_in(value)
        )

    def places(self, value: Any, most: int) -> list[ValuePlace]:
        """Where a part of ``value`` is or was, ``most`` places at most. They may be gone: ask the secret itself."""
        found: list[ValuePlace] = []
        for text in texts_in(value):
            keys = self._root.scan(f"{AREA}{fingerprint_of(self._key, text).hex()}/")
            for key in islice(keys, most - len(found)):
                mount_uuid, name, path = key[PLACES_AT:].split("/", 2)
                found.append(ValuePlace(mount_uuid, unquote(name), path))
        return found
