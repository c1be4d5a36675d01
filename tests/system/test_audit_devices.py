"""The devices of the API are enabled in every process, and no process goes back to those of an older moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.kit import Vault

from strongroom.mounts.table import EPOCH_KEY


@pytest.fixture
def vaults() -> tuple[Vault, Vault]:
    """Two vaults on one store, as in two processes of a server."""
    first = Vault()
    second = Vault(store=first.store, is_unsealed=False)
    second.shares, second.root = first.shares, first.root
    second.unseal()
    return first, second


def enable(vault: Vault, name: str, folder: Path) -> None:
    folder.chmod(0o700)
    device = {"type": "file", "options": {"file_path": str(folder / f"{name}.log")}}
    assert vault.post(f"sys/audit/{name}", device).status == 204


def names(vault: Vault) -> set[str]:
    return {enabled.name for enabled in vault.node.broker.enabled}


def test_another_process_follows_with_its_next_request(vaults: tuple[Vault, Vault], tmp_path: Path) -> None:
    first, second = vaults
    enable(first, "one", tmp_path)
    assert names(second) == {"memory"}
    second.get("auth/token/lookup-self")
    assert names(second) == {"memory", "one"}
    assert "lookup-self" in (tmp_path / "one.log").read_text()

    first.delete("sys/audit/one")
    second.get("auth/token/lookup-self")
    assert names(second) == {"memory"}


def test_a_transaction_that_began_before_does_not_bring_its_devices_back(
    vaults: tuple[Vault, Vault], tmp_path: Path
) -> None:
    first, second = vaults
    unsealed = second.node.require()
    with unsealed.barrier.transaction() as old:
        old_epoch = old.version(EPOCH_KEY)
        assert old_epoch is not None
        enable(first, "one", tmp_path)
        second.get("auth/token/lookup-self")

        unsealed.catch_up(old_epoch)

        assert names(second) == {"memory", "one"}


def test_another_process_encrypts_with_a_new_term_from_its_next_request_on(vaults: tuple[Vault, Vault]) -> None:
    first, second = vaults
    assert first.post("sys/rotate").status == 204
    assert second.get("sys/key-status").data["term"] == 2
