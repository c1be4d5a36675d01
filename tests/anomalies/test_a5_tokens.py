"""SECURITY A5: tokens, leases and the way of a request."""

from __future__ import annotations

from typing import Any

import pytest
from tests.anomalies.scene import (
    CountingPasswords,
    expect,
    is_alive,
    new_secret_id,
    tokens_stored,
    vault_with_approle,
    vault_with_userpass,
)
from tests.kit import Vault

from strongroom.logical.operation import Operation


@pytest.mark.parametrize("increment", [0, 1, -1, 0.5, 10**18, "", "1h", None, "-1s"])
def test_row_049_cve_2021_32923_a_renewal_never_makes_a_token_that_does_not_end(increment: Any) -> None:
    vault = Vault()
    token = vault.token_for("default", ttl="60s", explicit_max_ttl="60s")
    vault.clock.jump(59.6)
    renewed = vault.post("auth/token/renew-self", {"increment": increment}, token=token)
    if renewed.status == 200:
        assert 0 < renewed.auth["lease_duration"] <= 1
    else:
        assert renewed.status == 400
    assert is_alive(vault, token)
    vault.clock.jump(0.4)
    assert not is_alive(vault, token)


def test_row_050_cve_2020_25816_a_batch_token_ends_on_time_and_with_its_parent() -> None:
    vault = Vault()
    parent = vault.token_for("default")
    vault.write_policy("makes", 'path "auth/token/create" { capabilities = ["update"] }')
    parent = vault.token_for("makes")
    batch = vault.post("auth/token/create", {"type": "batch", "ttl": "2s"}, token=parent).auth["client_token"]
    longer = vault.post("auth/token/create", {"type": "batch", "ttl": "1h"}, token=parent).auth["client_token"]
    assert is_alive(vault, batch)
    vault.clock.jump(2)
    assert not is_alive(vault, batch)
    assert is_alive(vault, longer)
    assert vault.post("auth/token/renew-self", {}, token=longer).status == 400
    expect(vault.post("auth/token/revoke", {"token": parent}))
    assert not is_alive(vault, longer)


def test_row_052_cve_2019_18616_what_hangs_on_a_token_or_a_mount_goes_with_it() -> None:
    vault = vault_with_userpass(CountingPasswords(), mia="right")
    vault.write_policy("makes", 'path "auth/token/create*" { capabilities = ["update"] }')
    expect(vault.post("auth/userpass/users/mia", {"token_policies": ["makes"]}))

    def family() -> list[str]:
        token = vault.post("auth/userpass/login/mia", {"password": "right"}, token=None).auth["client_token"]
        child = vault.post("auth/token/create", {}, token=token).auth["client_token"]
        return [token, child, vault.post("auth/token/create", {"type": "batch"}, token=child).auth["client_token"]]

    first = family()
    expect(vault.post("auth/token/revoke", {"token": first[0]}))
    assert [is_alive(vault, token) for token in first] == [False] * 3
    for _ in range(2):  # and again after it was made anew, at the same path
        members = family()
        expect(vault.delete("sys/auth/userpass"))
        assert [is_alive(vault, token) for token in members] == [False] * 3
        expect(vault.post("sys/auth/userpass", {"type": "userpass"}))
        assert [is_alive(vault, token) for token in members] == [False] * 3
        expect(vault.post("auth/userpass/users/mia", {"password": "right", "token_policies": ["makes"]}))
    assert tokens_stored(vault) == 1


def test_row_053_a_child_is_bound_to_the_addresses_of_its_parent() -> None:
    vault = Vault()
    vault.write_policy("makes", 'path "auth/token/create" { capabilities = ["update"] }')
    expect(vault.post("auth/token/roles/bound", {"token_bound_cidrs": ["127.0.0.2/32"], "allowed_policies": ["makes"]}))
    parent = vault.post("auth/token/create/bound", {}).auth["client_token"]
    child = vault.post("auth/token/create", {}, token=parent, address="127.0.0.2").auth["client_token"]
    for token in (parent, child):
        assert vault.get("auth/token/lookup-self", token=token, address="127.0.0.1").status == 403
        assert vault.get("auth/token/lookup-self", token=token, address="::ffff:127.0.0.2").status == 200


