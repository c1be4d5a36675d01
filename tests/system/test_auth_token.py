"""Tokens looked up, renewed and revoked, as clients see it."""

from __future__ import annotations

import pytest
from tests.kit import START_NS, Vault

from strongroom.logical.instant import NANOSECONDS

START = START_NS // NANOSECONDS

LOOKUP = {
    "accessor",
    "creation_time",
    "creation_ttl",
    "display_name",
    "entity_id",
    "expire_time",
    "explicit_max_ttl",
    "id",
    "issue_time",
    "meta",
    "num_uses",
    "orphan",
    "path",
    "policies",
    "renewable",
    "ttl",
    "type",
}


def test_a_lookup_of_the_root_token_has_every_member_that_clients_need(vault: Vault) -> None:
    data = vault.get("auth/token/lookup-self").data
    assert set(data) == LOOKUP
    assert data["id"] == vault.root
    assert data["expire_time"] is None
    assert data["meta"] is None
    assert (data["ttl"], data["creation_ttl"], data["explicit_max_ttl"], data["num_uses"]) == (0, 0, 0, 0)
    assert data["creation_time"] == START
    assert (data["type"], data["path"], data["display_name"]) == ("service", "auth/token/root", "root")
    assert data["policies"] == ["root"]
    assert data["orphan"] is True


def test_a_lookup_shows_what_the_token_was_made_with(vault: Vault) -> None:
    vault.post("auth/token/roles/r", {"token_period": "1h", "token_bound_cidrs": ["127.0.0.0/8"], "path_suffix": "s"})
    made = vault.post(
        "auth/token/create/r", {"policies": ["a"], "meta": {"k": "v"}, "display_name": "n", "num_uses": 5}
    )
    data = vault.get("auth/token/lookup-self", token=made.auth["client_token"]).data
    assert set(data) == LOOKUP | {"period", "role", "bound_cidrs"}
    assert (data["period"], data["role"], data["bound_cidrs"]) == (3600, "r", ["127.0.0.0/8"])
    assert (data["ttl"], data["creation_ttl"]) == (3600, 3600)
    assert (data["meta"], data["display_name"], data["num_uses"]) == ({"k": "v"}, "token-n", 4)
    assert data["expire_time"] == "2030-03-17T18:46:40.000000000Z"
    assert data["issue_time"] == "2030-03-17T17:46:40.000000000Z"
    assert data["path"] == "auth/token/create/r/s"
    assert data["accessor"] == made.auth["accessor"]


def test_the_lookup_that_spends_the_last_use_says_so_and_is_the_last(vault: Vault) -> None:
    token = vault.token_for("default", num_uses=1)
    assert vault.get("auth/token/lookup-self", token=token).data["num_uses"] == -1
    assert vault.get("auth/token/lookup-self", token=token).status == 403


def test_a_lookup_by_token_needs_its_own_capability_and_a_lookup_of_oneself_does_not(vault: Vault) -> None:
    token, other = vault.token_for("default"), vault.token_for("default")
    assert vault.get("auth/token/lookup-self", token=token).status == 200
    assert vault.post("auth/token/lookup", {"token": other}, token=token).status == 403
    assert vault.post("auth/token/lookup-self", {}, token=token).status == 403
    assert vault.post("auth/token/lookup", {"token": other}).data["id"] == other
    assert vault.get("auth/token/lookup").data["id"] == vault.root


