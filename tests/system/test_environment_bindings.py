from __future__ import annotations

from typing import Any

import pytest
from tests.environments.world import bound, login, mounts_of, vault_with_environments, write
from tests.kit import Vault
from tests.processes import Result


@pytest.fixture
def vault() -> Vault:
    return vault_with_environments()


# Bindings


def test_a_bound_token_is_denied_elsewhere_though_its_policy_allows_it(vault: Vault) -> None:
    vault.post("prod/app", {"password": "a production value"})
    vault.post("dev/app", {"password": "a development value"})
    token = bound(vault, "dev")
    assert vault.get("dev/app", token=token).status == 200
    elsewhere = vault.get("prod/app", token=token)
    vault.write_policy("none", 'path "x" { capabilities = ["read"] }')
    nothing = vault.get("prod/app", token=vault.token_for("none"))
    assert (elsewhere.status, elsewhere.raw, elsewhere.headers) == (nothing.status, nothing.raw, nothing.headers)
    for call in (vault.post, vault.delete, vault.list):
        assert call("prod/app", token=token).status == 403
    assert vault.get("prod/app?help=1", token=token).status == 403
    assert vault.get("prod/app").data == {"password": "a production value"}


def test_a_denied_crossing_is_on_record_with_both_sides(vault: Vault) -> None:
    token = bound(vault, "dev")
    vault.device.written.clear()
    vault.get("prod/app", token=token)
    request, response = vault.device.records
    for record in (request, response):
        assert record["auth"]["environments"] == ["dev"]
        assert record["auth"]["policy_results"] == {"allowed": False}
        assert record["request"]["environment"] == "prod"
        assert "permission denied" in record["error"]


def test_a_mount_of_no_environment_is_everybodys(vault: Vault) -> None:
    vault.mount("shared")
    vault.post("shared/app", {"password": "a shared value"})
    token = bound(vault, "dev")
    assert vault.get("shared/app", token=token).status == 200
    assert vault.post("cubbyhole/x", {"k": "v"}, token=token).status == 204
    assert write(vault, "prod", mounts=["prod", "shared"]).status == 204
    assert vault.get("shared/app", token=token).status == 403


def test_a_token_can_be_bound_to_several(vault: Vault) -> None:
    token = bound(vault, "dev", "stage")
    assert [vault.get(f"{name}/app", token=token).status for name in ("dev", "stage", "prod")] == [404, 404, 403]
    assert vault.get("auth/token/lookup-self", token=token).data["environments"] == ["dev", "stage"]


@pytest.mark.parametrize("how", ["create", "create-orphan"])
def test_children_inherit_and_can_only_narrow(vault: Vault, how: str) -> None:
    parent = bound(vault, "dev", "stage")

    def child(**fields: Any) -> Result:
        return vault.post(f"auth/token/{how}", {"policies": ["all"], **fields}, token=parent)

    def binding(made: Result) -> Any:
        return vault.get("auth/token/lookup-self", token=made.auth["client_token"]).data["environments"]

    assert binding(child()) == ["dev", "stage"]
    assert binding(child(environments=["stage"])) == ["stage"]
    assert child(environments=["prod"]).status == 400
    assert child(environments=[""]).status == 400  # names none, which is no wish for all
    assert child(environments=["dev", "prod"]).status == 400
    assert child(environments=["qa"]).status == 400


def test_a_batch_token_is_bound_too(vault: Vault) -> None:
    token = bound(vault, "dev", type="batch")
    assert vault.get("dev/app", token=token).status == 404
    assert vault.get("prod/app", token=token).status == 403


def test_a_token_role_binds(vault: Vault) -> None:
    vault.post("auth/token/roles/ci", {"token_environments": ["dev"], "allowed_policies": ["all"]})
    assert vault.get("auth/token/roles/ci").data["token_environments"] == ["dev"]
    token = vault.post("auth/token/create/ci", {}).auth["client_token"]
    assert vault.get("prod/app", token=token).status == 403
    assert vault.post("auth/token/create/ci", {"environments": ["prod"]}).status == 400
    assert vault.post("auth/token/create/ci", {}, token=bound(vault, "stage")).status == 400


def test_a_root_token_is_bound_to_nothing(vault: Vault) -> None:
    assert vault.post("auth/token/create", {"environments": ["dev"]}).status == 400
    vault.post("auth/token/roles/ci", {"token_environments": ["dev"]})
    assert vault.post("auth/token/create/ci", {}).status == 400


def test_a_login_is_bound_by_its_role(vault: Vault) -> None:
    token = login(vault, token_environments=["dev"]).auth["client_token"]
    assert vault.get("auth/approle/role/web").data["token_environments"] == ["dev"]
    assert vault.get("dev/app", token=token).status == 404
    assert vault.get("prod/app", token=token).status == 403


def test_a_login_is_bound_by_its_method(vault: Vault) -> None:
    vault.post("sys/auth/approle", {"type": "approle"})
    assert write(vault, "stage", mounts=["stage", "auth/approle"]).status == 204
    assert mounts_of(vault, "stage") == ["auth/approle/", "stage/"]
    token = login(vault).auth["client_token"]
    assert vault.get("auth/token/lookup-self", token=token).data["environments"] == ["stage"]
    assert login(vault, token_environments=["dev"]).status == 400
    assert login(vault, token_environments=["dev", "stage"]).auth is not None


