"""Where logins, tokens and policies differ from Vault's and OpenBao's."""

from __future__ import annotations

import pytest
from tests.kit import Vault

ROLE = "auth/approle/role/service"
USER = "auth/userpass/users/ada"
LOGIN = "auth/userpass/login/ada"
PASSWORD = "a long password"


@pytest.fixture
def user(vault: Vault) -> str:
    assert vault.post(USER, {"password": PASSWORD}).status == 204
    return PASSWORD


def lock(vault: Vault) -> None:
    for _ in range(5):
        assert vault.post(LOGIN, {"password": "wrong"}, token=None).status == 400


def test_a_locked_user_cannot_be_told_from_a_wrong_password(vault: Vault, user: str) -> None:
    wrong = vault.post(LOGIN, {"password": "wrong"}, token=None)
    lock(vault)
    locked = vault.post(LOGIN, {"password": user}, token=None)
    assert (locked.status, locked.raw) == (wrong.status, wrong.raw)


def test_a_new_password_ends_a_lockout(vault: Vault, user: str) -> None:
    lock(vault)
    assert vault.post(LOGIN, {"password": user}, token=None).status == 400
    assert vault.post(f"{USER}/password", {"password": "another long password"}).status == 204
    assert vault.post(LOGIN, {"password": "another long password"}, token=None).status == 200


def test_a_password_comes_as_itself_and_never_as_a_hash(vault: Vault) -> None:
    bcrypt = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
    assert vault.post(USER, {"password_hash": bcrypt}).status == 400


@pytest.mark.parametrize("below", ["password", "policies"])
def test_what_belongs_to_a_user_that_is_not_there_is_not_found(vault: Vault, below: str) -> None:
    body = {"password": PASSWORD, "token_policies": "a"}
    assert vault.post(f"auth/userpass/users/nobody/{below}", body).status == 404


def test_a_login_without_its_role_id_is_the_callers_fault(vault: Vault) -> None:
    assert vault.post("auth/approle/login", {}, token=None).status == 400


def test_a_renewal_after_the_user_is_gone_says_so(vault: Vault, user: str) -> None:
    token = vault.post(LOGIN, {"password": user}, token=None).auth["client_token"]
    vault.delete(USER)
    assert vault.post("auth/token/renew-self", {}, token=token).status == 400


def test_the_accessor_of_another_role_is_not_found_whatever_is_asked(vault: Vault) -> None:
    vault.post(ROLE, {})
    vault.post("auth/approle/role/other", {})
    accessor = vault.post("auth/approle/role/other/secret-id", {}).data["secret_id_accessor"]
    for act in ("lookup", "destroy"):
        assert vault.post(f"{ROLE}/secret-id-accessor/{act}", {"secret_id_accessor": accessor}).status == 404


@pytest.mark.parametrize(("method", "below"), [("LIST", "secret-id"), ("POST", "policies"), ("POST", "secret-id")])
def test_what_belongs_to_a_role_that_is_not_there_is_not_found(vault: Vault, method: str, below: str) -> None:
    assert vault.call(method, f"auth/approle/role/nobody/{below}", {"token_policies": "a"}).status == 404


def test_the_metadata_of_a_secret_id_may_be_an_object(vault: Vault) -> None:
    vault.post(ROLE, {})
    made = vault.post(f"{ROLE}/secret-id", {"metadata": {"host": "web-1"}}).data
    assert vault.post(f"{ROLE}/secret-id/lookup", {"secret_id": made["secret_id"]}).data["metadata"] == {
        "host": "web-1"
    }


def test_a_single_address_is_a_block_of_one(vault: Vault) -> None:
    assert vault.post(ROLE, {"secret_id_bound_cidrs": "10.0.0.1"}).status == 204
    assert vault.get(ROLE).data["secret_id_bound_cidrs"] == ["10.0.0.1/32"]


def test_blocks_that_are_wrong_are_the_callers_fault(vault: Vault) -> None:
    assert vault.post(ROLE, {"secret_id_bound_cidrs": "nonsense"}).status == 400
    vault.post(ROLE, {"secret_id_bound_cidrs": "10.0.0.0/8"})
    assert vault.post(f"{ROLE}/secret-id", {"cidr_list": "192.0.2.0/24"}).status == 400


def test_a_role_has_its_single_settings_at_paths_of_their_own(vault: Vault) -> None:
    vault.post(ROLE, {"token_bound_cidrs": "10.0.0.0/8"})
    assert vault.post(f"{ROLE}/bind-secret-id", {"bind_secret_id": False}).status == 204
    assert vault.get(f"{ROLE}/bind-secret-id").data == {"bind_secret_id": False}


def test_tidying_is_done_when_it_is_answered(vault: Vault) -> None:
    vault.post(ROLE, {})
    vault.post(f"{ROLE}/secret-id", {"ttl": "1m"})
    vault.clock.jump(120)
    assert vault.post("auth/approle/tidy/secret-id", {}).status == 202
    assert vault.list(f"{ROLE}/secret-id").status == 404


@pytest.mark.parametrize("path", [USER, ROLE])
def test_policies_read_back_sorted_and_in_small_letters(vault: Vault, path: str) -> None:
    vault.post(path, {"password": PASSWORD, "token_policies": ["writer", "Reader", "reader"]})
    assert vault.get(path).data["token_policies"] == ["reader", "writer"]


@pytest.mark.parametrize("path", [USER, ROLE])
def test_root_cannot_be_promised_to_anybody(vault: Vault, path: str) -> None:
    assert vault.post(path, {"password": PASSWORD, "token_policies": ["root"]}).status == 400


def test_older_names_of_settings_contradict_each_other_no_more_than_todays(vault: Vault) -> None:
    assert vault.post(USER, {"password": PASSWORD, "ttl": "2h", "max_ttl": "1h"}).status == 400


def test_names_of_users_and_roles_are_one_in_every_spelling(vault: Vault) -> None:
    vault.post("auth/token/roles/Deploy", {"allowed_policies": "deploy"})
    assert vault.get("auth/token/roles/deploy").data["allowed_policies"] == ["deploy"]
    vault.post("auth/userpass/users/Ada", {"password": PASSWORD})
    vault.write_policy(
        "no-ada", f'path "auth/userpass/*" {{ capabilities = ["read"] }}\npath "{USER}" {{ capabilities = ["deny"] }}'
    )
    token = vault.token_for("no-ada")
    assert vault.get("auth/userpass/users/ADA", token=token).status == 403
    assert vault.get("auth/userpass/users/ADA").status == 200


def test_tokens_have_prefixes_of_their_own(vault: Vault) -> None:
    service = vault.token_for("default")
    batch = vault.token_for("default", type="batch")
    assert service.startswith("srs.")
    assert batch.startswith("srb.")
    assert len(vault.root) == 28


def test_a_policy_that_is_wrong_is_answered_with_the_place_and_what_was_expected(vault: Vault) -> None:
    answer = vault.post("sys/policies/acl/typo", {"policy": 'path "a" { capabilities = ["reed"] }'})
    assert answer.status == 400
    assert answer.errors == ['failed to parse policy: line 1, column 28: unknown capability; did you mean "read"?']


def test_a_login_in_the_headers_of_another_request_is_refused_by_its_name(vault: Vault, user: str) -> None:
    headers = {
        "X-Vault-Inline-Auth-Path".lower(): LOGIN,
        "X-Vault-Inline-Auth-Parameter-password".lower(): user,
    }
    answer = vault.get("secret/data/app", token=None, headers=headers)
    assert answer.status == 400
    assert "log in, and send the token" in answer.errors[0]
