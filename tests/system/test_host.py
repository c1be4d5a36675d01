from __future__ import annotations

import pytest
from tests.kit import CONFIGURATION, Vault


def test_the_machine_is_described_to_operators_alone(vault: Vault) -> None:
    data = vault.get("sys/host-info").data
    assert {"timestamp", "host", "cpu", "memory", "disk"} <= set(data)
    vault.write_policy("weak", 'path "sys/host-info" { capabilities = ["read"] }')
    assert vault.get("sys/host-info", token=vault.token_for("weak")).status == 403


def test_the_versions_that_the_vault_ran_with_are_listed(vault: Vault) -> None:
    data = vault.list("sys/version-history").data
    assert len(data["keys"]) == 1
    assert set(data["key_info"]) == set(data["keys"])


def test_the_configuration_is_shown_without_anything_secret() -> None:
    vault = Vault(configuration=CONFIGURATION + 'cluster_name = "house"\n')
    data = vault.get("sys/config/state/sanitized").data
    assert (data["cluster_name"], data["storage"]["type"], data["seals"][0]["type"]) == ("house", "inmem", "shamir")
    assert data["listeners"][0]["config"]["tls_disable"] is True
    assert vault.get("sys/config/state/sanitized", token=None).status == 403


def test_the_catalog_names_what_can_be_mounted_and_nothing_else(vault: Vault) -> None:
    catalog = vault.get("sys/plugins/catalog").data
    assert {"approle", "userpass"} <= set(catalog["auth"])
    assert "kv" in catalog["secret"]
    assert {one["name"] for one in catalog["detailed"]} == {*catalog["auth"], *catalog["secret"], *catalog["database"]}
    for kind, mounts in (("secret", "mounts"), ("auth", "auth")):
        assert vault.list(f"sys/plugins/catalog/{kind}").data["keys"] == catalog[kind]
        for name in catalog[kind]:
            entry = vault.get(f"sys/plugins/catalog/{kind}/{name}").data
            assert (entry["name"], entry["builtin"]) == (name, True)
            assert vault.post(f"sys/{mounts}/catalog-{name}", {"type": name}).status == 204, name


@pytest.mark.parametrize("path", ["secret/nosuch", "nosuch/kv", "auth/kv"])
def test_what_is_not_in_the_catalog_is_not_there(vault: Vault, path: str) -> None:
    assert vault.get(f"sys/plugins/catalog/{path}").status == 404
