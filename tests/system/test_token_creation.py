"""Making tokens with tokens: what a child may have is never more than its parent may give."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kit import Vault
from tests.processes import Result

CREATOR = """
path "auth/token/create" { capabilities = ["update"] }
path "auth/token/create/*" { capabilities = ["update"] }
path "auth/token/create-orphan" { capabilities = ["update"] }
"""


@pytest.fixture
def creator(vault: Vault) -> str:
    """A token that may make tokens, without sudo."""
    vault.write_policy("creator", CREATOR)
    return vault.token_for("creator")


@pytest.fixture
def sudo(vault: Vault) -> str:
    """A token that may make tokens, with sudo."""
    vault.write_policy("sudo", 'path "auth/token/create" { capabilities = ["update", "sudo"] }')
    return vault.token_for("sudo")


def create(vault: Vault, token: str, path: str = "create", **body: Any) -> Result:
    return vault.post(f"auth/token/{path}", body, token=token)


def refusal(result: Result) -> str:
    assert result.status == 400, result
    return result.errors[0]


def test_a_child_has_its_parents_policies_unless_it_asks_for_fewer(vault: Vault, creator: str) -> None:
    assert create(vault, creator).auth["policies"] == ["creator", "default"]
    assert create(vault, creator, policies=["default"]).auth["policies"] == ["default"]
    assert create(vault, creator, policies="creator").auth["policies"] == ["creator", "default"]
    assert create(vault, creator, policies="").auth["policies"] == ["creator", "default"]


def test_whoever_has_no_default_gives_it_to_no_child_without_sudo(vault: Vault) -> None:
    vault.write_policy("creator", CREATOR)
    bare = vault.token_for("creator", no_default_policy=True)
    wishes: tuple[dict[str, Any], ...] = ({}, {"policies": ["creator"]}, {"policies": [""]})
    for wish in wishes:
        assert "default" not in create(vault, bare, **wish).auth["policies"]
        assert "default" not in create(vault, bare, "create-orphan", **wish).auth["policies"]
    assert refusal(create(vault, bare, policies=["creator", "default"])) == "child policies must be subset of parent"
    vault.write_policy("sudo", 'path "auth/token/create" { capabilities = ["update", "sudo"] }')
    chief = vault.token_for("sudo", no_default_policy=True)
    assert create(vault, chief, policies=["sudo"]).auth["policies"] == ["default", "sudo"]
    assert create(vault, chief).auth["policies"] == ["sudo"]


@pytest.mark.parametrize("names", [[""], [" "], ["", " "], " ", ","], ids=repr)
def test_a_list_without_a_name_asks_for_no_policy_and_not_for_the_parents(vault: Vault, names: Any) -> None:
    made = create(vault, vault.root, policies=names).auth
    assert (made["policies"], made["renewable"]) == (["default"], True)
    assert create(vault, vault.root, policies=names, no_default_policy=True).auth["policies"] == []
    assert vault.post("auth/token/roles/one", {"allowed_policies": ["one"]}).status == 204
    assert create(vault, vault.root, "create/one", policies=names).auth["policies"] == ["default"]


def test_no_child_gets_a_policy_that_its_parent_lacks(vault: Vault, creator: str) -> None:
    assert refusal(create(vault, creator, policies=["other"])) == "child policies must be subset of parent"
    assert refusal(create(vault, creator, policies=["creator", "other"])) == "child policies must be subset of parent"


def test_with_sudo_any_policy_but_root_can_be_given(vault: Vault, sudo: str) -> None:
    assert create(vault, sudo, policies=["other"]).auth["policies"] == ["default", "other"]
    assert create(vault, sudo, policies=["root"]).status == 400


ROOT_SPELLINGS = [
    "root",
    "ROOT",
    "Root",
    " root",
    "root ",
    "\troot",
    "root\n",
    "ｒｏｏｔ",
    "ROOＴ",
    "ro\u200bot",
    "root\u200b",
    "r\u0301oot",
    "ʀoot",
    "root\0",
    "./root",
    "root/",
]


@pytest.mark.parametrize("name", ROOT_SPELLINGS, ids=ascii)
def test_root_is_given_by_nobody_but_root_in_no_spelling_and_by_no_field(vault: Vault, name: str) -> None:
    vault.write_policy("all", 'path "*" { capabilities = ["create", "update", "read", "list", "delete", "sudo"] }')
    strong = vault.token_for("all")
    vault.post("sys/auth/userpass", {"type": "userpass"})
    vault.post("sys/auth/approle", {"type": "approle"})
    user: dict[str, Any] = {"password": "correct horse"}
    role: dict[str, Any] = {"bind_secret_id": False, "secret_id_bound_cidrs": "127.0.0.1"}
    fields: list[tuple[str, str, dict[str, Any]]] = [
        ("auth/token/create", "policies", {}),
        ("auth/token/create-orphan", "policies", {}),
        ("auth/token/roles/r", "allowed_policies", {}),
        ("auth/userpass/users/u", "token_policies", user),
        ("auth/userpass/users/u", "policies", user),
        ("auth/approle/role/r", "token_policies", role),
        ("auth/approle/role/r", "policies", role),
    ]
    for path, field, rest in fields:
        for value in ([name], ["default", name], f"default,{name}"):
            result = vault.post(path, {field: value, **rest}, token=strong)
            assert result.status in (400, 204), (path, result)
            assert result.status == 400 or name not in ROOT_SPELLINGS[:9], (path, result)
    vault.post("auth/userpass/login/u", {"password": "correct horse"}, token=None)
    for entry in vault.list("auth/token/accessors").data["keys"]:
        data = vault.post("auth/token/lookup-accessor", {"accessor": entry}).data
        assert data["policies"] != ["root"] or data["path"] == "auth/token/root"


@pytest.mark.parametrize("name", ["root", "ROOT", " root ", "ｒｏｏｔ"], ids=ascii)
@pytest.mark.parametrize("field", ["allowed_policies", "allowed_policies_glob"])
def test_no_role_opens_a_way_to_root(vault: Vault, creator: str, field: str, name: str) -> None:
    for value in (name, "*", "r*", "ROO*"):
        vault.post("auth/token/roles/way", {field: value})
        for token in (creator, vault.root):
            result = create(vault, token, "create/way", policies=[name])
            assert result.status == 400, (value, result)


def test_root_makes_root_and_nothing_beside_it(vault: Vault) -> None:
    made = create(vault, vault.root, policies=["root", "other"])
    assert made.auth["policies"] == ["root"]
    assert len(made.auth["client_token"]) == 28
    assert (made.auth["lease_duration"], made.auth["renewable"]) == (0, False)
    assert create(vault, vault.root).auth["policies"] == ["root"]


def test_a_root_token_with_a_ttl_expires(vault: Vault) -> None:
    made = create(vault, vault.root, policies=["root"], ttl="1h")
    assert made.auth["lease_duration"] == 3600
    vault.clock.jump(3600)
    assert vault.get("auth/token/lookup-self", token=made.auth["client_token"]).status == 403


def test_default_can_be_left_out(vault: Vault, creator: str) -> None:
    assert create(vault, creator, no_default_policy=True).auth["policies"] == ["creator"]
    made = create(vault, vault.root, policies=["a", "default"], no_default_policy=True)
    assert made.auth["policies"] == ["a"]


@pytest.mark.parametrize(
    ("body", "what"),
    [({"id": "chosen"}, "token id"), ({"no_parent": True}, "orphan token"), ({"period": "1h"}, "periodic token")],
    ids=str,
)
def test_some_wishes_need_sudo_with_and_without_a_role(
    vault: Vault, creator: str, sudo: str, body: dict[str, Any], what: str
) -> None:
    assert what in refusal(create(vault, creator, **body))
    assert create(vault, sudo, **body).status == 200
    vault.post("auth/token/roles/r", {"allowed_policies": "creator"})
    with_role = create(vault, creator, "create/r", **body)
    if "no_parent" in body:
        assert with_role.auth["orphan"] is False, "the role alone says whether its tokens are orphans"
    else:
        assert what in refusal(with_role)
    in_body = create(vault, creator, role_name="r", **body)
    assert in_body.status == with_role.status


def test_who_may_make_orphans_at_their_own_path_needs_no_sudo(vault: Vault, creator: str) -> None:
    made = create(vault, creator, "create-orphan")
    assert made.auth["orphan"] is True
    vault.post("auth/token/revoke", {"token": creator})
    assert vault.get("auth/token/lookup-self", token=made.auth["client_token"]).status == 200


def test_a_token_shows_at_which_path_it_was_made(vault: Vault) -> None:
    paths = [
        vault.get("auth/token/lookup-self", token=create(vault, vault.root, path).auth["client_token"]).data["path"]
        for path in ("create", "create-orphan")
    ]
    assert paths == ["auth/token/create", "auth/token/create-orphan"]


@pytest.mark.parametrize("chosen", ["a.b", "s.abc", "srs.abc", "a b", "a/b", "é", "", "x" * 129, "a\n"], ids=ascii)
def test_a_chosen_token_has_a_plain_form(vault: Vault, chosen: str) -> None:
    result = create(vault, vault.root, id=chosen)
    if chosen == "":
        assert result.status == 200
    else:
        assert "letters, digits" in refusal(result)


def test_a_token_that_is_there_cannot_be_chosen_again(vault: Vault) -> None:
    assert create(vault, vault.root, id="mine").auth["client_token"] == "mine"
    assert "duplicate" in refusal(create(vault, vault.root, id="mine", policies=["default"]))
    assert vault.get("auth/token/lookup-self", token="mine").data["policies"] == ["root"]


def test_a_use_limited_token_makes_no_children(vault: Vault) -> None:
    vault.write_policy("creator", CREATOR)
    token = vault.token_for("creator", num_uses=5)
    assert refusal(create(vault, token)) == "restricted use token cannot generate child tokens"


def test_a_batch_token_makes_no_children(vault: Vault) -> None:
    vault.write_policy("creator", CREATOR)
    assert "batch tokens cannot" in refusal(create(vault, vault.token_for("creator", type="batch")))


@pytest.mark.parametrize(
    "body",
    [
        {"period": "1h"},
        {"num_uses": 1},
        {"explicit_max_ttl": "1h"},
        {"id": "x"},
        {"policies": ["root"]},
        {"policies": []},
    ],
    ids=str,
)
def test_a_batch_token_has_nothing_that_needs_a_store_and_is_never_root(vault: Vault, body: dict[str, Any]) -> None:
    refusal(create(vault, vault.root, **{"type": "batch", "policies": ["default"], **body}))


def test_a_role_for_batch_tokens_does_not_hand_out_a_batch_root_token(vault: Vault) -> None:
    vault.post("auth/token/roles/b", {"token_type": "batch", "orphan": True})
    assert "root" in refusal(create(vault, vault.root, "create/b"))


def test_a_batch_token_has_no_accessor_is_not_renewable_and_leaves_no_trace(vault: Vault) -> None:
    accessors = vault.list("auth/token/accessors").data
    made = create(vault, vault.root, type="batch", policies=["default"], ttl="1h")
    assert (made.auth["accessor"], made.auth["renewable"], made.auth["token_type"]) == ("", False, "batch")
    assert vault.list("auth/token/accessors").data == accessors
    data = vault.get("auth/token/lookup-self", token=made.auth["client_token"]).data
    assert (data["type"], data["ttl"], data["accessor"]) == ("batch", 3600, "")


@pytest.mark.parametrize(
    ("body", "ttl", "warned"),
    [
        ({}, 768 * 3600, False),
        ({"ttl": "0s"}, 768 * 3600, False),
        ({"ttl": ""}, 768 * 3600, False),
        ({"ttl": "1h0m0s"}, 3600, False),
        ({"lease": "1h"}, 3600, False),
        ({"ttl": 60, "lease": "1h"}, 60, False),
        ({"ttl": "10000h"}, 768 * 3600, True),
        ({"ttl": "1h", "explicit_max_ttl": "30m"}, 1800, True),
        ({"explicit_max_ttl": "30m"}, 1800, True),
        ({"explicit_max_ttl": "0s", "ttl": "1h"}, 3600, False),
        ({"period": "1h", "ttl": "2h"}, 3600, False),
        ({"period": "10000h"}, 768 * 3600, True),
        ({"period": "1h", "explicit_max_ttl": "30m"}, 1800, True),
    ],
    ids=str,
)
def test_the_lifetime_is_the_wish_within_the_maxima_and_what_is_cut_is_said(
    vault: Vault, body: dict[str, Any], ttl: int, *, warned: bool
) -> None:
    result = create(vault, vault.root, policies=["default"], **body)
    assert result.auth["lease_duration"] == ttl
    assert result.body is not None
    assert bool(result.body["warnings"]) is warned
    token = result.auth["client_token"]
    vault.clock.jump(ttl - 1)
    assert vault.get("auth/token/lookup-self", token=token).data["ttl"] == 1
    vault.clock.jump(1)
    assert vault.get("auth/token/lookup-self", token=token).status == 403


@pytest.mark.parametrize("field", ["ttl", "lease", "explicit_max_ttl", "period"])
@pytest.mark.parametrize("value", ["-1h", -1, "x", "1e18", 10**30, [], {}, True], ids=str)
def test_what_is_no_duration_makes_no_token(vault: Vault, field: str, value: Any) -> None:
    before = vault.list("auth/token/accessors").data
    refusal(create(vault, vault.root, policies=["default"], **{field: value}))
    assert vault.list("auth/token/accessors").data == before


def test_a_negative_number_of_uses_is_refused(vault: Vault) -> None:
    assert refusal(create(vault, vault.root, num_uses=-1)) == "number of uses cannot be negative"


def test_an_unknown_kind_of_token_is_refused(vault: Vault) -> None:
    assert refusal(create(vault, vault.root, type="bogus")).startswith("invalid 'token_type' value")
    assert create(vault, vault.root, type="default").auth["token_type"] == "service"


def test_every_use_counts_also_the_denied_and_the_last_drops_the_cubbyhole(vault: Vault) -> None:
    token = vault.token_for("default", num_uses=4)
    assert vault.post("cubbyhole/mine", {"value": "hunter2"}, token=token).status == 204
    assert vault.get("kv/nothing", token=token).status == 403
    assert vault.get("sys/nosuch", token=token).status == 403
    assert vault.get("cubbyhole/mine", token=token).data == {"value": "hunter2"}
    assert vault.get("cubbyhole/mine", token=token).status == 403
    with vault.store.snapshot() as snapshot:
        cubbyhole = vault.get("sys/mounts").data["cubbyhole/"]["uuid"]
        assert [key for key in snapshot.keys("") if f"logical/{cubbyhole}/" in key] == []


def test_a_child_is_bound_to_its_parents_networks(vault: Vault) -> None:
    """SECURITY row 53."""
    vault.write_policy("creator", CREATOR)
    vault.post("auth/token/roles/bound", {"token_bound_cidrs": "127.0.0.2/32", "allowed_policies": "creator"})
    parent = create(vault, vault.root, "create/bound").auth["client_token"]
    here: dict[str, Any] = {"address": "127.0.0.2"}
    assert vault.get("auth/token/lookup-self", token=parent).status == 403
    child = vault.post("auth/token/create", {}, token=parent, **here).auth["client_token"]
    batch = vault.post("auth/token/create", {"type": "batch"}, token=parent, **here).auth["client_token"]
    for token in (parent, child, batch):
        assert vault.get("auth/token/lookup-self", token=token, **here).status == 200
        denied = vault.get("auth/token/lookup-self", token=token, address="127.0.0.1")
        assert (denied.status, denied.errors) == (403, ["permission denied"])


def test_display_names_are_made_plain(vault: Vault) -> None:
    token = create(vault, vault.root, display_name="a b/ç\u202e!").auth["client_token"]
    assert vault.get("auth/token/lookup-self", token=token).data["display_name"] == "token-a-b"


def test_an_entity_alias_is_refused_while_there_are_no_entities(vault: Vault) -> None:
    assert "entity" in refusal(create(vault, vault.root, entity_alias="x"))


def test_a_policy_that_nobody_wrote_is_warned_of_and_given_all_the_same(vault: Vault) -> None:
    vault.write_policy("written", 'path "a" { capabilities = ["read"] }')
    result = vault.post("auth/token/create", {"policies": ["written", "later"]})
    assert result.status == 200
    assert (result.body or {})["warnings"] == ['Policy "later" does not exist']
    assert result.auth["policies"] == ["default", "later", "written"]
    assert not (vault.post("auth/token/create", {"policies": ["written"]}).body or {})["warnings"]
    assert not (vault.post("auth/token/create", {}).body or {})["warnings"], "root is no policy that is written"
    wrapped = vault.post("auth/token/create", {"policies": ["later"]}, wrap_ttl="60")
    assert wrapped.status == 200
