from __future__ import annotations

from typing import Any

import pytest
from tests.environments.world import REASON, bound, login, mounts_of, vault_with_environments, write
from tests.kit import Vault


@pytest.fixture
def vault() -> Vault:
    return vault_with_environments()


# The objects


def test_an_environment_reads_back(vault: Vault) -> None:
    assert write(vault, "qa", rank=7, protected=True, reuse="warn", description="for tests").status == 204
    assert vault.get("sys/environments/qa").data == {
        "description": "for tests",
        "indexing": [],
        "keyring": {"id": 4, "install_time": "2030-03-17T17:46:40.000000000Z", "term": 1},
        "mounts": [],
        "name": "qa",
        "protected": True,
        "rank": 7,
        "resealing": [],
        "reuse": "warn",
        "reuse_minimum_length": 8,
        "shared_values": [],
    }


def test_what_is_not_sent_stays_and_the_strictest_is_the_default(vault: Vault) -> None:
    assert write(vault, "dev", description="x").status == 204
    shown = vault.get("sys/environments/dev").data
    assert shown["rank"] == 0
    assert shown["mounts"] == ["dev/"]
    assert shown["reuse"] == "deny"
    assert shown["protected"] is False


def test_the_list_goes_by_rank_and_not_by_name(vault: Vault) -> None:
    write(vault, "aaa", rank=9)
    listed = vault.list("sys/environments").data
    assert listed["keys"] == ["dev", "stage", "prod", "aaa"]
    assert listed["key_info"]["prod"]["mounts"] == ["prod/"]


def test_no_environments_are_nothing_to_list() -> None:
    assert Vault().list("sys/environments").status == 404


def test_capitals_mean_the_same_name(vault: Vault) -> None:
    assert vault.get("sys/environments/PROD").data["name"] == "prod"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"rank": -1},
        {"rank": 1001},
        {"rank": "high"},
        {"rank": 2},
        {"rank": 9, "reuse": "maybe"},
        {"rank": 9, "mounts": ["nowhere"]},
        {"rank": 9, "mounts": ["sys"]},
        {"rank": 9, "mounts": ["cubbyhole"]},
        {"rank": 9, "mounts": ["auth/token"]},
        {"rank": 9, "description": "a\nb"},
        {"rank": 9, "description": "x" * 513},
    ],
)
def test_what_makes_no_sense_is_refused(vault: Vault, fields: dict[str, Any]) -> None:
    assert write(vault, "other", **fields).status == 400
    assert vault.get("sys/environments/other").status == 404


def test_names_are_letters_digits_and_dashes(vault: Vault) -> None:
    assert write(vault, "a.b", rank=9).status == 400


# Mounts come and go


def test_a_mount_that_moves_or_is_tuned_stays_where_it_belongs(vault: Vault) -> None:
    assert vault.post("sys/remount", {"from": "prod", "to": "live"}).status == 200
    assert vault.post("sys/mounts/live/tune", {"description": "x"}).status == 204
    assert mounts_of(vault, "prod") == ["live/"]


def test_a_mount_that_is_gone_belongs_nowhere_and_one_in_its_place_is_new(vault: Vault) -> None:
    assert vault.delete("sys/mounts/prod").status == 204
    vault.mount("prod")
    assert mounts_of(vault, "prod") == []


def test_a_mount_belongs_to_one_environment(vault: Vault) -> None:
    assert write(vault, "stage", mounts=["stage", "dev"]).status == 204
    assert mounts_of(vault, "dev") == []
    assert mounts_of(vault, "stage") == ["dev/", "stage/"]


@pytest.mark.parametrize("to", ["stage", None])
def test_what_a_mount_holds_does_not_go_down_by_accident(vault: Vault, to: str | None) -> None:
    vault.post("prod/app", {"password": "a production value"})
    name, mounts = ("stage", ["stage", "prod"]) if to else ("prod", [])
    refused = write(vault, name, mounts=mounts)
    assert refused.status == 400
    assert "downward" in str(refused.errors)
    assert mounts_of(vault, "prod") == ["prod/"]
    assert write(vault, name, downward=True, mounts=mounts).status == 204
    assert mounts_of(vault, "prod") == []


@pytest.mark.parametrize(("name", "rank"), [("prod", 0), ("stage", 30)])
def test_an_environment_that_holds_something_does_not_go_below_another_by_accident(name: str, rank: int) -> None:
    vault = vault_with_environments()
    write(vault, "dev", rank=3)
    write(vault, "stage", rank=5)
    write(vault, "prod", rank=20)
    vault.post("prod/app", {"password": "a production value"})
    refused = write(vault, name, rank=rank)
    assert (refused.status, "downward" in str(refused.errors)) == (400, True)
    assert vault.post("stage/app", {"password": "a production value"}).status == 400
    assert write(vault, name, rank=10 if name == "prod" else 19).status == 204, "the order stays"
    assert write(vault, name, rank=rank, downward=True).status == 204


