from __future__ import annotations

import pytest
from tests.kit import Vault


@pytest.mark.parametrize("spelling", ["rotate", "rotate/keyring"])
def test_a_rotation_installs_a_new_term_and_old_records_still_open(vault: Vault, spelling: str) -> None:
    vault.mount("kv")
    vault.post("kv/a", {"k": "v"})
    before = vault.get("sys/key-status").data
    vault.clock.jump(60)
    assert vault.post(f"sys/{spelling}").status == 204
    after = vault.get("sys/key-status").data
    assert (before["term"], after["term"]) == (1, 2)
    assert before["install_time"] < after["install_time"]
    assert vault.get("kv/a").data == {"k": "v"}
    vault.post("kv/b", {"k": "w"})
    vault.post("sys/seal")
    vault.unseal()
    assert (vault.get("kv/a").data, vault.get("kv/b").data) == ({"k": "v"}, {"k": "w"})


def test_the_status_stands_at_the_top_and_in_data(vault: Vault) -> None:
    result = vault.get("sys/key-status")
    assert set(result.data) == {"term", "install_time", "encryptions"}
    assert result.body is not None
    assert result.body.items() >= result.data.items()


@pytest.mark.parametrize("path", ["rotate", "rotate/keyring"])
def test_a_rotation_needs_sudo(vault: Vault, path: str) -> None:
    vault.write_policy("weak", 'path "sys/rotate*" { capabilities = ["update", "create"] }')
    assert vault.post(f"sys/{path}", token=vault.token_for("weak")).status == 403
    assert vault.get("sys/key-status").data["term"] == 1


def test_the_limit_of_a_term_can_be_read(vault: Vault) -> None:
    data = vault.get("sys/rotate/config").data
    assert data["enabled"] is True
    assert 0 < data["max_operations"] < 2**32


def test_a_new_root_key_needs_nobodys_shares_and_leaves_them_in_effect(vault: Vault) -> None:
    vault.mount("kv")
    assert vault.post("kv/a", {"x": "1"}).status == 204
    before = vault.node.require().barrier.copy_root_key()
    assert vault.post("sys/rotate/root").status == 204
    assert vault.node.require().barrier.copy_root_key() != before
    assert vault.post("kv/b", {"x": "2"}).status == 204
    vault.node.seal()
    vault.unseal()
    assert [vault.get(f"kv/{name}").data for name in "ab"] == [{"x": "1"}, {"x": "2"}]
    assert vault.failures == []


def test_a_new_root_key_needs_sudo(vault: Vault) -> None:
    vault.write_policy("some", 'path "sys/rotate/root" { capabilities = ["update"] }')
    assert vault.post("sys/rotate/root", token=vault.token_for("some")).status == 403
