from __future__ import annotations

import base64

import pytest
from tests.kit import Vault

TEXT = 'path "kv/*" { capabilities = ["read"] }'


def test_a_policy_reads_back_in_both_spellings_as_it_was_written(vault: Vault) -> None:
    assert vault.post("sys/policies/acl/p", {"policy": TEXT}).status == 204
    assert vault.get("sys/policies/acl/p").data.items() >= {"name": "p", "policy": TEXT}.items()
    legacy = vault.get("sys/policy/p")
    assert legacy.data.items() >= {"name": "p", "rules": TEXT}.items()
    assert legacy.body is not None
    assert legacy.body["rules"] == TEXT


@pytest.mark.parametrize("path", ["policies/acl", "policy"])
@pytest.mark.parametrize("field", ["policy", "rules"])
@pytest.mark.parametrize(
    "text",
    [TEXT, base64.b64encode(TEXT.encode()).decode(), '{"path": {"kv/*": {"capabilities": ["read"]}}}'],
    ids=["plain", "base64", "json"],
)
def test_a_policy_is_taken_in_every_form_that_clients_send(vault: Vault, path: str, field: str, text: str) -> None:
    assert vault.post(f"sys/{path}/p", {field: text}).status == 204
    vault.mount("kv")
    vault.post("kv/a", {"k": "v"})
    token = vault.token_for("p")
    assert vault.get("kv/a", token=token).status == 200
    assert vault.post("kv/a", {"k": "w"}, token=token).status == 403


def test_policies_are_listed_in_both_spellings_with_root_among_them(vault: Vault) -> None:
    vault.write_policy("p", TEXT)
    names = ["default", "p", "root"]
    assert vault.list("sys/policies/acl").data == {"keys": names}
    for result in (vault.get("sys/policy"), vault.list("sys/policy")):
        assert result.data == {"keys": names, "policies": names}
        assert result.body is not None
        assert result.body["policies"] == names


def test_a_name_has_one_spelling_whatever_the_client_writes(vault: Vault) -> None:
    vault.write_policy("MixedCase", TEXT)
    assert vault.get("sys/policies/acl/mixedCASE").data["name"] == "mixedcase"
    assert vault.list("sys/policies/acl").data["keys"] == ["default", "mixedcase", "root"]
    assert vault.delete("sys/policies/acl/MIXEDCASE").status == 204
    assert vault.get("sys/policies/acl/mixedcase").status == 404


@pytest.mark.parametrize("path", ["sys/policies/acl", "sys/policy"])
def test_a_name_may_have_folders(vault: Vault, path: str) -> None:
    name = "team/payments/Read"
    assert vault.post(f"{path}/{name}", {"policy": TEXT}).status == 204
    assert vault.get(f"{path}/TEAM/payments/read").data["name"] == name.lower()
    assert vault.list(path).data["keys"] == ["default", name.lower(), "root"]
    token = vault.token_for(name.lower())
    assert vault.get("auth/token/lookup-self", token=token).data["policies"] == ["default", name.lower()]
    assert vault.post(f"{path}/team//read", {"policy": TEXT}).status == 400
    vault.write_policy("writer", f'path "{path}/team/*" {{ capabilities = ["delete"] }}')
    assert vault.delete(f"{path}/other/read", token=vault.token_for("writer")).status == 403
    assert vault.delete(f"{path}/{name}", token=vault.token_for("writer")).status == 204
    assert vault.get(f"{path}/{name}").status == 404


