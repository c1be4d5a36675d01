"""From a mount without versions to one with versions: every secret becomes the first version of itself."""

from __future__ import annotations

from strongroom.engines.entries import V1_RECORDS, decode_body
from strongroom.engines.kv_v2.store import SecretStore
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.backend import Fingerprints
from strongroom.logical.storage import Storage


def upgrade_from_v1(
    storage: Storage, mount_uuid: str, clock: Clock, entropy: Entropy, fingerprints: Fingerprints
) -> int:
    """Turn every record without versions in ``storage`` into version 1, and return how many there were.

    ``storage`` is the mount's own view. All of it belongs into one transaction: a mount is never half upgraded. Running it again
    finds nothing and returns 0. A secret that has versions already gets the old record as its newest one, so nothing is lost.
    """
    store = SecretStore.at(storage, mount_uuid, clock, entropy, fingerprints)
    config = store.config()
    keys = list(storage.scan(V1_RECORDS))
    for key in keys:
        content = storage.get(key)
        if content is None:
            continue
        path = key.removeprefix(V1_RECORDS)
        store.add(path, store.find(path) or store.new(), config, decode_body(content))
        storage.delete(key)
    return len(keys)
