"""The vault of a process closes, whatever else goes wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest
from tests.kit import Vault

from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import Sealed
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Record


class DamagedStore(MemoryStore):
    """Takes no writes once it is broken, with an error that nobody expects there."""

    is_broken = False

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        if self.is_broken:
            raise Damaged
        super().commit(expected, puts, deletes, *args, **kwargs)


class Sibling:
    """Writes down what it is told, and whether the vault was open then."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self.told: list[tuple[str, bool]] = []

    def unsealed(self, root_key: bytearray) -> None:
        assert len(root_key) == 32
        self.told.append(("unsealed", self._vault.node.unsealed is not None))

    def sealed(self) -> None:
        self.told.append(("sealed", self._vault.node.unsealed is not None))

    def under_way(self) -> dict[str, dict[str, str]]:
        return {}

    def root_key_coming(self, root_key: bytearray) -> None:
        assert len(root_key) == 32
        self.told.append(("coming", self._vault.node.unsealed is not None))

    def root_key_settled(self) -> None:
        self.told.append(("settled", self._vault.node.unsealed is not None))


def test_keys_go_everywhere_though_the_store_fails_at_the_seal() -> None:
    store = DamagedStore()
    vault = Vault(store=store)
    sibling = vault.node.siblings = Sibling(vault)
    barrier = vault.node.require().barrier
    assert vault.get("auth/token/lookup-self").status == 200  # something for the vault to remember
    store.is_broken = True

    with pytest.raises(Damaged):
        vault.node.seal()

    assert vault.node.unsealed is None
    with pytest.raises(Sealed):
        barrier.copy_root_key()
    assert sibling.told == [("sealed", False)]


def test_siblings_are_told_once_when_the_vault_opens_and_once_when_it_closes() -> None:
    vault = Vault(is_unsealed=False, shares=2, threshold=2)
    vault.initialize(2, 2)
    sibling = vault.node.siblings = Sibling(vault)

    first, second = vault.shares
    vault.node.submit_unseal_share(first)
    assert sibling.told == []
    vault.node.submit_unseal_share(second)
    vault.node.submit_unseal_share(first)
    vault.node.seal()

    assert sibling.told == [("unsealed", True), ("sealed", False)]
