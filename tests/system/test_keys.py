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


@pytest.fixture(params=["sys/rotate/config", "sys/rotate/keyring/config"])
def rules(request: pytest.FixtureRequest) -> str:
    """The path of the rules for rotation, in both spellings."""
    return str(request.param)


def test_without_rules_a_key_is_rotated_when_it_may_not_encrypt_any_more(vault: Vault, rules: str) -> None:
    data = vault.get(rules).data
    assert (data["enabled"], data["interval"]) == (True, 0)
    assert 0 < data["max_operations"] < 2**32


def test_rules_are_changed_one_by_one_and_survive_a_seal(vault: Vault, rules: str) -> None:
    assert vault.post(rules, {"interval": "168h", "max_operations": 2_000_000}).status == 204
    assert vault.post(rules, {"enabled": False}).status == 204
    vault.post("sys/seal")
    vault.unseal()
    assert vault.get(rules).data == {"enabled": False, "interval": "168h0m0s", "max_operations": 2_000_000}
    assert vault.post(rules, {"interval": 0, "enabled": True}).status == 204
    assert vault.get(rules).data == {"enabled": True, "interval": 0, "max_operations": 2_000_000}


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"interval": "23h"}, "24h"),
        ({"interval": "-1h"}, "interval"),
        ({"max_operations": 999_999}, "1000000"),
        ({"max_operations": 2**32}, "max_operations"),
        ({"max_operations": -1}, "max_operations"),
        ({"max_operations": "many"}, "max_operations"),
        ({"enabled": "perhaps"}, "enabled"),
    ],
)
def test_rules_that_cannot_hold_are_refused_and_change_nothing(
    vault: Vault, body: dict[str, object], hint: str
) -> None:
    before = vault.get("sys/rotate/config").data
    refused = vault.post("sys/rotate/config", {"enabled": False} | body)
    assert refused.status == 400
    assert hint in refused.errors[0]
    assert vault.get("sys/rotate/config").data == before


def test_rules_need_sudo(vault: Vault, rules: str) -> None:
    vault.write_policy("weak", 'path "sys/rotate*" { capabilities = ["read", "update", "create"] }')
    token = vault.token_for("weak")
    assert vault.get(rules, token=token).status == 403
    assert vault.post(rules, {"enabled": False}, token=token).status == 403
    assert vault.get(rules).data["enabled"] is True


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
