"""Whether the records of a store agree with each other: every index against what it points at, in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec

from strongroom.core.fingerprints import FingerprintIndex
from strongroom.core.sealed import NoFingerprints
from strongroom.crypto.aead import Damaged
from strongroom.engines.kv_v2.notes import rows
from strongroom.engines.kv_v2.store import METADATA, SecretStore
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.errors import LogicalError
from strongroom.logical.storage import Storage
from strongroom.mounts.entry import MountEntry
from strongroom.mounts.table import EPOCH_KEY
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.sqlite.folder import DATABASE
from strongroom.physical.store import Store, Unavailable
from strongroom.server.assemble import assemble_on
from strongroom.server.config import parse_config
from strongroom.system.fingerprint_rows import AREA as FINGERPRINTS
from strongroom.system.node import Node
from strongroom.system.unsealed import Unsealed
from strongroom.tokens.entry import NEVER, TokenEntry
from strongroom.tokens.lineage import ENTRY_PREFIX

_CONFIGURATION = 'storage "inmem" {}\nlistener "tcp" { tls_disable = true }\n'
_TOKENS = ENTRY_PREFIX.removesuffix("id/")


def open_vault(store: Store, unseal_key: str, configuration: str = _CONFIGURATION) -> Node:
    """The vault in ``store``, unsealed, without any audit device. Raises what the unsealing raises."""
    node = assemble_on(store, parse_config([("check.hcl", configuration)]), SystemClock(), SystemEntropy())
    node.submit_unseal_share(unseal_key)
    return node


def check_folder(data: Path, unseal_key: str) -> list[str]:
    """What is wrong with the store in ``data``, which nobody has open, and which may be changed by being looked at."""
    try:
        store = SqliteStore(data)
    except Unavailable:
        return ["the store does not open"]
    node: Node | None = None
    try:
        node = open_vault(store, unseal_key)
        findings = [*check_database(data), *check_indexes(node.require())]
    except (LogicalError, Damaged, Unavailable, LookupError) as error:
        return [f"the vault does not open: {type(error).__name__}"]
    finally:
        if node is None:
            store.close()
        else:
            node.close()
    return findings


def check_database(folder: Path) -> list[str]:
    """What SQLite itself finds."""
    connection = apsw.Connection(str(folder / DATABASE))
    found = connection.pragma("integrity_check")
    connection.close()
    return [] if found == "ok" else ["the database fails its integrity check"]


def check_indexes(unsealed: Unsealed) -> list[str]:
    """What disagrees within the vault."""
    with unsealed.barrier.transaction() as storage:
        return [*_check_tokens(unsealed, storage), *_check_fingerprints(unsealed, storage)]


def _check_tokens(unsealed: Unsealed, storage: Storage) -> Iterator[str]:
    entries: dict[str, TokenEntry] = {}
    for key in storage.scan(ENTRY_PREFIX):
        content = storage.get(key)
        if content is not None:
            entries[key.removeprefix(ENTRY_PREFIX)] = msgspec.json.decode(content, type=TokenEntry)
    pointed: dict[str, set[str]] = {"accessor": set(), "child": set(), "expiry": set(), "lease": set()}
    for kind, found in pointed.items():
        for key in storage.scan(f"{_TOKENS}{kind}/"):
            target = (storage.get(key) or b"").decode() if kind == "accessor" else key.rpartition("/")[2]
            found.add(target.removeprefix("h") if kind == "lease" else target)
    for kind, found in pointed.items():
        wanted = {token_id for token_id, entry in entries.items() if _stands_in(kind, entry)}
        if wanted - found:
            yield f"a token is missing from the index {kind}"
        if found - wanted:
            yield f"the index {kind} names a token that is not there"
    for token_id, entry in entries.items():
        found_entry = unsealed.tokens.by_accessor(storage, entry.accessor)
        if entry.id != token_id or (found_entry is not None and found_entry.id != token_id):
            yield "an accessor leads to another token"


def _stands_in(kind: str, entry: TokenEntry) -> bool:
    return {
        "accessor": True,
        "child": bool(entry.parent) and not entry.orphan,
        "expiry": entry.expire_time_ns != NEVER,
        "lease": bool(entry.lease_id),
    }[kind]


class _Recorder:
    """A storage in which the index writes down which keys it would set."""

    def __init__(self) -> None:
        self.keys: set[str] = set()

    def put(self, key: str, value: bytes) -> None:
        """Note ``key``."""
        del value
        self.keys.add(key)

    def version(self, key: str) -> None:
        """Nothing is there yet: everything is noted."""


def _check_fingerprints(unsealed: Unsealed, storage: Any) -> Iterator[str]:
    epoch = storage.version(EPOCH_KEY)
    recorder: Any = _Recorder()
    for live in unsealed.mounts.at(storage, epoch):
        if live.entry.type == "kv" and (live.entry.options or {}).get("version") == "2":
            try:
                _record_values(unsealed, storage, live.entry, recorder)
            except Damaged:
                yield "a version of a secret does not open, or is missing"
    found = set(storage.scan(FINGERPRINTS))
    if recorder.keys - found:
        yield "a stored value has no fingerprint"
    yield from _check_notes(unsealed, storage)
    # Entries of versions that were pruned or destroyed stay: that one is there without a value is no finding.


def _check_notes(unsealed: Unsealed, storage: Any) -> Iterator[str]:
    for live in unsealed.mounts.at(storage, storage.version(EPOCH_KEY)):
        if live.entry.type == "kv" and (live.entry.options or {}).get("version") == "2":
            view = storage.view(live.entry.storage_prefix)
            secrets = SecretStore.at(view, live.entry.uuid, unsealed.clock, unsealed.entropy, NoFingerprints())
            paths = [key.removeprefix(METADATA) for key in view.scan(METADATA)]
            found = {path: secrets.find(path) for path in paths}
            expected = {row for path, one in found.items() if one for row in rows(path, one.custom_metadata)}
            if set(view.scan("noted/")) != expected:
                yield "what finds secrets by their notes is not what the notes say"


def _record_values(unsealed: Unsealed, storage: Storage, entry: MountEntry, recorder: Any) -> None:
    index = FingerprintIndex(unsealed.fingerprint_key, recorder, entry.uuid)
    view = storage.view(entry.storage_prefix)
    secrets = SecretStore.at(view, entry.uuid, unsealed.clock, unsealed.entropy, index)
    for key in view.scan(METADATA):
        path = key.removeprefix(METADATA)
        metadata = secrets.find(path)
        for version in metadata.versions if metadata is not None else ():
            if metadata is not None and not version.destroyed:
                index.record(path, version.number, secrets.body(path, metadata, version))
