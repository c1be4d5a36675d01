"""The records of one mount of versioned secrets: the only module that reads and writes them (docs/formats/kv.md).

    config                      the mount's settings
    metadata/<path>             one secret: data key, settings, list of versions
    versions/<path>/<number>    the sealed body of one version
    noted/…                     secrets by what their notes say: see ``notes``

Fingerprints are kept in step here: a body that is stored is recorded, and what is recorded is forgotten with the secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.crypto.aead import Damaged
from strongroom.engines.entries import decode_body, encode_body
from strongroom.engines.kv_v2.known import KnownSecret, KnownSecrets
from strongroom.engines.kv_v2.notes import keep_rows
from strongroom.engines.kv_v2.record import Config, Metadata, Version
from strongroom.engines.kv_v2.sealing import new_data_key, open_body, place_of, seal_body
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.backend import Context, Fingerprints
from strongroom.logical.storage import Storage

CONFIG = "config"
METADATA = "metadata/"
VERSIONS = "versions/"

_encoder = msgspec.json.Encoder()
_metadata_decoder = msgspec.json.Decoder(Metadata)
_config_decoder = msgspec.json.Decoder(Config)


class SecretStore(msgspec.Struct, frozen=True):
    """The secrets of one mount, inside one transaction. ``now_ns`` is the one instant of the whole request."""

    storage: Storage
    mount_uuid: str
    entropy: Entropy
    fingerprints: Fingerprints
    now_ns: int

    @classmethod
    def of(cls, context: Context) -> SecretStore:
        """The secrets of the mount that the request reached."""
        return cls(context.storage, context.mount.uuid, context.entropy, context.fingerprints, context.now_ns())

    @classmethod
    def at(
        cls, storage: Storage, mount_uuid: str, clock: Clock, entropy: Entropy, fingerprints: Fingerprints
    ) -> SecretStore:
        """The secrets of a mount outside a request."""
        return cls(storage, mount_uuid, entropy, fingerprints, clock.now_ns())

    def config(self) -> Config:
        """The mount's settings; all unset where none were written."""
        content = self.storage.get(CONFIG)
        return Config() if content is None else _config_decoder.decode(content)

    def save_config(self, config: Config) -> None:
        """Replace the mount's settings."""
        self.storage.put(CONFIG, _encoder.encode(config))

    def find(self, path: str) -> Metadata | None:
        """The secret at ``path``, or None. The caller may change what it gets; nothing counts before :meth:`save`."""
        content = self.storage.get(METADATA + path)
        return None if content is None else _metadata_decoder.decode(content)

    def has(self, path: str) -> bool:
        """Whether anything is known about a secret at ``path``."""
        return self.storage.version(METADATA + path) is not None

    def look_up(self, path: str, known: KnownSecrets) -> KnownSecret | None:
        """The secret at ``path``, or None, for whoever changes nothing: it may be shared with other requests."""
        at = METADATA + path
        version = self.storage.version(at)
        if version is None:
            known.forget(self.mount_uuid, path)
            return None
        secret = known.find(self.mount_uuid, path, version)
        if secret is None:
            content = self.storage.get(at)
            if content is None:
                return None
            secret = KnownSecret.of(_metadata_decoder.decode(content))
            known.remember(self.mount_uuid, path, version, secret)
        return secret

    def new(self) -> Metadata:
        """A secret without versions, under a fresh data key. Not yet stored."""
        return Metadata(key=new_data_key(self.entropy), created_ns=self.now_ns, updated_ns=self.now_ns)

    def save(self, path: str, metadata: Metadata) -> None:
        """Store what is known about the secret at ``path``."""
        self.storage.put(METADATA + path, _encoder.encode(metadata))

    def body(self, path: str, metadata: Metadata, version: Version) -> dict[str, Any]:
        """The body of a version that was not destroyed. Raises Damaged where it is missing or does not open."""
        return _opened(self.storage, self.mount_uuid, path, metadata.key, version)

    def body_of(self, path: str, secret: KnownSecret, version: Version) -> dict[str, Any]:
        """The same for a secret that was looked up."""
        return _opened(self.storage, self.mount_uuid, path, secret.cipher, version)

    def body_size(self, path: str, version: Version) -> int:
        """How many bytes the sealed body of a version has; 0 where it is missing."""
        return len(self.storage.get(_version_key(path, version.number)) or b"")

    def add(self, path: str, metadata: Metadata, config: Config, body: Mapping[str, Any]) -> Version:
        """Store ``body`` as the newest version, prune what is beyond the limit, and save the metadata.

        Raises TooLarge before anything is written.
        """
        content = encode_body(body)
        number = metadata.current_version + 1
        version = Version(number, self.now_ns, metadata.next_deletion_ns(config, self.now_ns))
        self._put_body(path, metadata, number, content)
        self.fingerprints.record(path, number, body)
        metadata.versions.append(version)
        metadata.current_version = number
        metadata.updated_ns = self.now_ns
        self._prune(path, metadata, config)
        self.save(path, metadata)
        return version

    def put_body(self, path: str, metadata: Metadata, number: int, body: Mapping[str, Any]) -> None:
        """Store the body of a version that ``metadata`` has already, and record its values."""
        self._put_body(path, metadata, number, encode_body(body))
        self.fingerprints.record(path, number, body)

    def save_described(self, path: str, metadata: Metadata, before: Mapping[str, str]) -> None:
        """Store what is known about the secret, whose custom metadata was ``before``, and keep it findable by its notes."""
        keep_rows(self.storage, path, before, metadata.custom_metadata)
        self.save(path, metadata)

    def remove_body(self, path: str, version: Version) -> None:
        """Remove the sealed body of a version. The caller marks or drops the version."""
        if not version.destroyed:
            self.storage.delete(_version_key(path, version.number))

    def remove(self, path: str, metadata: Metadata) -> None:
        """Remove the secret at ``path`` with all its versions, their fingerprints, and its data key."""
        for version in metadata.versions:
            if version.destroyed:
                continue
            # A damaged body must not stand in the way of its own removal, although its fingerprints can no longer be named.
            with suppress(Damaged):
                self.fingerprints.forget(path, self.body(path, metadata, version))
            self.remove_body(path, version)
        keep_rows(self.storage, path, metadata.custom_metadata, {})
        self.storage.delete(METADATA + path)

    def _put_body(self, path: str, metadata: Metadata, number: int, content: bytes) -> None:
        place = place_of(self.mount_uuid, path, number)
        self.storage.put(_version_key(path, number), seal_body(metadata.key, place, content, self.entropy))

    def _prune(self, path: str, metadata: Metadata, config: Config) -> None:
        kept = metadata.versions_to_keep(config)
        if metadata.current_version - metadata.oldest_version < kept:
            return
        oldest = metadata.current_version - kept + 1
        versions = metadata.versions  # in the order of their numbers
        while versions and versions[0].number < oldest:
            self.remove_body(path, versions.pop(0))
        metadata.oldest_version = oldest


def kept_values(storage: Storage, mount_uuid: str, after: str) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """The path of every secret after ``after``, in order, with the values of those versions that open."""
    for key in storage.scan(METADATA, METADATA + after if after else ""):
        content = storage.get(key)
        if content is None:
            continue
        path, metadata = key.removeprefix(METADATA), _metadata_decoder.decode(content)
        bodies: list[Mapping[str, Any]] = []
        for version in metadata.versions:
            # What is destroyed is not there, and what is damaged names no value.
            if not version.destroyed:
                with suppress(Damaged):
                    bodies.append(_opened(storage, mount_uuid, path, metadata.key, version))
        yield path, bodies


def _opened(storage: Storage, mount_uuid: str, path: str, key: bytes | AESGCM, version: Version) -> dict[str, Any]:
    sealed = storage.get(_version_key(path, version.number))
    if sealed is None:
        raise Damaged
    return decode_body(open_body(key, place_of(mount_uuid, path, version.number), sealed))


def _version_key(path: str, number: int) -> str:
    return f"{VERSIONS}{path}/{number}"
