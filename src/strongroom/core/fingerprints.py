"""The index of keyed fingerprints: which secret values exist, findable by value without keeping the value (DESIGN 1).

One key per value: ``core/fingerprint/<fingerprint>/<mount uuid>/<version>/<key>/<path>``. They are ordinary keys, written in the
commit that writes the value. What will ask them (incidents, the reuse guard) comes later; the index is complete from the first write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from strongroom.crypto.fingerprint import fingerprint
from strongroom.logical.storage import Storage

AREA = "core/fingerprint/"


class FingerprintIndex:
    """Implements ``logical.backend.Fingerprints`` for one mount, inside one transaction."""

    __slots__ = ("_key", "_mount_uuid", "_root")

    def __init__(self, key: bytes, root: Storage, mount_uuid: str) -> None:
        self._key = key
        self._root = root
        self._mount_uuid = mount_uuid

    def record(self, path: str, version: int, values: Mapping[str, Any]) -> None:
        """Remember every text and number in ``values``, at any depth."""
        for key in self._keys(path, version, values):
            self._root.put(key, b"")

    def forget(self, path: str, version: int, values: Mapping[str, Any]) -> None:
        """Forget them: the version is gone for good."""
        for key in self._keys(path, version, values):
            self._root.delete(key)

    def of_mount(self, uuid: str) -> FingerprintIndex:
        """The index for another mount, in the same transaction."""
        return FingerprintIndex(self._key, self._root, uuid)

    def _keys(self, path: str, version: int, values: Mapping[str, Any]) -> Iterator[str]:
        for name, value in values.items():
            for leaf in _leaves(value):
                mark = fingerprint(self._key, leaf).hex()
                yield f"{AREA}{mark}/{self._mount_uuid}/{version}/{quote(name, safe='')}/{path}"


def _leaves(value: Any) -> Iterator[bytes]:
    if isinstance(value, str):
        if value:
            yield value.encode("utf-8", "surrogatepass")
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        yield str(value).encode()
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
