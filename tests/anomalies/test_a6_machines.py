"""SECURITY A6: AppRole, and the restrictions of roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.anomalies.scene import expect, is_alive, new_secret_id, vault_with_approle
from tests.kit import Vault
from tests.processes import Result
from tests.quotas.front import Front

FORM = {"content-type": "application/x-www-form-urlencoded"}


def log_in(vault: Vault, role_id: str, secret_id: str, **options: Any) -> Result:
    return vault.post("auth/approle/login", {"role_id": role_id, "secret_id": secret_id}, token=None, **options)


def test_row_070_ghsa_7m59_mp95_w6ph_what_has_expired_is_refused_although_nobody_tidied() -> None:
    vault, role_id = vault_with_approle(secret_id_ttl="1s")
    secret_id = new_secret_id(vault)
    token = vault.token_for("default", ttl="1s")
    wrapped = expect(vault.get("sys/mounts", wrap_ttl="1s")).body
    assert wrapped is not None
    vault.clock.jump(1.1)
    assert log_in(vault, role_id, secret_id).status == 400
    assert not is_alive(vault, token)
    assert vault.post("sys/wrapping/unwrap", {}, token=wrapped["wrap_info"]["token"]).status in {400, 403}
    assert vault.post("sys/wrapping/unwrap", {"token": wrapped["wrap_info"]["token"]}).status == 400


def test_row_071_ghsa_5v22_543h_wg96_a_login_counts_in_every_encoding() -> None:
    vault, role_id = vault_with_approle()
    front = Front(vault)
    expect(
        vault.post("sys/quotas/rate-limit/app", {"path": "auth/approle", "role": "app", "rate": 2, "interval": "1h"})
    )
    login = {"role_id": role_id, "secret_id": new_secret_id(vault)}
    form = urlencode(login).encode()
    ways: list[tuple[str, Any, dict[str, str]]] = [
        ("192.0.2.1", login, {}),
        ("192.0.2.2", form, FORM),
        ("192.0.2.3", form, {**FORM, "content-type": f"{FORM['content-type']}; charset=utf-8"}),
    ]
    for address, body, headers in ways:
        statuses = [
            front.ask("POST", "auth/approle/login", body, token=None, address=address, headers=headers).status
            for _ in range(3)
        ]
        assert statuses == [200, 200, 429], (address, statuses)
    front.close()


def test_row_071_a_form_that_says_a_thing_twice_is_refused() -> None:
    vault, role_id = vault_with_approle()
    login = {"role_id": role_id, "secret_id": new_secret_id(vault)}
    form = urlencode(login)
    for body in (f"role_id=other&{form}", f"{form}&role_id=other", f"{form}&secret_id="):
        assert vault.post("auth/approle/login", body.encode(), token=None, headers=FORM).status == 400
    assert vault.post("auth/approle/login", form.encode(), token=None).status == 400  # and one of no type is no JSON
    assert vault.post("auth/approle/login", form.encode(), token=None, headers=FORM).status == 200


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_row_073_cve_2023_24999_an_accessor_is_destroyed_by_its_own_role_alone(method: str) -> None:
    vault, _ = vault_with_approle()
    expect(vault.post("auth/approle/role/b", {"token_policies": ["default"]}))
    role_id = vault.get("auth/approle/role/b/role-id").data["role_id"]
    made = expect(vault.post("auth/approle/role/b/secret-id")).data
    path = "auth/approle/role/app/secret-id-accessor"
    accessor = made["secret_id_accessor"]
    body = {"secret_id_accessor": accessor}
    target = f"{path}/destroy" + (f"?secret_id_accessor={accessor}" if method == "DELETE" else "")
    destroyed = vault.call(method, target, body if method == "POST" else None)
    looked_up = vault.post(f"{path}/lookup", body)
    assert (destroyed.status, looked_up.status) == (404, 404)
    assert log_in(vault, role_id, made["secret_id"]).status == 200


def test_row_073_a_role_in_another_spelling_leaves_no_secret_id_alive() -> None:
    vault, role_id = vault_with_approle()
    secret_id = new_secret_id(vault)
    for name in ("App", "APP", "app%20", "%EF%BD%81pp"):
        other = vault.post(f"auth/approle/role/{name}", {"token_policies": ["default"]})
        assert other.status == 400 or vault.get(f"auth/approle/role/{name}").status == 200
    assert vault.list("auth/approle/role").data["keys"] == ["app"]
    expect(vault.delete("auth/approle/role/App"))
    assert vault.get("auth/approle/role/app").status == 404
    assert log_in(vault, role_id, secret_id).status == 400
    expect(vault.post("auth/approle/role/app", {"role_id": role_id}))
    assert log_in(vault, role_id, secret_id).status == 400


def test_row_074_cve_2025_11621_a_secret_id_is_good_for_its_own_role_and_mount_alone() -> None:
    vault, role_id = vault_with_approle()
    expect(vault.post("sys/auth/other", {"type": "approle"}))
    for path in ("auth/approle/role/second", "auth/other/role/app"):
        expect(vault.post(path, {"token_policies": ["default"]}))
    expect(vault.post("auth/other/role/app/role-id", {"role_id": role_id}))
    second_id = vault.get("auth/approle/role/second/role-id").data["role_id"]
    secret_id = new_secret_id(vault)
    assert vault.post("auth/approle/login", {"role_id": second_id, "secret_id": secret_id}, token=None).status == 400
    assert vault.post("auth/other/login", {"role_id": role_id, "secret_id": secret_id}, token=None).status == 400
    assert vault.post("auth/approle/login", {"role_id": role_id, "secret_id": secret_id}, token=None).status == 200


def _wrong_secret_id(vault: Vault, role_id: str) -> Result:
    return log_in(vault, role_id, "wrong")


def _no_secret_id(vault: Vault, role_id: str) -> Result:
    return vault.post("auth/approle/login", {"role_id": role_id}, token=None)


def _from_elsewhere(vault: Vault, role_id: str) -> Result:
    return log_in(vault, role_id, new_secret_id(vault), address="192.0.2.1")


def _used_up(vault: Vault, role_id: str) -> Result:
    secret_id = new_secret_id(vault)
    expect(log_in(vault, role_id, secret_id))
    return log_in(vault, role_id, secret_id)


def _too_late(vault: Vault, role_id: str) -> Result:
    secret_id = new_secret_id(vault)
    vault.clock.jump(60)
    return log_in(vault, role_id, secret_id)


def _from_outside_of_the_secret_id(vault: Vault, role_id: str) -> Result:
    return log_in(vault, role_id, new_secret_id(vault, cidr_list=["192.0.2.0/24"]))


@pytest.mark.parametrize(
    ("role", "violates"),
    [
        ({"bind_secret_id": True}, _no_secret_id),
        ({"bind_secret_id": True}, _wrong_secret_id),
        ({"secret_id_bound_cidrs": ["127.0.0.0/8"]}, _from_elsewhere),
        ({"secret_id_num_uses": 1}, _used_up),
        ({"secret_id_ttl": 60}, _too_late),
        ({}, _from_outside_of_the_secret_id),
    ],
    ids=["missing", "wrong", "address", "uses", "ttl", "address of the secret id"],
)
def test_row_076_cve_2025_3879_each_restriction_of_a_role_is_enough_to_refuse_a_login(
    role: dict[str, Any], violates: Callable[[Vault, str], Result]
) -> None:
    vault, role_id = vault_with_approle(**role)
    assert violates(vault, role_id).status == 400
    assert log_in(vault, role_id, new_secret_id(vault)).status == 200


def test_row_076_a_token_is_bound_to_what_its_role_says() -> None:
    vault, role_id = vault_with_approle(token_bound_cidrs=["127.0.0.2/32"], token_num_uses=2)
    token = log_in(vault, role_id, new_secret_id(vault)).auth["client_token"]
    used = [
        vault.get("auth/token/lookup-self", token=token, address=address).status
        for address in ("127.0.0.1", "127.0.0.2", "127.0.0.2", "127.0.0.2")
    ]
    assert used == [403, 200, 200, 403]


FIELDS = (
    "role_id",
    "bind_secret_id",
    "secret_id_bound_cidrs",
    "secret_id_num_uses",
    "secret_id_ttl",
    "local_secret_ids",
    "token_policies",
    "token_ttl",
    "token_max_ttl",
    "token_bound_cidrs",
    "token_num_uses",
    "token_type",
    "token_period",
    "secret_id",
    "metadata",
    "cidr_list",
)
VALUES: tuple[Any, ...] = (None, True, 0, -1, 10**30, 1.5, "", "x", "é\u0000", [], [1], [None], [[]], {}, {"a": []})


@pytest.mark.parametrize("path", ["login", "role/app", "role/app/secret-id", "role/app/custom-secret-id"])
def test_row_112_a_value_of_another_type_is_never_a_failure_of_the_server(path: str) -> None:
    vault, role_id = vault_with_approle()
    for field in FIELDS:
        for value in VALUES:
            answer = vault.post(f"auth/approle/{path}", {"role_id": role_id, field: value})
            assert answer.status < 500, (field, value, answer)
    assert vault.failures == []
