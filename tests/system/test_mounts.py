"""Secrets engines and auth methods, enabled, tuned, moved and disabled, as clients see it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kit import Vault
from tests.processes import Result

from strongroom.core.batch import Alarms
from strongroom.core.sweeper import Sweeper

SYSTEM_TTL = 768 * 3600


def refusal(result: Result) -> str:
    assert result.status == 400, result
    return result.errors[0]


def login(vault: Vault, mount: str = "userpass", **user: Any) -> str:
    vault.post(f"auth/{mount}/users/alice", {"password": "correct horse", **user})
    result = vault.post(f"auth/{mount}/login/alice", {"password": "correct horse"}, token=None)
    return str(result.auth["client_token"])


def is_good(vault: Vault, token: str) -> bool:
    return vault.get("auth/token/lookup-self", token=token).status == 200


def stored_keys(vault: Vault, part: str) -> list[str]:
    with vault.store.snapshot() as snapshot:
        return [key for key in snapshot.keys("") if part in key]


def test_a_new_vault_has_the_mounts_that_every_client_expects(vault: Vault) -> None:
    assert sorted(vault.get("sys/mounts").data) == ["cubbyhole/", "sys/"]
    assert sorted(vault.get("sys/auth").data) == ["token/"]


def test_a_mount_shows_every_member_at_the_top_and_in_data(vault: Vault) -> None:
    vault.mount("kv", options={"version": "2"}, description="d")
    for result, members in (
        (vault.get("sys/mounts/kv"), vault.get("sys/mounts/kv").data),
        (vault.get("sys/mounts"), vault.get("sys/mounts").data["kv/"]),
    ):
        assert result.body is not None
        assert result.body.items() >= result.data.items()
        accessor, uuid = members.pop("accessor"), members.pop("uuid")
        assert accessor.startswith("kv_")
        assert len(uuid) == 36
        assert members == {
            "type": "kv",
            "description": "d",
            "options": {"version": "2"},
            "config": {"default_lease_ttl": 0, "force_no_cache": False, "max_lease_ttl": 0},
            "local": False,
            "seal_wrap": False,
            "external_entropy_access": False,
            "plugin_version": "",
            "running_plugin_version": "builtin",
            "running_sha256": "",
            "deprecation_status": "supported",
        }


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ({"type": "kv"}, None),
        ({"type": "kv", "options": None}, None),
        ({"type": "kv", "options": {"version": "1"}}, {"version": "1"}),
        ({"type": "kv", "options": {"version": 2}}, {"version": "2"}),
        ({"type": "kv-v1"}, {"version": "1"}),
        ({"type": "kv-v2"}, {"version": "2"}),
        ({"type": "generic"}, {"version": "1"}),
        ({"type": "kv-v1", "options": {"version": "2"}}, {"version": "1"}),
    ],
    ids=str,
)
def test_kv_is_enabled_under_all_of_its_names(
    vault: Vault, body: dict[str, Any], options: dict[str, str] | None
) -> None:
    vault.mount("m", **{"type_name": body["type"], **{k: v for k, v in body.items() if k != "type"}})
    data = vault.get("sys/mounts/m").data
    assert (data["type"], data["options"]) == ("kv", options)
    is_versioned = (options or {}).get("version") == "2"
    assert vault.post("m/data/a" if is_versioned else "m/a", {"data": {"k": "v"}}).status == (
        200 if is_versioned else 204
    )


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("mounts/x", {"type": "nosuch"}, "plugin not found in the catalog: nosuch"),
        ("mounts/x", {"type": "userpass"}, "plugin not found in the catalog: userpass"),
        ("mounts/x", {"type": "system"}, "plugin not found in the catalog: system"),
        ("mounts/x", {"type": "cubbyhole"}, "plugin not found in the catalog: cubbyhole"),
        ("auth/x", {"type": "token"}, "plugin not found in the catalog: token"),
        ("auth/x", {"type": "kv"}, "plugin not found in the catalog: kv"),
        ("mounts/x", {}, "the type of the mount is missing or malformed; name one, for example 'kv'"),
        ("mounts/x", {"type": "kv", "options": {"version": "3"}}, "the version of a kv engine is '1' or '2'"),
        ("mounts/kv", {"type": "kv"}, "path is already in use at kv/"),
        ("mounts/kv/in", {"type": "kv"}, "path is already in use at kv/"),
        ("mounts/sys", {"type": "kv"}, "this path is reserved; choose another"),
        ("mounts/sys/x", {"type": "kv"}, "this path is reserved; choose another"),
        ("mounts/cubbyhole/x", {"type": "kv"}, "this path is reserved; choose another"),
        ("mounts/identity", {"type": "kv"}, "this path is reserved; choose another"),
        ("auth/token", {"type": "userpass"}, "this path is reserved; choose another"),
        ("auth/token/x", {"type": "userpass"}, "this path is reserved; choose another"),
        ("auth/userpass", {"type": "approle"}, "path is already in use at auth/userpass/"),
        (
            "mounts/x",
            {"type": "kv", "config": {"max_lease_ttl": "x"}},
            "config field 'max_lease_ttl' has the wrong form",
        ),
        (
            "mounts/x",
            {"type": "kv", "config": {"default_lease_ttl": "2h", "max_lease_ttl": "1h"}},
            "default_lease_ttl must not be greater than max_lease_ttl",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_mounted_is_said_and_changes_nothing(
    vault: Vault, path: str, body: dict[str, Any], error: str
) -> None:
    vault.mount("kv")
    vault.post("sys/auth/userpass", {"type": "userpass"})
    before = (vault.get("sys/mounts").data, vault.get("sys/auth").data)
    assert refusal(vault.post(f"sys/{path}", body)) == error
    assert (vault.get("sys/mounts").data, vault.get("sys/auth").data) == before


MOUNTER = 'path "sys/mounts/*" { capabilities = ["create", "read", "update", "delete", "sudo"] }'


def test_auth_methods_are_not_reached_through_the_endpoints_of_secrets_engines(vault: Vault) -> None:
    vault.write_policy("mounter", MOUNTER)
    token = vault.token_for("mounter")
    vault.post("sys/auth/userpass", {"type": "userpass"})
    alice = login(vault)
    for path in ("auth/userpass", "auth/new", "auth"):
        assert vault.post(f"sys/mounts/{path}", {"type": "userpass"}, token=token).status == 400
        assert vault.delete(f"sys/mounts/{path}", token=token).status == 400
        assert vault.get(f"sys/mounts/{path}", token=token).status == 400
    assert sorted(vault.get("sys/auth").data) == ["token/", "userpass/"]
    assert is_good(vault, alice)


def test_enabling_and_disabling_an_auth_method_needs_sudo_and_a_secrets_engine_does_not(vault: Vault) -> None:
    vault.write_policy("weak", 'path "sys/*" { capabilities = ["create", "read", "update", "delete"] }')
    token = vault.token_for("weak")
    assert vault.post("sys/mounts/kv", {"type": "kv"}, token=token).status == 204
    assert vault.delete("sys/mounts/kv", token=token).status == 204
    assert vault.post("sys/auth/userpass", {"type": "userpass"}, token=token).status == 403
    assert vault.delete("sys/auth/token", token=token).status == 403
    assert vault.post("sys/remount", {"from": "a", "to": "b"}, token=token).status == 403


def test_disabling_an_engine_has_its_data_removed_for_good(vault: Vault) -> None:
    vault.mount("kv")
    vault.post("kv/a", {"value": "hunter2"})
    uuid = vault.get("sys/mounts/kv").data["uuid"]
    assert stored_keys(vault, f"logical/{uuid}/")
    assert vault.delete("sys/mounts/kv").status == 204
    Sweeper(vault.node, Alarms(vault.failures.append, lambda: None)).sweep()
    assert stored_keys(vault, uuid) == []
    assert vault.get("kv/a").errors == ['no handler for route "kv/a". route entry not found.']
    vault.mount("kv")
    assert vault.get("kv/a").errors == []


def test_disabling_what_is_not_there_is_done_already(vault: Vault) -> None:
    assert vault.delete("sys/mounts/nosuch").status == 204
    assert vault.delete("sys/auth/nosuch").status == 204


@pytest.mark.parametrize("path", ["sys/mounts/sys", "sys/mounts/cubbyhole", "sys/auth/token"])
def test_what_every_client_relies_on_cannot_be_disabled(vault: Vault, path: str) -> None:
    assert refusal(vault.delete(path)) == "this path is reserved; choose another"


def test_disabling_a_method_revokes_every_token_that_it_made_with_their_children(vault: Vault) -> None:
    vault.post("sys/auth/userpass", {"type": "userpass"})
    vault.post("sys/auth/other", {"type": "userpass"})
    vault.write_policy("parent", 'path "auth/token/create" { capabilities = ["update"] }')
    alice = login(vault, token_policies="parent")
    child = vault.post("auth/token/create", {}, token=alice).auth["client_token"]
    batch = login(vault, token_type="batch")
    other = login(vault, "other")
    assert vault.delete("sys/auth/userpass").status == 204
    assert [is_good(vault, token) for token in (alice, child, batch, other)] == [False, False, False, True]
    assert vault.post("auth/userpass/login/alice", {"password": "correct horse"}, token=None).status == 403


def test_a_moved_engine_keeps_its_data_its_accessor_and_its_settings(vault: Vault) -> None:
    vault.mount("kv", options={"version": "2"})
    vault.post("kv/data/a", {"data": {"k": "v"}})
    before = vault.get("sys/mounts/kv").data
    moved = vault.post("sys/remount", {"from": "kv/", "to": "/team/kv"})
    assert moved.body is not None
    assert moved.body["migration_id"] == moved.data["migration_id"]
    status = vault.get(f"sys/remount/status/{moved.data['migration_id']}").data
    assert status["migration_info"] == {"source_mount": "kv/", "target_mount": "team/kv/", "status": "success"}
    assert vault.get("sys/mounts/team/kv").data == before
    assert vault.get("team/kv/data/a").data["data"] == {"k": "v"}
    assert vault.get("kv/data/a").status == 404


def test_a_moved_method_keeps_its_users_and_their_tokens(vault: Vault) -> None:
    vault.post("sys/auth/userpass", {"type": "userpass"})
    alice = login(vault)
    assert vault.post("sys/remount", {"from": "auth/userpass", "to": "auth/people"}).status == 200
    assert is_good(vault, alice)
    assert vault.post("auth/people/login/alice", {"password": "correct horse"}, token=None).status == 200
    assert vault.delete("sys/auth/people").status == 204
    assert not is_good(vault, alice)


@pytest.mark.parametrize(
    ("source", "target", "error"),
    [
        ("nosuch", "new", "no matching mount at the source path"),
        ("kv", "other", "path is already in use at other/"),
        ("kv", "other/in", "path is already in use at other/"),
        ("kv", "kv", "path is already in use at kv/"),
        ("kv", "kv/in", "path is already in use at kv/"),
        ("kv", "sys/x", "this path is reserved; choose another"),
        ("kv", "auth/x", "a mount cannot be moved between secrets engines and auth methods"),
        ("auth/userpass", "x", "a mount cannot be moved between secrets engines and auth methods"),
        ("auth/userpass", "auth/token/x", "this path is reserved; choose another"),
        ("auth/token", "auth/x", "this path is reserved; choose another"),
        ("sys", "x", "this path is reserved; choose another"),
        ("kv", "", "the mount path is empty; name one, for example 'kv/'"),
        ("", "x", "the mount path is empty; name one, for example 'kv/'"),
    ],
)
def test_what_cannot_be_moved_is_said_and_stays(vault: Vault, source: str, target: str, error: str) -> None:
    vault.mount("kv")
    vault.mount("other")
    vault.post("sys/auth/userpass", {"type": "userpass"})
    before = (vault.get("sys/mounts").data, vault.get("sys/auth").data)
    assert refusal(vault.post("sys/remount", {"from": source, "to": target})) == error
    assert (vault.get("sys/mounts").data, vault.get("sys/auth").data) == before


@pytest.mark.parametrize("target", ["..", "a/../b", "a//b", "a\\b", "a\u200b", "a\0"], ids=ascii)
def test_a_move_to_a_path_that_is_not_canonical_is_refused(vault: Vault, target: str) -> None:
    vault.mount("kv")
    refusal(vault.post("sys/remount", {"from": "kv", "to": target}))


def test_an_unknown_move_is_not_there(vault: Vault) -> None:
    assert vault.get("sys/remount/status/nosuch").status == 404


def test_a_tuned_mount_shows_its_settings_as_numbers_and_resolves_what_is_the_systems(vault: Vault) -> None:
    vault.mount("kv")
    first = vault.get("sys/mounts/kv/tune").data
    assert (first["default_lease_ttl"], first["max_lease_ttl"]) == (SYSTEM_TTL, SYSTEM_TTL)
    assert vault.post("sys/mounts/kv/tune", {"default_lease_ttl": "1h0m0s", "max_lease_ttl": "24h0m0s"}).status == 204
    second = vault.get("sys/mounts/kv/tune")
    assert (second.data["default_lease_ttl"], second.data["max_lease_ttl"]) == (3600, 86400)
    assert second.body is not None
    assert second.body["max_lease_ttl"] == 86400
    assert vault.post("sys/mounts/kv/tune", {"default_lease_ttl": "", "max_lease_ttl": "0s"}).status == 204
    assert vault.get("sys/mounts/kv/tune").data == first


def test_a_ttl_of_the_mount_reaches_its_engine_at_once(vault: Vault) -> None:
    vault.mount("kv", "kv-v1")
    vault.post("kv/a", {"k": "v"})
    vault.post("sys/mounts/kv/tune", {"default_lease_ttl": "1h"})
    result = vault.get("kv/a")
    assert result.body is not None
    assert result.body["lease_duration"] == 3600


def test_the_token_method_is_tuned_in_both_spellings_and_bounds_new_tokens(vault: Vault) -> None:
    assert vault.post("sys/auth/token/tune", {"default_lease_ttl": "1h"}).status == 204
    assert vault.post("sys/mounts/auth/token/tune", {"max_lease_ttl": "2h"}).status == 204
    assert vault.get("sys/mounts/auth/token/tune").data == vault.get("sys/auth/token/tune").data
    auth = vault.post("auth/token/create", {"policies": "default"}).auth
    assert auth["lease_duration"] == 3600
    auth = vault.post("auth/token/create", {"policies": "default", "ttl": "5h"}).auth
    assert auth["lease_duration"] == 7200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("mounts/kv", {"default_lease_ttl": "-1"}),
        ("mounts/kv", {"max_lease_ttl": "x"}),
        ("mounts/kv", {"default_lease_ttl": "10h", "max_lease_ttl": "5h"}),
        ("mounts/kv", {"listing_visibility": "everywhere"}),
        ("mounts/kv", {"token_type": "batch"}),
        ("auth/token", {"token_type": "batch"}),
        ("auth/userpass", {"token_type": "bogus"}),
        ("mounts/kv", {"options": {"version": "3"}}),
        ("mounts/kv", {"options": "x"}),
        ("mounts/nosuch", {"description": "x"}),
        ("auth/nosuch", {"description": "x"}),
    ],
    ids=str,
)
def test_what_cannot_be_tuned_is_refused_and_stays_as_it_is(vault: Vault, path: str, body: dict[str, Any]) -> None:
    vault.mount("kv")
    vault.post("sys/auth/userpass", {"type": "userpass"})
    before = (vault.get("sys/mounts").data, vault.get("sys/auth").data)
    refusal(vault.post(f"sys/{path}/tune", body))
    assert (vault.get("sys/mounts").data, vault.get("sys/auth").data) == before


def test_a_lockout_that_is_set_but_not_in_force_is_pointed_out(vault: Vault) -> None:
    lockout = {"user_lockout_config": {"lockout_threshold": "3"}}
    enabled = vault.post("sys/auth/people", {"type": "userpass", "config": lockout})
    tuned = vault.post("sys/auth/people/tune", lockout)
    for answer in (enabled, tuned):
        assert answer.body is not None
        assert "user_lockout_config has no effect" in answer.body["warnings"][0]


def test_a_tuned_kind_of_token_is_what_the_method_makes_from_then_on(vault: Vault) -> None:
    vault.post("sys/auth/userpass", {"type": "userpass"})
    assert vault.get("sys/auth/userpass/tune").data["token_type"] == "default-service"
    assert vault.post("sys/auth/userpass/tune", {"token_type": "batch"}).status == 204
    assert vault.get("sys/auth/userpass").data["config"]["token_type"] == "batch"
    assert vault.get("auth/token/lookup-self", token=login(vault)).data["type"] == "batch"


def test_upgrading_kv_keeps_every_secret_and_says_so_with_200(vault: Vault) -> None:
    vault.mount("kv", "kv-v1")
    for name in ("a", "b/c", "b/d"):
        vault.post(f"kv/{name}", {"value": f"hunter2 {name}", "big": 10**30})
    result = vault.post("sys/mounts/kv/tune", {"options": {"version": "2"}})
    assert result.status == 200
    assert result.body is not None
    assert result.body["data"] is None
    assert len(result.body["warnings"]) == 1
    assert vault.get("sys/mounts/kv").data["options"] == {"version": "2"}
    assert vault.get("kv/data/b/c").data["data"] == {"value": "hunter2 b/c", "big": 10**30}
    assert vault.list("kv/metadata/b").data["keys"] == ["c", "d"]
    assert refusal(vault.post("sys/mounts/kv/tune", {"options": {"version": "1"}})).startswith("cannot downgrade")
    assert vault.post("sys/mounts/kv/tune", {"options": {"version": "2"}}).status == 204


@pytest.mark.parametrize(
    ("visibility", "is_shown"), [("", False), ("hidden", False), ("unauth", True)], ids=["unset", "hidden", "unauth"]
)
def test_a_mount_is_shown_to_strangers_where_its_visibility_says_so(
    vault: Vault, visibility: str, *, is_shown: bool
) -> None:
    vault.mount("kv", description="d", config={"listing_visibility": visibility})
    vault.post("sys/auth/userpass", {"type": "userpass", "config": {"listing_visibility": visibility}})
    data = vault.get("sys/internal/ui/mounts", token=None).data
    if is_shown:
        assert data["secret"] == {"kv/": {"description": "d", "options": None, "type": "kv"}}
        assert list(data["auth"]) == ["userpass/"]
    else:
        assert data == {"auth": {}, "secret": {}}
