"""SECURITY A1: paths, ACLs and templating."""

from __future__ import annotations

import pytest
from tests.anomalies.scene import expect, second_process, vault_with_approle, vault_with_kv
from tests.kit import Vault

from strongroom.policy.document import parse_policy
from strongroom.policy.store import PolicyStore
from strongroom.policy.templating import AliasView, IdentityView, render


@pytest.mark.parametrize(
    "way",
    [
        "secret/data/team/../../metadata/other",
        "secret/data/team/%2e%2e/%2e%2e/metadata/other",
        "secret/data/team/%2E%2e/%2e%2E/metadata/other",
        "secret/data/team/.%2e/..%2fmetadata/other",
        "secret/data/team/./x",
        "secret/data/team/..",
        "secret/data/team/x/..",
        "secret/data/team//x",
    ],
)
def test_row_001_cve_2026_3605_dot_segments_never_leave_the_granted_folder(way: str) -> None:
    vault = vault_with_kv()
    expect(vault.post("secret/data/other", {"data": {"a": "1"}}))
    vault.write_policy("team", 'path "secret/data/team/*" { capabilities = ["create", "update", "delete"] }')
    token = vault.token_for("team")
    assert vault.delete(way, token=token).status == 400
    assert vault.post(way, {"data": {"a": "2"}}, token=token).status == 400
    assert vault.get("secret/data/other").data["data"] == {"a": "1"}
    assert vault.get("secret/metadata/other").status == 200


