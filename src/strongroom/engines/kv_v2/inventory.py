"""Which secrets a versioned mount holds, for the system: see ``logical.inventory``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from strongroom.crypto.aead import Damaged
from strongroom.engines.kv_v2.store import METADATA, SecretStore
from strongroom.logical.inventory import Interior, Layout, SecretState
from strongroom.logical.storage import Storage

LAYOUT = Layout(data="data/", metadata="metadata/", subkeys="subkeys/", undelete="undelete/")


def secret_paths(storage: Storage, folder: str, after: str) -> Iterator[str]:
    """The paths below a folder, in order."""
    found = storage.scan(METADATA + folder, METADATA + after if after else "")
    return (key.removeprefix(METADATA) for key in found)


def state(interior: Interior, path: str) -> SecretState | None:
    """What the newest version holds, where it can be read."""
    store = store_of(interior)
    metadata = store.find(path)
    if metadata is None:
        return None
    newest = metadata.find(0)
    values: Mapping[str, Any] | None = None
    size, is_damaged = 0, False
    if newest is not None and newest.is_readable(store.now_ns):
        size = store.body_size(path, newest)
        try:
            values = store.body(path, metadata, newest)
        except Damaged:
            is_damaged = True
    return SecretState(
        values=values,
        version=metadata.current_version,
        written_ns={version.number: version.created_ns for version in metadata.versions},
        notes=metadata.custom_metadata,
        size=size,
        is_damaged=is_damaged,
        has_deleted=any(not version.destroyed and version.is_deleted(store.now_ns) for version in metadata.versions),
    )


def add_version(interior: Interior, path: str, values: Mapping[str, Any]) -> int:
    """Add a version, as a write does."""
    store = store_of(interior)
    return store.add(path, store.find(path) or store.new(), store.config(), values).number


def store_of(interior: Interior) -> SecretStore:
    """The secrets of the mount."""
    return SecretStore(interior.storage, interior.mount_uuid, interior.entropy, interior.fingerprints, interior.now_ns)