def test_a_login_that_is_bound_otherwise_today_is_not_renewed(vault: Vault) -> None:
    token = login(vault, token_environments=["dev"]).auth["client_token"]
    assert vault.post("auth/token/renew-self", {}, token=token).status == 200
    vault.post("auth/approle/role/web", {"token_environments": ["stage"]})
    assert vault.post("auth/token/renew-self", {}, token=token).status == 400


def test_a_user_binds(vault: Vault) -> None:
    vault.post("sys/auth/userpass", {"type": "userpass"})
    fields = {"password": "a long password", "token_policies": "all", "token_environments": "stage"}
    assert vault.post("auth/userpass/users/ada", fields).status == 204
    made = vault.post("auth/userpass/login/ada", {"password": "a long password"}, token=None)
    assert vault.get("prod/app", token=made.auth["client_token"]).status == 403


def test_a_binding_to_what_is_gone_opens_no_environment(vault: Vault) -> None:
    write(vault, "qa", rank=9)
    token = bound(vault, "qa")
    assert vault.delete("sys/environments/qa").status == 204
    assert vault.get("dev/app", token=token).status == 403
    assert vault.get("auth/token/lookup-self", token=token).status == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "sys/environments/dev", {"mounts": ["dev", "prod"], "downward": True}),
        ("DELETE", "sys/environments/prod", None),
        ("POST", "sys/remount", {"from": "prod", "to": "dev2"}),
        ("GET", "sys/mounts", None),
        ("POST", "sys/auth/mine", {"type": "userpass"}),
        ("POST", "sys/policies/acl/all", {"policy": ""}),
        ("POST", "auth/token/roles/mine", {}),
        ("POST", "auth/approle/role/web", {"token_policies": "all"}),
        ("POST", "auth/approle/role/web/secret-id", {}),
        ("GET", "auth/approle/role/web/role-id", None),
        ("LIST", "auth/token/accessors", None),
        ("POST", "sys/audit-hash/memory", {"input": "a guess"}),
    ],
)
def test_a_bound_token_does_not_administer_the_vault(vault: Vault, method: str, path: str, body: Any) -> None:
    login(vault)
    token = bound(vault, "dev")
    assert vault.call(method, path, body, token=token).status == 403


def test_a_bound_token_knows_of_no_others_by_their_accessors(vault: Vault) -> None:
    token = bound(vault, "dev")
    for theirs, status in ((bound(vault, "prod"), 400), (vault.token_for("all"), 400), (bound(vault, "dev"), 200)):
        accessor = vault.get("auth/token/lookup-self", token=theirs).data["accessor"]
        for act in ("lookup", "renew"):
            assert vault.post(f"auth/token/{act}-accessor", {"accessor": accessor}, token=token).status == status
        vault.post("auth/token/revoke-accessor", {"accessor": accessor}, token=token)
        assert vault.get("auth/token/lookup-self", token=theirs).status == (403 if status == 200 else 200)


def test_what_a_bound_token_may_not_reach_is_not_shown_to_it(vault: Vault) -> None:
    token = bound(vault, "dev")
    seen = vault.get("sys/internal/ui/mounts", token=token).data["secret"]
    assert "dev/" in seen
    assert not {"prod/", "stage/"} & set(seen)
    assert vault.get("sys/internal/ui/mounts/dev/app", token=token).status == 200
    assert vault.get("sys/internal/ui/mounts/prod/app", token=token).status == 403
    paths = vault.get("sys/internal/specs/openapi", token=token).body or {}
    assert any("dev" in path for path in paths["paths"])
    assert not any("prod" in path for path in paths["paths"])
    asked = ["dev/app", "prod/app", "sys/mounts", "auth/token/lookup-self", "cubbyhole/x"]
    told = vault.post("sys/capabilities-self", {"paths": asked}, token=token).data
    assert [path for path in asked if told[path] == ["deny"]] == ["prod/app", "sys/mounts"]


def test_an_answer_that_was_wrapped_elsewhere_is_not_unwrapped_by_a_bound_token(vault: Vault) -> None:
    vault.post("prod/app", {"password": "a production value"})

    def wrapped(token: str) -> dict[str, str]:
        made = vault.get("prod/app", token=token, wrap_ttl="60s").body
        assert made is not None
        return {"token": made["wrap_info"]["token"]}

    body = wrapped(bound(vault, "prod"))
    for act in ("unwrap", "rewrap", "lookup"):
        assert vault.post(f"sys/wrapping/{act}", body, token=bound(vault, "dev")).status == 400
    again = vault.post("sys/wrapping/rewrap", body, token=bound(vault, "prod")).body
    assert again is not None
    body = {"token": again["wrap_info"]["token"]}
    assert vault.post("sys/wrapping/unwrap", body, token=bound(vault, "dev")).status == 400
    assert vault.post("sys/wrapping/unwrap", body, token=bound(vault, "prod")).status == 200
    assert vault.post("sys/wrapping/unwrap", wrapped("root"), token=bound(vault, "dev")).status == 400
    own = vault.post("sys/wrapping/wrap", {"k": "v"}, token=bound(vault, "dev"), wrap_ttl="60s").body
    assert own is not None
    assert (
        vault.post("sys/wrapping/unwrap", {"token": own["wrap_info"]["token"]}, token=bound(vault, "dev")).status == 200
    )