@pytest.mark.parametrize("dots", ["%252e%252e", "%252E%252e", ".%252e", "%252e"])
def test_row_001_dots_that_are_encoded_twice_are_refused_too(dots: str) -> None:
    vault = vault_with_kv()
    expect(vault.post("secret/data/other", {"data": {"a": "1"}}))
    vault.write_policy("team", 'path "secret/data/team/*" { capabilities = ["create", "update", "delete"] }')
    twice = f"secret/data/team/{dots}/{dots}/metadata/other"
    token = vault.token_for("team")
    assert vault.post(twice, {"data": {"a": "2"}}, token=token).status == 400
    assert vault.delete(twice, token=token).status == 400
    assert vault.get("secret/data/other").data["data"] == {"a": "1"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("foo/metadata", 200),
        ("foo/metadata/test", 200),
        ("foo/metadata/private", 403),
        ("foo/metadata/private/internal", 403),
        ("foo/metadata/private/granted", 200),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("method", ["LIST", "GET"])
def test_row_002_cve_2026_12624_a_narrower_deny_beats_a_wider_list(
    path: str, status: int, slash: str, method: str
) -> None:
    vault = Vault()
    vault.mount("foo", "kv", options={"version": "2"})
    for name in ("test/a", "private/internal/a", "private/granted/a"):
        expect(vault.post(f"foo/data/{name}", {"data": {}}))
    vault.write_policy(
        "lists",
        'path "foo/metadata/*" { capabilities = ["list"] }\n'
        'path "foo/metadata/private/*" { capabilities = ["deny"] }\n'
        'path "foo/metadata/private/granted/*" { capabilities = ["list"] }\n'
        'path "foo/metadata" { capabilities = ["list"] }\n',
    )
    query = "?list=true" if method == "GET" else ""
    assert vault.call(method, f"{path}{slash}{query}", token=vault.token_for("lists")).status == status


@pytest.mark.parametrize("scope", ["a/b", "+", "*", "a*", "..", ".", "", "a,b", "a\n"])
def test_row_004_cve_2026_5006_a_value_never_becomes_syntax_of_a_path(scope: str) -> None:
    text = 'path "secret/data/{{identity.entity.aliases.m1.metadata.scope}}/*" { capabilities = ["read"] }'
    identity = IdentityView(id="e", aliases={"m1": AliasView(metadata={"scope": scope})})
    rendered = render(parse_policy(text), identity)
    assert all(not rule.capabilities for rule in rendered.rules)

    vault, role_id = vault_with_approle(token_policies=["scoped"])
    vault.mount("secret", "kv", options={"version": "2"})
    expect(vault.post("secret/data/foreign/x", {"data": {"a": "1"}}))
    accessor = vault.get("sys/auth").data["approle/"]["accessor"]
    vault.write_policy("scoped", text.replace("m1", accessor))
    made = vault.post("auth/approle/role/app/secret-id", {"metadata": f'{{"scope": {scope!r}}}'.replace("'", '"')})
    if made.status != 200:
        assert made.status == 400
        return
    shown = {"role_id": role_id, "secret_id": made.data["secret_id"]}
    login = vault.post("auth/approle/login", shown, token=None)
    assert vault.get("secret/data/foreign/x", token=login.auth["client_token"]).status == 403


def test_row_005_ghsa_hr5j_3j78_4vh2_a_deny_that_cannot_be_rendered_takes_the_allow_with_it() -> None:
    text = (
        'path "kv/*" { capabilities = ["read"] }\n'
        'path "kv/{{identity.entity.metadata.dept}}/*" { capabilities = ["deny"] }\n'
    )
    rendered = render(parse_policy(text), IdentityView(id="e", metadata={"dept": "a+b"}))
    assert all(not rule.capabilities or rule.denies for rule in rendered.rules)

    vault = vault_with_kv()
    for path in ("kv/open", "kv/dept/x"):
        expect(vault.post(path, {"a": "1"}))
    vault.write_policy("departments", text)
    token = vault.token_for("departments")
    assert [vault.get(path, token=token).status for path in ("kv/open", "kv/dept/x")] == [403, 403]


@pytest.mark.parametrize("name", ["../b/admin", "b/../admin", "a,admin", "admin\0", "a" * 300, "b%2fadmin"])
def test_row_008_ghsa_mjch_vcw3_hhmf_no_policy_name_reaches_another_policy(name: str) -> None:
    vault = vault_with_kv()
    expect(vault.post("kv/x", {"a": "1"}))
    vault.write_policy("admin", 'path "kv/*" { capabilities = ["read"] }')
    assert vault.get("kv/x", token=vault.token_for("admin")).status == 200  # the cache is warm
    made = vault.post("auth/token/create", {"policies": [name]})
    assert made.status == 400 or vault.get("kv/x", token=made.auth["client_token"]).status == 403
    written = vault.post(f"sys/policies/acl/{name}", {"policy": 'path "kv/*" { capabilities = ["delete"] }'})
    assert written.status == 400 or name == "b%2fadmin"
    assert vault.delete("kv/x", token=vault.token_for("admin")).status == 403


def test_row_008_the_key_of_the_policy_cache_keeps_names_apart() -> None:
    vault = vault_with_kv()
    expect(vault.post("kv/x", {"a": "1"}))
    vault.write_policy("a", 'path "kv/x" { capabilities = ["read"] }')
    vault.write_policy("a-b", 'path "kv/x" { capabilities = ["delete"] }')
    vault.write_policy("b", 'path "kv/y" { capabilities = ["read"] }')
    both, joined = vault.token_for("a", "b", no_default_policy=True), vault.token_for("a-b", no_default_policy=True)
    assert vault.get("kv/x", token=both).status == 200
    assert vault.get("kv/x", token=joined).status == 403
    assert isinstance(vault.node.require().policies, PolicyStore)


def test_row_010_cve_2020_25594_a_stranger_cannot_tell_which_mounts_exist() -> None:
    vault = vault_with_kv()
    expect(vault.post("kv/x", {"a": "1"}))
    for method, token in (("GET", None), ("POST", None), ("LIST", None), ("DELETE", None), ("GET", "s.unknown")):
        answers = [
            vault.call(method, path, {} if method == "POST" else None, token=token)
            for path in ("kv/x", "kv/none", "nosuch/x", "secret/data/x", "secret/nosuch", "auth/nosuch/x")
        ]
        assert {answer.status for answer in answers} == {403}
        assert len({(answer.raw, tuple(answer.headers.items())) for answer in answers}) == 1


@pytest.mark.parametrize("query", ["", "limit=0", "limit=-1", "limit=9000000000", "limit=010", "limit=1&limit=999"])
def test_row_011_no_limit_escapes_the_pagination_limit(query: str) -> None:
    vault = vault_with_kv()
    for number in range(20):
        expect(vault.post(f"kv/{number:02}", {"a": "1"}))
    vault.write_policy("pages", 'path "kv/" { capabilities = ["list"]\n pagination_limit = 10 }')
    listed = vault.list(f"kv/?{query}", token=vault.token_for("pages"))
    assert listed.status in {400, 403} or len(listed.data["keys"]) <= 10


def test_row_061_cve_2019_11075_no_other_process_serves_what_was_taken_away() -> None:
    vault = vault_with_kv()
    expect(vault.post("kv/x", {"a": "1"}))
    vault.write_policy("reads", 'path "kv/*" { capabilities = ["read"] }')
    token = vault.token_for("reads")
    other = second_process(vault)
    assert other.get("kv/x", token=token).status == 200
    vault.delete("kv/x")
    assert other.get("kv/x", token=token).status == 404
    vault.delete("sys/policies/acl/reads")
    assert other.get("kv/x", token=token).status == 403
    vault.delete("sys/mounts/kv")
    assert other.get("kv/x").status == 404
    vault.post("auth/token/revoke", {"token": token})
    assert other.get("auth/token/lookup-self", token=token).status == 403