def test_row_058_cve_2026_46405_a_login_that_fails_leaves_no_token() -> None:
    vault, role_id = vault_with_approle(secret_id_bound_cidrs=["127.0.0.0/8"])
    expect(vault.post("sys/auth/userpass", {"type": "userpass"}))
    expect(vault.post("auth/userpass/users/mia", {"password": "right", "token_bound_cidrs": ["127.0.0.0/8"]}))
    good = {"role_id": role_id, "secret_id": new_secret_id(vault)}
    before = tokens_stored(vault)
    logins: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("approle/login", {**good, "secret_id": "wrong"}, {}),
        ("approle/login", {**good, "role_id": "wrong"}, {}),
        ("approle/login", good, {"address": "192.0.2.1"}),
        ("approle/login", good, {"wrap_ttl": "-1"}),
        ("approle/login", good, {"wrap_ttl": "999999h"}),
        ("approle/role/app/secret-id", {}, {}),
        ("userpass/login/mia", {"password": "wrong"}, {}),
        ("userpass/login/mia", {"password": "right"}, {"address": "192.0.2.1"}),
    ]
    for path, body, options in logins:
        refused = vault.post(f"auth/{path}", body, token=None, **options)
        assert 400 <= refused.status < 500, (path, refused)
        assert not (refused.body or {}).get("auth")
    vault.device.is_broken = True
    assert vault.post("auth/approle/login", good, token=None).status == 500
    vault.device.is_broken = False
    assert tokens_stored(vault) == before
    assert vault.failures == []


@pytest.mark.parametrize(
    "name", ["alias-lookahead", "resolve-role", "renew", "revoke", "rollback", "help", "", "login", "ALIAS_LOOKAHEAD"]
)
def test_row_059_ghsa_rh46_vc3j_w2w3_a_client_cannot_name_an_operation_of_the_inside(name: str) -> None:
    vault, role_id = vault_with_approle()
    before = tokens_stored(vault)
    body = {"role_id": role_id, "operation": name, "op": name, "method": name, "secret_id": "wrong"}
    assert vault.post("auth/approle/login", body, token=None).status == 400
    method = name.upper() or "X"
    if method != "HELP":
        assert vault.call(method, "auth/approle/login", token=None).status in {400, 405}
    for path in (f"auth/approle/{name}", f"auth/approle/login/{name}", f"auth/approle/role/app/{name}"):
        answer = vault.post(path.rstrip("/"), {"role_id": role_id}, token=None)
        assert answer.status in {400, 403}
        assert not (answer.body or {}).get("auth")
    query = vault.get(f"auth/approle/login?operation={name}", token=None)
    assert query.status in {400, 403, 405}
    assert tokens_stored(vault) == before


def test_row_059_no_operation_of_the_inside_exists() -> None:
    assert {one.value for one in Operation} == {"read", "update", "patch", "delete", "list", "help"}


def test_row_062_a_used_up_token_takes_everything_with_it() -> None:
    vault = Vault()
    token = vault.token_for("default", num_uses=2, ttl="1h")
    expect(vault.post("cubbyhole/x", {"a": "1"}, token=token))
    assert len(vault.list("sys/leases/lookup/auth/token/create").data["keys"]) == 1
    assert vault.get("cubbyhole/x", token=token).data == {"a": "1"}
    assert not is_alive(vault, token)
    assert vault.list("sys/leases/lookup/auth/token/create").status == 404
    assert tokens_stored(vault) == 1
    with vault.store.snapshot() as snapshot:
        assert not [key for key in snapshot.keys("") if key.startswith("core/token/child/")]
    # A token with few uses has no children that could outlive it.
    limited = vault.token_for("root", num_uses=3)
    assert vault.post("auth/token/create", {}, token=limited).status == 400


@pytest.mark.parametrize("most", [0, 7200])
@pytest.mark.parametrize("role", [0, 10_800])
@pytest.mark.parametrize("mount", [0, 3600])
def test_row_121_cve_2020_12757_the_nearest_setting_of_a_lifetime_wins(mount: int, role: int, most: int) -> None:
    vault = vault_with_userpass(CountingPasswords(), mia="right")
    expect(vault.post("sys/mounts/auth/userpass/tune", {"default_lease_ttl": mount, "max_lease_ttl": most}))
    expect(vault.post("auth/userpass/users/mia", {"token_ttl": role}))
    login = vault.post("auth/userpass/login/mia", {"password": "right"}, token=None)
    month = 32 * 24 * 3600
    expected = min(role or mount or month, most or month)
    assert login.auth["lease_duration"] == expected
    vault.clock.jump(expected - 1)
    assert is_alive(vault, login.auth["client_token"])
    vault.clock.jump(1)
    assert not is_alive(vault, login.auth["client_token"])


@pytest.mark.parametrize("asked", [0, 900, 10**9])
@pytest.mark.parametrize("explicit", [0, 600])
def test_row_121_what_is_asked_for_a_token_is_bounded_by_what_holds_for_all(asked: int, explicit: int) -> None:
    vault = Vault()
    made = vault.post("auth/token/create", {"policies": ["default"], "ttl": asked, "explicit_max_ttl": explicit})
    month = 32 * 24 * 3600
    assert made.auth["lease_duration"] == min(asked or month, explicit or month, month)
