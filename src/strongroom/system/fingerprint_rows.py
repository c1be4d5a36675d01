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


def row_keys(index_key: Key, mount_uuid: str, path: str, values: Mapping[str, Any]) -> Iterator[str]:
    """The name of the row of every value in ``values``, of the secret at ``path``."""
    for name, value in values.items():
        place = f"/{mount_uuid}/{quote(name, safe='')}/{path}"
        for leaf in leaves(value):
            yield f"{AREA}{fingerprint(index_key, leaf).hex()}{place}"


def leaves(value: Any) -> Iterator[bytes]:
    """Every text and number in ``value``, at any depth, as it is fingerprinted."""
    if isinstance(value, str):
        if value:
            yield value.encode("utf-8", "surrogatepass")
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        yield str(value).encode()
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)


class KnownValues:
    """What the index tells about values. Reads alone, and opens no secret."""

    __slots__ = ("_key", "_root")

    def __init__(self, index_key: Key, root: Storage) -> None:
        self._key = index_key
        self._root = root

    def first_version(self, mount_uuid: str, path: str, name: str, value: Any) -> int:
        """The number of the version that first held ``value`` under ``name``, all parts of it; 0 where that is not known."""
        rows = (self._root.get(key) for key in row_keys(self._key, mount_uuid, path, {name: value}))
        return max((int(row) for row in rows if row), default=0)

    def has_leaked(self, value: Any) -> bool:
        """Whether some part of ``value`` is known to have leaked."""
        return any(
            self._root.get(LEAKED_AREA + fingerprint(self._key, leaf).hex()) is not None for leaf in leaves(value)
        )

    def places(self, value: Any, most: int) -> list[ValuePlace]:
        """Where a part of ``value`` is or was, ``most`` places at most. They may be gone: ask the secret itself."""
        found: list[ValuePlace] = []
        for leaf in leaves(value):
            keys = self._root.scan(f"{AREA}{fingerprint(self._key, leaf).hex()}/")
            for key in islice(keys, most - len(found)):
                mount_uuid, name, path = key[PLACES_AT:].split("/", 2)
                found.append(ValuePlace(mount_uuid, unquote(name), path))
        return found