def test_a_rule_on_a_policys_name_holds_for_every_spelling_of_it(vault: Vault) -> None:
    """SECURITY INV-2."""
    vault.write_policy("guarded", TEXT)
    vault.write_policy(
        "writer",
        'path "sys/policies/acl/*" { capabilities = ["update", "delete"] }\n'
        'path "sys/policies/acl/guarded" { capabilities = ["deny"] }',
    )
    token = vault.token_for("writer")
    assert vault.post("sys/policies/acl/free", {"policy": TEXT}, token=token).status == 204
    for spelling in ("guarded", "Guarded", "GUARDED", " guarded", "guarded ", "ｇuarded", "guarded\u200b", "%67uarded"):
        written = vault.post(f"sys/policies/acl/{spelling}", {"policy": 'path "x" {}'}, token=token)
        assert written.status in (400, 403), (spelling, written)
        vault.delete(f"sys/policies/acl/{spelling}", token=token)
        assert vault.get("sys/policies/acl/guarded").data["policy"] == TEXT, spelling


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "'policy' parameter not supplied or empty"),
        ("   ", "'policy' parameter not supplied or empty"),
        ('path "a" { capabilities = ["reed"] }', "line 1, column 28"),
        ('path "a" {\n  capabilities = ["read"\n}', "line 3"),
        ('pth "a" {}', "line 1"),
        ("{", "line 1"),
        ('path "a" { unknown = 1 }', "line 1"),
    ],
    ids=ascii,
)
def test_what_is_no_policy_is_refused_with_its_place_and_the_old_one_stays(vault: Vault, text: str, error: str) -> None:
    vault.write_policy("p", TEXT)
    result = vault.post("sys/policies/acl/p", {"policy": text})
    assert result.status == 400
    assert error in result.errors[0]
    assert vault.get("sys/policies/acl/p").data["policy"] == TEXT


@pytest.mark.parametrize("name", ["root", "ROOT", "response-wrapping", "Response-Wrapping"])
def test_the_servers_own_policies_can_be_neither_written_nor_deleted(vault: Vault, name: str) -> None:
    for path in ("policies/acl", "policy"):
        assert vault.post(f"sys/{path}/{name}", {"policy": TEXT}).status == 400
        assert vault.delete(f"sys/{path}/{name}").status == 400
    assert vault.get("sys/policies/acl/root").data["policy"] == ""


def test_the_default_policy_can_be_changed_but_not_deleted(vault: Vault) -> None:
    assert vault.delete("sys/policies/acl/default").errors == ["cannot delete default policy"]
    token = vault.token_for("default")
    assert vault.get("auth/token/lookup-self", token=token).status == 200
    vault.write_policy("default", TEXT)
    assert vault.get("auth/token/lookup-self", token=token).status == 403


def test_what_is_not_there_is_deleted_already_and_cannot_be_read(vault: Vault) -> None:
    assert vault.delete("sys/policies/acl/nosuch").status == 204
    assert (vault.get("sys/policies/acl/nosuch").status, vault.get("sys/policy/nosuch").status) == (404, 404)


def test_a_changed_policy_holds_for_the_very_next_request(vault: Vault) -> None:
    vault.mount("kv")
    vault.post("kv/a", {"k": "v"})
    vault.write_policy("p", TEXT)
    token = vault.token_for("p")
    for _ in range(3):
        assert vault.get("kv/a", token=token).status == 200
        vault.write_policy("p", 'path "kv/*" { capabilities = ["deny"] }')
        assert vault.get("kv/a", token=token).status == 403
        vault.write_policy("p", TEXT)
    vault.delete("sys/policies/acl/p")
    assert vault.get("kv/a", token=token).status == 403


@pytest.mark.parametrize(
    "rule",
    ['denied_parameters = { "version" = [] }', 'allowed_parameters = { "version" = ["2"] }'],
    ids=["denied", "allowed"],
)
def test_a_policy_can_keep_old_versions_from_being_read(vault: Vault, rule: str) -> None:
    vault.mount("secret", "kv-v2")
    for number in (1, 2):
        assert vault.post("secret/data/app", {"data": {"number": number}}).status == 200
    vault.write_policy("newest", f'path "secret/data/*" {{ capabilities = ["read"]\n{rule} }}')
    token = vault.token_for("newest")
    assert vault.get("secret/data/app", token=token).data["data"] == {"number": 2}
    assert vault.get("secret/data/app?version=1", token=token).status == 403


@pytest.mark.parametrize("name", ["a b", "ä", "x" * 129, "a*", "a+b", "..", "a,b"], ids=ascii)
def test_a_name_outside_the_alphabet_is_no_policy(vault: Vault, name: str) -> None:
    assert vault.post(f"sys/policies/acl/{name}", {"policy": TEXT}).status == 400
