"""What is known of secrets that are read again and again, each good for one writing of its metadata record.

Nothing is believed longer than that: whoever looks here asks the store for the record's version first, in the transaction of the
request. No value is kept, and of a secret's data key only the cipher, which erases it when it goes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.crypto.aead import cipher
from strongroom.engines.kv_v2.record import Metadata, Version

SECRETS_MAX = 4096
"""When so many are known all are forgotten; what is read again is known again."""
VERSIONS_MAX = 64
"""What has more versions is not kept: a secret may have ten thousand of them."""


class KnownSecret(NamedTuple):
    """A secret as one writing of its metadata record has it. Shared: nobody may change it."""

    metadata: Metadata
    """Without the data key."""
    cipher: AESGCM
    newest: dict[str, Any]
    """What is answered about the newest version."""

    @classmethod
    def of(cls, metadata: Metadata) -> KnownSecret:
        """The secret of ``metadata``, which is the caller's no longer."""
        opener, metadata.key = cipher(metadata.key), b""
        newest = metadata.find(0)
        return cls(metadata, opener, {} if newest is None else metadata.describe_version(newest))

    def describe(self, version: Version) -> dict[str, Any]:
        """The ``metadata`` that stands beside the body of ``version``."""
        if version.number == self.metadata.current_version:
            return self.newest.copy()
        return self.metadata.describe_version(version)


class KnownSecrets:
    """Safe to use from several threads."""

    __slots__ = ("_by_place",)

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, str], tuple[int, KnownSecret]] = {}

    def find(self, mount_uuid: str, path: str, version: int) -> KnownSecret | None:
        """The secret as writing number ``version`` of its metadata record has it, if it is known."""
        known = self._by_place.get((mount_uuid, path))
        return known[1] if known is not None and known[0] == version else None

    def forget(self, mount_uuid: str, path: str) -> None:
        """Forget a secret that is not there any more, and erase what opens it."""
        self._by_place.pop((mount_uuid, path), None)

    def remember(self, mount_uuid: str, path: str, version: int, secret: KnownSecret) -> None:
        """Know ``secret`` from now on, unless it may be large (many versions, notes), or is not committed (a negative version)."""
        if version < 0 or len(secret.metadata.versions) > VERSIONS_MAX or secret.metadata.custom_metadata:
            return
        if len(self._by_place) >= SECRETS_MAX:
            self._by_place = {}
        self._by_place[mount_uuid, path] = version, secret