def test_who_overtakes_a_protected_environment_says_why(vault: Vault) -> None:
    assert write(vault, "prod", protected=True).status == 204
    refused = write(vault, "stage", rank=30)
    assert (refused.status, "X-Strongroom-Reason" in str(refused.errors)) == (400, True)
    assert write(vault, "stage", rank=30, headers=REASON).status == 204


def test_an_empty_mount_may_leave(vault: Vault) -> None:
    assert write(vault, "prod", mounts=[]).status == 204


def test_an_environment_in_use_is_not_deleted_and_says_by_what(vault: Vault) -> None:
    vault.post("sys/auth/approle", {"type": "approle"})
    vault.post("sys/auth/userpass", {"type": "userpass"})
    vault.post("auth/token/roles/ci", {"token_environments": ["prod"]})
    vault.post("auth/approle/role/web", {"token_environments": "prod"})
    vault.post("auth/userpass/users/ada", {"password": "a long password", "token_environments": ["PROD", "dev"]})
    text = str(vault.delete("sys/environments/prod").errors)
    for user in ("the mount prod/", "auth/token/roles/ci", "auth/approle/role/web", "auth/userpass/users/ada"):
        assert user in text
    vault.delete("auth/token/roles/ci")
    vault.delete("auth/approle/role/web")
    vault.delete("auth/userpass/users/ada")
    write(vault, "prod", mounts=[])
    assert vault.delete("sys/environments/prod").status == 204
    assert vault.get("sys/environments/prod").status == 404
    assert vault.delete("sys/environments/prod").status == 204


def test_everything_is_there_after_an_unseal(vault: Vault) -> None:
    vault.node.seal()
    vault.unseal()
    assert mounts_of(vault, "prod") == ["prod/"]


# Reasons


def test_a_change_in_a_protected_environment_needs_a_reason_and_keeps_it(vault: Vault) -> None:
    assert write(vault, "prod", protected=True).status == 204
    refused = vault.post("prod/app", {"password": "a production value"})
    assert refused.status == 400
    assert "X-Strongroom-Reason" in str(refused.errors)
    assert vault.get("prod/app").status == 404
    vault.device.written.clear()
    assert vault.post("prod/app", {"password": "a production value"}, headers=REASON).status == 204
    assert [record["request"]["reason"] for record in vault.device.records] == ["ticket 4711"] * 2
    assert vault.get("prod/app").status == 200
    assert vault.delete("prod/app").status == 400
    assert vault.delete("prod/app", headers=REASON).status == 204
    assert vault.post("dev/app", {"password": "a development value"}).status == 204


def test_who_may_not_write_is_not_asked_for_a_reason(vault: Vault) -> None:
    write(vault, "prod", protected=True)
    assert vault.post("prod/app", {"k": "v"}, token=bound(vault, "dev")).status == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "sys/mounts/prod", None),
        ("POST", "sys/mounts/prod/tune", {"description": "x"}),
        ("POST", "sys/remount", {"from": "prod", "to": "live"}),
        ("POST", "sys/environments/prod", {"protected": False}),
        ("POST", "sys/environments/prod", {"rank": 50}),
        ("POST", "sys/environments/other", {"rank": 50, "mounts": ["prod"]}),
        ("DELETE", "sys/environments/prod", None),
    ],
)
def test_what_would_undo_the_protection_needs_a_reason_too(vault: Vault, method: str, path: str, body: Any) -> None:
    write(vault, "prod", protected=True)
    refused = vault.call(method, path, body)
    assert refused.status == 400
    assert "X-Strongroom-Reason" in str(refused.errors)
    assert "X-Strongroom-Reason" not in str(vault.call(method, path, body, headers=REASON).errors)


def test_a_login_needs_no_reason(vault: Vault) -> None:
    vault.post("sys/auth/approle", {"type": "approle"})
    login(vault)
    assert write(vault, "prod", mounts=["prod", "auth/approle"], protected=True, headers=REASON).status == 204
    role_id = vault.get("auth/approle/role/web/role-id").data["role_id"]
    made = vault.post("auth/approle/role/web/secret-id", {}, headers=REASON)
    assert vault.post("auth/approle/role/web/secret-id", {}).status == 400
    body = {"role_id": role_id, "secret_id": made.data["secret_id"]}
    assert vault.post("auth/approle/login", body, token=None).status == 200


@pytest.mark.parametrize("reason", ["", "   "])
def test_an_empty_reason_is_none(vault: Vault, reason: str) -> None:
    write(vault, "prod", protected=True)
    assert vault.post("prod/app", {"k": "v"}, headers={"x-strongroom-reason": reason}).status == 400


@pytest.mark.parametrize("reason", ["x" * 257, "a\x00b", "a\tb", "\u202egnp".encode().decode("latin-1")])
def test_a_reason_is_short_and_printable(vault: Vault, reason: str) -> None:
    assert vault.post("dev/app", {"k": "v"}, headers={"x-strongroom-reason": reason}).status == 400


def test_a_reason_may_be_written_in_any_script(vault: Vault) -> None:
    vault.device.written.clear()
    vault.post("dev/app", {"k": "v"}, headers={"x-strongroom-reason": "Störung €5".encode().decode("latin-1")})
    assert vault.device.records[0]["request"]["reason"] == "Störung €5"
