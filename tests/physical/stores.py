"""Small things to do with a store."""

from __future__ import annotations

from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import Record


def put(store: SqliteStore, *keys: str, version: int = 1) -> None:
    store.commit({}, {key: Record(version, b"v") for key in keys}, ())


def keys(store: SqliteStore) -> list[str]:
    with store.snapshot() as snapshot:
        return snapshot.keys("")