def test_a_lookup_by_accessor_does_not_show_the_token(vault: Vault) -> None:
    made = vault.post("auth/token/create", {"policies": ["a"]}).auth
    data = vault.post("auth/token/lookup-accessor", {"accessor": made["accessor"]}).data
    assert data["id"] == ""
    assert data["accessor"] == made["accessor"]
    assert made["client_token"] not in str(data)


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("lookup", {"token": "nosuch"}, 403, "bad token"),
        ("renew", {"token": "nosuch"}, 400, "token not found"),
        ("renew", {}, 400, "invalid lease ID"),
        ("revoke", {}, 400, "missing field 'token': name the token to revoke"),
        ("revoke-orphan", {"token": "nosuch"}, 400, "token to revoke not found"),
        ("revoke-orphan", {}, 400, "missing field 'token': name the token to revoke"),
        ("lookup-accessor", {"accessor": "nosuch"}, 400, "invalid accessor"),
        ("renew-accessor", {"accessor": "nosuch"}, 400, "invalid accessor"),
        ("lookup-accessor", {}, 400, "missing field 'accessor': name the accessor of a token"),
        ("revoke-accessor", {}, 400, "missing field 'accessor': name the accessor of a token"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said(vault: Vault, path: str, body: dict[str, str], status: int, error: str) -> None:
    result = vault.post(f"auth/token/{path}", body)
    assert (result.status, result.errors) == (status, [error])


def test_what_is_not_there_is_revoked_already(vault: Vault) -> None:
    assert vault.post("auth/token/revoke", {"token": "nosuch"}).status == 204
    by_accessor = vault.post("auth/token/revoke-accessor", {"accessor": "nosuch"})
    assert by_accessor.status == 200
    assert by_accessor.body is not None
    assert by_accessor.body["warnings"] == ["No token found with this accessor"]


def is_good(vault: Vault, token: str) -> bool:
    return vault.get("auth/token/lookup-self", token=token).status == 200


def family(vault: Vault) -> list[str]:
    """A token, its child and its grandchild."""
    vault.write_policy("parent", 'path "auth/token/create" { capabilities = ["update"] }')
    first = vault.token_for("parent")
    second = vault.post("auth/token/create", {}, token=first).auth["client_token"]
    third = vault.post("auth/token/create", {}, token=second).auth["client_token"]
    return [first, second, third]


@pytest.mark.parametrize("how", ["revoke", "revoke-accessor", "revoke-self"])
def test_a_revoked_token_takes_its_children_with_it_at_once(vault: Vault, how: str) -> None:
    tokens = family(vault)
    accessor = vault.get("auth/token/lookup-self", token=tokens[0]).data["accessor"]
    body = {"revoke": {"token": tokens[0]}, "revoke-accessor": {"accessor": accessor}, "revoke-self": {}}[how]
    assert vault.post(f"auth/token/{how}", body, token=tokens[0] if how == "revoke-self" else "root").status == 204
    assert [is_good(vault, token) for token in tokens] == [False, False, False]
    assert is_good(vault, vault.root)


def test_revoke_orphan_needs_sudo_and_leaves_the_children(vault: Vault) -> None:
    tokens = family(vault)
    vault.write_policy("weak", 'path "auth/token/revoke-orphan" { capabilities = ["update"] }')
    assert vault.post("auth/token/revoke-orphan", {"token": tokens[0]}, token=vault.token_for("weak")).status == 403
    assert vault.post("auth/token/revoke-orphan", {"token": tokens[0]}).status == 204
    assert [is_good(vault, token) for token in tokens] == [False, True, True]
    assert vault.get("auth/token/lookup-self", token=tokens[1]).data["orphan"] is True


def test_a_tree_of_two_hundred_generations_goes_at_once(vault: Vault) -> None:
    vault.write_policy("parent", 'path "auth/token/create" { capabilities = ["update"] }')
    tokens = [vault.token_for("parent")]
    for _ in range(200):
        tokens.append(vault.post("auth/token/create", {}, token=tokens[-1]).auth["client_token"])
    assert vault.post("auth/token/revoke", {"token": tokens[0]}).status == 204
    assert not any(is_good(vault, token) for token in (tokens[0], tokens[1], tokens[100], tokens[-1]))
    assert vault.list("auth/token/accessors").data["keys"] == [vault.get("auth/token/lookup-self").data["accessor"]]


def test_a_token_whose_time_is_over_is_refused_with_its_children_though_nobody_sweeps(vault: Vault) -> None:
    vault.write_policy("parent", 'path "auth/token/create" { capabilities = ["update"] }')
    parent = vault.token_for("parent", ttl="1h")
    child = vault.post("auth/token/create", {"ttl": "24h"}, token=parent).auth["client_token"]
    batch = vault.post("auth/token/create", {"ttl": "24h", "type": "batch"}, token=parent).auth["client_token"]
    vault.clock.jump(3599)
    assert [is_good(vault, token) for token in (parent, child, batch)] == [True, True, True]
    vault.clock.jump(1)
    assert [is_good(vault, token) for token in (parent, child, batch)] == [False, False, False]


def test_a_clock_that_is_set_back_revives_nothing_that_was_revoked(vault: Vault) -> None:
    token = vault.token_for("default", ttl="1h")
    vault.post("auth/token/revoke", {"token": token})
    vault.clock.jump(-10_000)
    assert not is_good(vault, token)


def test_accessors_are_listed_with_sudo_alone(vault: Vault) -> None:
    vault.write_policy("weak", 'path "auth/token/accessors*" { capabilities = ["list"] }')
    assert vault.list("auth/token/accessors", token=vault.token_for("weak")).status == 403
    vault.write_policy("strong", 'path "auth/token/accessors*" { capabilities = ["list", "sudo"] }')
    assert vault.list("auth/token/accessors", token=vault.token_for("strong")).status == 200


def test_tidying_removes_what_expired(vault: Vault) -> None:
    vault.token_for("default", ttl="1h")
    vault.clock.jump(3600)
    with vault.store.snapshot() as before:
        keys = len(before.keys(""))
    assert vault.post("auth/token/tidy").status == 204
    with vault.store.snapshot() as after:
        assert len(after.keys("")) < keys


def test_a_batch_token_cannot_be_revoked_and_says_what_to_do(vault: Vault) -> None:
    token = vault.token_for("default", type="batch")
    result = vault.post("auth/token/revoke-self", {}, token=token)
    assert result.status == 400
    assert "parent" in result.errors[0]
