from __future__ import annotations

from typing import Any

import pytest
from tests.kit import Vault
from tests.processes import Result

MEMBERS: dict[str, Any] = {
    "name": "r",
    "allowed_policies": [],
    "allowed_policies_glob": [],
    "disallowed_policies": [],
    "disallowed_policies_glob": [],
    "allowed_entity_aliases": None,
    "orphan": False,
    "period": 0,
    "token_period": 0,
    "renewable": True,
    "path_suffix": "",
    "explicit_max_ttl": 0,
    "token_explicit_max_ttl": 0,
    "token_type": "default-service",
    "token_bound_cidrs": [],
    "token_no_default_policy": False,
    "token_num_uses": 0,
}


@pytest.fixture
def creator(vault: Vault) -> str:
    """A token with the policies ``a`` and ``creator``, which may make tokens for roles."""
    vault.write_policy("creator", 'path "auth/token/create/*" { capabilities = ["update"] }')
    return vault.token_for("creator", "a")


def role(vault: Vault, **members: Any) -> None:
    result = vault.post("auth/token/roles/r", members)
    assert result.status == 204, result


def create(vault: Vault, token: str, **body: Any) -> Result:
    return vault.post("auth/token/create/r", body, token=token)


def test_a_role_reads_back_with_every_member(vault: Vault) -> None:
    role(vault)
    assert vault.get("auth/token/roles/r").data == MEMBERS


def test_both_spellings_of_a_member_are_one(vault: Vault) -> None:
    role(vault, period="1h", explicit_max_ttl="2h", bound_cidrs="10.0.0.0/8")
    data = vault.get("auth/token/roles/r").data
    assert (data["period"], data["token_period"]) == (3600, 3600)
    assert (data["explicit_max_ttl"], data["token_explicit_max_ttl"]) == (7200, 7200)
    assert data["token_bound_cidrs"] == ["10.0.0.0/8"]
    role(vault, token_period="30m", period="1h")
    assert vault.get("auth/token/roles/r").data["period"] == 1800


def test_a_write_changes_what_it_names_and_leaves_the_rest(vault: Vault) -> None:
    role(vault, allowed_policies="a,b", orphan=True)
    role(vault, orphan=False)
    data = vault.get("auth/token/roles/r").data
    assert (data["allowed_policies"], data["orphan"]) == (["a", "b"], False)


def test_roles_are_listed_and_deleted_and_their_tokens_live_on(vault: Vault) -> None:
    assert vault.list("auth/token/roles").status == 404
    role(vault)
    assert vault.list("auth/token/roles").data == {"keys": ["r"]}
    token = create(vault, vault.root, policies=["a"]).auth["client_token"]
    assert vault.delete("auth/token/roles/r").status == 204
    assert vault.delete("auth/token/roles/r").status == 204
    assert vault.get("auth/token/roles/r").status == 404
    assert vault.get("auth/token/lookup-self", token=token).status == 200
    assert create(vault, vault.root).errors == ["unknown role; list auth/token/roles to see which there are"]


def test_a_role_has_one_spelling_of_its_name_for_the_policy_and_for_the_store(vault: Vault) -> None:
    role(vault)
    vault.write_policy(
        "narrow",
        'path "auth/token/roles/*" { capabilities = ["read"] }\npath "auth/token/roles/r" { capabilities = ["deny"] }',
    )
    token = vault.token_for("narrow")
    assert vault.get("auth/token/roles/other", token=token).status == 404
    for spelling in ("r", "R", "ｒ", "r ", " r", "r\u200b"):
        assert vault.get(f"auth/token/roles/{spelling}", token=token).status in (400, 403), spelling


