"""What the tests about keyrings of environments ask a vault again and again."""

from __future__ import annotations

from collections.abc import Iterator

from tests.kit import Vault

from strongroom.barrier.inspection import Inspection
from strongroom.barrier.record import keyring_in
from strongroom.core.resealing import Resealing
from strongroom.physical.store import Store


def keyrings_below(store: Store, prefix: str) -> dict[str, int]:
    """The keyring that each row lies under."""
    with store.snapshot() as snapshot:
        found = {key: snapshot.get(f"root/{prefix}{key}") for key in _keys(store, prefix)}
    return {key: keyring_in(record) for key, record in found.items() if record is not None}


def _keys(store: Store, prefix: str) -> Iterator[str]:
    with store.snapshot() as snapshot:
        yield from (key.removeprefix(f"root/{prefix}") for key in snapshot.keys(f"root/{prefix}"))


def storage_of(vault: Vault, path: str) -> str:
    """Where the rows of the mount at ``path`` lie."""
    unsealed = vault.node.require()
    with unsealed.barrier.transaction() as transaction:
        return next(one.storage_prefix for one in unsealed.mounts.entries(transaction) if one.path.strip("/") == path)


def stored_keyrings(vault: Vault) -> set[int]:
    with vault.store.snapshot() as snapshot:
        return {int(key.rpartition("/")[2]) for key in snapshot.keys("barrier/keyring/")}


def findings(vault: Vault) -> list[str]:
    inspection = Inspection(vault.node.require().barrier, vault.store)
    for _ in inspection.run():
        pass
    return [f"{one.kind.value} {one.place}" for one in inspection.findings]


def settle(vault: Vault) -> None:
    """Have everything sealed anew that waits for it."""
    resealing = Resealing(vault.node)
    while resealing.step(vault.node.require()):
        pass
