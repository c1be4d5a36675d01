"""Stores as older servers left them."""

from __future__ import annotations

from unittest import mock

from strongroom.barrier import keyring
from strongroom.barrier.store_root import ROOT_KEY
from strongroom.logical.ambient import Entropy
from strongroom.physical.store import Store

_KEYRING = keyring.keyring_key(keyring.KEYRING_ROOT)


def to_first_format(store: Store, root_key: bytes, entropy: Entropy) -> None:
    """Take away what came after the first format: the root record, and what the keyring says of it."""
    with store.snapshot() as snapshot:
        found = keyring.open_keyring(bytearray(root_key), keyring.KEYRING_ROOT, snapshot.get(_KEYRING))
    with mock.patch.object(keyring, "FORMAT_VERSION", 1):
        record = keyring.seal_keyring(bytearray(root_key), found, entropy)
    store.commit({}, {_KEYRING: record}, (ROOT_KEY,))