@pytest.mark.parametrize(
    ("members", "asked", "given"),
    [
        ({"allowed_policies": "x,y"}, None, ["default", "x", "y"]),
        ({"allowed_policies": "x,y"}, "x", ["default", "x"]),
        ({"allowed_policies": "x,y"}, "x,default", ["default", "x"]),
        ({"allowed_policies": "x,y"}, "a", None),
        ({"allowed_policies_glob": "team-*"}, None, ["default"]),
        ({"allowed_policies_glob": "team-*"}, "team-red", ["default", "team-red"]),
        ({"allowed_policies_glob": "TEAM-*"}, "Team-Red", ["default", "team-red"]),
        ({"allowed_policies_glob": "t*-*d"}, "team-red", ["default", "team-red"]),
        ({"allowed_policies_glob": "t*-*d"}, "team-blue", None),
        ({"allowed_policies_glob": "team-*"}, "steam-x", None),
        ({"allowed_policies": "x", "allowed_policies_glob": "y*"}, "x,yes", ["default", "x", "yes"]),
        ({"disallowed_policies": "a"}, None, None),
        ({"disallowed_policies": "a"}, "creator", ["creator", "default"]),
        ({"disallowed_policies": "a"}, "x", None),
        ({"disallowed_policies_glob": "de*"}, "creator", ["creator"]),
        ({"disallowed_policies_glob": "de*"}, "creator,default", None),
        ({"disallowed_policies": "default"}, "creator", ["creator"]),
        ({"allowed_policies": "x,y", "disallowed_policies": "y"}, "y", None),
        ({"allowed_policies_glob": "*", "disallowed_policies_glob": "adm*"}, "admin", None),
        ({"token_no_default_policy": True}, "a", ["a"]),
        ({"token_no_default_policy": True, "allowed_policies": "x"}, None, ["x"]),
        ({}, "x", None),
        ({}, None, ["a", "creator", "default"]),
    ],
    ids=str,
)
def test_a_role_bounds_the_policies_of_its_tokens(
    vault: Vault, creator: str, members: dict[str, Any], asked: str | None, given: list[str] | None
) -> None:
    role(vault, **members)
    result = create(vault, creator, **({} if asked is None else {"policies": asked}))
    if given is None:
        assert result.status == 400, result
    else:
        assert result.auth["policies"] == given


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "anything", True),
        ("a*b*c", "abc", True),
        ("a*b*c", "axxbxxc", True),
        ("a*b*c", "axxc", False),
        ("*a", "aa", True),
        ("a*a", "a", False),
        ("**", "x", True),
        ("a", "ab", False),
        ("a.c", "abc", False),
        ("*" * 60 + "b", "a" * 120, False),
        ("a*" * 60 + "b", "a" * 120, False),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_glob_is_pieces_from_left_to_right_and_takes_linear_time(
    vault: Vault, creator: str, pattern: str, name: str, *, matches: bool
) -> None:
    role(vault, allowed_policies_glob=[pattern])
    assert (create(vault, creator, policies=[name]).status == 200) is matches


def test_a_role_says_how_its_tokens_live(vault: Vault, creator: str) -> None:
    role(vault, token_period="1h", token_explicit_max_ttl="2h", renewable=False, orphan=True, token_num_uses=3)
    auth = create(vault, creator, ttl="10m").auth
    assert (auth["lease_duration"], auth["renewable"], auth["orphan"], auth["num_uses"]) == (3600, False, True, 3)
    data = vault.post("auth/token/lookup", {"token": auth["client_token"]}).data
    assert (data["period"], data["explicit_max_ttl"], data["role"]) == (3600, 7200, "r")


def test_of_two_limits_the_smaller_one_holds(vault: Vault, creator: str) -> None:
    role(vault, token_explicit_max_ttl="1h", token_num_uses=3)
    auth = create(vault, creator, explicit_max_ttl="2h", num_uses=5).auth
    assert (auth["lease_duration"], auth["num_uses"]) == (3600, 3)
    auth = create(vault, creator, explicit_max_ttl="30m", num_uses=1).auth
    assert (auth["lease_duration"], auth["num_uses"]) == (1800, 1)


@pytest.mark.parametrize(
    ("of_role", "asked", "given"),
    [
        ("service", "batch", "service"),
        ("batch", "service", "batch"),
        ("default-batch", "", "batch"),
        ("default-batch", "service", "service"),
        ("default-service", "batch", "batch"),
        ("default-service", "", "service"),
    ],
)
def test_a_role_may_fix_the_kind_of_token(vault: Vault, creator: str, of_role: str, asked: str, given: str) -> None:
    role(vault, token_type=of_role)
    assert create(vault, creator, type=asked).auth["token_type"] == given


@pytest.mark.parametrize(
    "members",
    [
        {"token_type": "bogus"},
        {"token_period": "-1h"},
        {"token_explicit_max_ttl": -5},
        {"token_num_uses": -1},
        {"token_type": "batch", "token_period": "1h"},
        {"token_type": "batch", "token_num_uses": 2},
        {"path_suffix": "../../x"},
        {"path_suffix": "a b"},
        {"path_suffix": "é"},
        {"path_suffix": "a//b"},
        {"token_bound_cidrs": "10.0.0.0/33"},
        {"token_bound_cidrs": "localhost"},
        {"allowed_policies": "root"},
        {"allowed_policies": "a b"},
    ],
    ids=str,
)
def test_a_role_that_makes_no_sense_is_refused_and_nothing_is_kept(vault: Vault, members: dict[str, Any]) -> None:
    assert vault.post("auth/token/roles/r", members).status == 400
    assert vault.get("auth/token/roles/r").status == 404


@pytest.mark.parametrize("name", ["a/b", "ä", "a b", "x" * 129, "a%00b", "."], ids=ascii)
def test_a_name_outside_the_alphabet_is_no_role(vault: Vault, name: str) -> None:
    assert vault.post(f"auth/token/roles/{name}", {}).status in (400, 404)
    assert vault.list("auth/token/roles").status == 404
