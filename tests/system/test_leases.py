"""``sys/leases``: every service token that expires has one lease, and who ends the lease ends the token."""

from __future__ import annotations

import pytest
from tests.kit import JumpingClock, Vault
from tests.processes import Result

from strongroom.logical.instant import NANOSECONDS
from strongroom.tokens.entry import TokenEntry

ACTS = ["sys/leases/revoke-prefix", "sys/leases/revoke-force", "sys/revoke-prefix", "sys/revoke-force"]
RENEWS = ["sys/leases/renew", "sys/renew"]
REVOKES = ["sys/leases/revoke", "sys/revoke"]
LOGIN = "auth/approle/login"


@pytest.fixture
def vault() -> Vault:
    """A vault with an AppRole whose tokens live an hour, and two at most."""
    vault = Vault()
    assert vault.post("sys/auth/approle", {"type": "approle"}).status == 204
    role = {"token_policies": "default", "token_ttl": "1h", "token_max_ttl": "2h"}
    assert vault.post("auth/approle/role/app", role).status == 204
    return vault


def logged_in(vault: Vault) -> str:
    """A fresh token of the AppRole."""
    role_id = vault.get("auth/approle/role/app/role-id").data["role_id"]
    secret_id = vault.post("auth/approle/role/app/secret-id").data["secret_id"]
    result = vault.post(LOGIN, {"role_id": role_id, "secret_id": secret_id}, token=None)
    return str(result.auth["client_token"])


def lease_of(vault: Vault, path: str = LOGIN) -> str:
    """The only lease below ``path``."""
    (name,) = vault.list(f"sys/leases/lookup/{path}").data["keys"]
    return f"{path}/{name}"


def lookup(vault: Vault, lease_id: object) -> Result:
    return vault.post("sys/leases/lookup", {"lease_id": lease_id})


def is_good(vault: Vault, token: str) -> bool:
    return vault.get("auth/token/lookup-self", token=token).status == 200


# Looking at leases


def test_a_lease_shows_the_times_of_its_token(vault: Vault) -> None:
    logged_in(vault)
    lease_id = lease_of(vault)
    vault.clock.jump(60)

    shown = lookup(vault, lease_id).data

    assert shown == {
        "id": lease_id,
        "path": LOGIN,
        "issue_time": "2030-03-17T17:46:40.000000000Z",
        "expire_time": "2030-03-17T18:46:40.000000000Z",
        "last_renewal": None,
        "renewable": True,
        "ttl": 3540,
    }


def test_the_name_of_a_lease_holds_nothing_of_the_token(vault: Vault) -> None:
    token = logged_in(vault)

    assert token.removeprefix("srs.") not in lease_of(vault)
    assert vault.get("auth/token/lookup-self", token=lease_of(vault).rpartition("/h")[2]).status == 403


@pytest.mark.parametrize(
    "bad", ["nothing", "auth/approle/login", "a/../b", "/", "h" + "0" * 64, f"{LOGIN}/h{'0' * 64}"]
)
def test_an_unknown_lease_is_invalid(vault: Vault, bad: str) -> None:
    result = lookup(vault, bad)

    assert (result.status, result.errors) == (400, ["invalid lease"])


@pytest.mark.parametrize("path", ["sys/leases/lookup", *RENEWS, *REVOKES])
def test_a_request_without_a_lease_says_what_is_missing(vault: Vault, path: str) -> None:
    for body in ({}, {"lease_id": ""}, {"lease_id": None}):
        result = vault.post(path, body)
        assert (result.status, result.errors) == (400, ["lease_id must be specified"])


def test_leases_are_listed_as_in_folders(vault: Vault) -> None:
    logged_in(vault)
    logged_in(vault)
    vault.token_for("default", ttl="1h")

    assert vault.list("sys/leases/lookup").data["keys"] == ["auth/"]
    assert vault.list("sys/leases/lookup/auth/").data["keys"] == ["approle/", "token/"]
    assert len(vault.list(f"sys/leases/lookup/{LOGIN}/").data["keys"]) == 2
    assert vault.list("sys/leases/lookup/auth/app").status == 404


def test_an_expired_lease_is_neither_listed_nor_found_nor_renewed_before_any_sweeper_comes(vault: Vault) -> None:
    logged_in(vault)
    lease_id = lease_of(vault)
    vault.clock.jump(3600)

    assert vault.list(f"sys/leases/lookup/{LOGIN}").status == 404
    assert lookup(vault, lease_id).status == 400
    assert vault.post("sys/leases/renew", {"lease_id": lease_id}).status == 400


def test_tidying_removes_what_expired_and_nothing_else(vault: Vault) -> None:
    logged_in(vault)
    vault.token_for("default", ttl="2h")
    vault.clock.jump(3600)

    result = vault.post("sys/leases/tidy")

    assert (result.status, result.body is not None and bool(result.body["warnings"])) == (202, True)
    assert vault.list("sys/leases/lookup/auth").data["keys"] == ["token/"]


def test_tokens_that_never_expire_and_batch_tokens_have_no_lease(vault: Vault) -> None:
    vault.token_for("root")
    vault.token_for("default", type="batch", ttl="1h")

    assert vault.list("sys/leases/lookup").status == 404


def test_a_wrapped_answer_has_a_lease_below_the_path_that_was_wrapped(vault: Vault) -> None:
    wrapped = vault.post("sys/wrapping/wrap", {"a": "b"}, wrap_ttl="300")
    assert wrapped.body is not None

    assert lookup(vault, lease_of(vault, "sys/wrapping/wrap")).data["ttl"] == 300
    assert vault.post("sys/leases/revoke-prefix/sys/wrapping").status == 204
    assert vault.post("sys/wrapping/unwrap", {"token": wrapped.body["wrap_info"]["token"]}).status == 400


def test_there_are_no_irrevocable_leases(vault: Vault) -> None:
    assert vault.get("sys/leases?type=irrevocable&limit=none").data == {"lease_count": 0, "leases": []}
    assert vault.get("sys/leases/count?type=irrevocable").data == {"counts": {}, "lease_count": 0}
    assert vault.get("sys/leases").status == 404
    assert vault.get("sys/leases/count?type=all").status == 404
    assert vault.get("sys/leases?type=irrevocable&limit=0").status == 400


# Renewing


@pytest.mark.parametrize("path", RENEWS)
def test_a_renewed_lease_lives_on_with_its_token(vault: Vault, path: str) -> None:
    token = logged_in(vault)
    lease_id = lease_of(vault)
    vault.clock.jump(3000)

    result = vault.post(path, {"lease_id": lease_id, "increment": "30m"})

    assert result.status == 200
    assert result.body is not None
    assert (result.body["lease_id"], result.body["lease_duration"], result.body["renewable"]) == (lease_id, 1800, True)
    assert result.body["data"] is None
    vault.clock.jump(1700)
    assert is_good(vault, token)
    assert lookup(vault, lease_id).data["last_renewal"] == "2030-03-17T18:36:40.000000000Z"
    vault.clock.jump(100)
    assert not is_good(vault, token)


@pytest.mark.parametrize("path", RENEWS)
def test_a_lease_named_in_the_path_is_renewed_whatever_the_body_names(vault: Vault, path: str) -> None:
    logged_in(vault)
    lease_id = lease_of(vault)

    result = vault.post(f"{path}/{lease_id}", {"increment": 60, "lease_id": "another"})

    assert result.body is not None
    assert (result.status, result.body["lease_id"], result.body["lease_duration"]) == (200, lease_id, 60)


@pytest.mark.parametrize("path", RENEWS)
def test_an_unknown_lease_is_not_renewed(vault: Vault, path: str) -> None:
    result = vault.post(path, {"lease_id": "auth/approle/login/hnothing"})

    assert (result.status, result.errors) == (400, ["lease not found"])


def test_a_lease_that_is_not_renewable_is_not_renewed(vault: Vault) -> None:
    vault.token_for("default", ttl="1h", renewable=False)
    result = vault.post("sys/leases/renew", {"lease_id": lease_of(vault, "auth/token/create")})

    assert (result.status, result.errors) == (400, ["lease is not renewable"])


def test_the_lease_of_a_login_is_not_renewed_once_the_login_would_fail(vault: Vault) -> None:
    logged_in(vault)
    lease_id = lease_of(vault)
    assert vault.delete("auth/approle/role/app").status == 204

    assert vault.post("sys/leases/renew", {"lease_id": lease_id}).status in (400, 403)
    assert lookup(vault, lease_id).data["ttl"] == 3600


@pytest.mark.parametrize("increment", [0, 1, -1, 0.5, "0.5s", 10**18, "1000000h", "", None, "x"])
def test_no_increment_lets_a_lease_outlive_its_maximum(vault: Vault, increment: object) -> None:
    token = logged_in(vault)
    lease_id = lease_of(vault)
    vault.clock.jump(3000)
    assert vault.post("sys/leases/renew", {"lease_id": lease_id, "increment": "2h"}).status == 200
    vault.clock.jump(7200 - 3000 - 0.4)

    result = vault.post("sys/leases/renew", {"lease_id": lease_id, "increment": increment})

    if result.status == 200:
        assert result.body is not None
        assert result.body["lease_duration"] == 1
    else:
        assert result.status == 400
    assert is_good(vault, token)
    vault.clock.jump(0.4)
    assert not is_good(vault, token)


def test_a_token_of_the_token_method_is_renewed_within_the_limits_of_that_method(vault: Vault) -> None:
    vault.token_for("default", ttl="10m")
    assert vault.post("sys/auth/token/tune", {"max_lease_ttl": "20m"}).status == 204

    result = vault.post("sys/leases/renew", {"lease_id": lease_of(vault, "auth/token/create"), "increment": "5h"})

    assert result.body is not None
    assert (result.status, result.body["lease_duration"]) == (200, 1200)


# Revoking


@pytest.mark.parametrize("path", REVOKES)
@pytest.mark.parametrize("where", ["path", "body"])
@pytest.mark.parametrize(("sync", "status"), [({}, 204), ({"sync": True}, 204), ({"sync": False}, 202)])
def test_a_revoked_lease_ends_its_token_with_all_children_at_once(
    vault: Vault, path: str, where: str, sync: dict[str, bool], status: int
) -> None:
    vault.write_policy("parent", 'path "auth/token/create" { capabilities = ["update"] }')
    vault.post("auth/approle/role/app", {"token_policies": "parent"})
    token = logged_in(vault)
    child = str(vault.post("auth/token/create", {"ttl": "5m"}, token=token).auth["client_token"])
    lease_id = lease_of(vault)

    if where == "path":
        result = vault.post(f"{path}/{lease_id}", sync)
    else:
        result = vault.post(path, {"lease_id": lease_id, **sync})

    assert (result.status, result.body) == (status, None)
    assert not is_good(vault, token)
    assert not is_good(vault, child)
    assert vault.list("sys/leases/lookup/auth/approle/login").status == 404
    assert vault.list("sys/leases/lookup/auth/token/create").status == 404
    assert vault.post(path, {"lease_id": lease_id}).status == 204


@pytest.mark.parametrize("path", REVOKES)
def test_an_unknown_lease_is_revoked_already(vault: Vault, path: str) -> None:
    assert vault.post(path, {"lease_id": "nothing"}).status == 204
    assert vault.post(f"{path}/nothing/at/all").status == 204
    assert vault.post(path, {"lease_id": "nothing", "sync": False}).status == 202


@pytest.mark.parametrize("act", ACTS)
def test_a_prefix_ends_every_token_that_a_method_made_and_no_other(vault: Vault, act: str) -> None:
    tokens = [logged_in(vault) for _ in range(3)]
    other = vault.token_for("default", ttl="1h")

    result = vault.call("PUT", f"{act}/auth/approle", {})

    assert (result.status, result.body) == (204, None)
    assert [is_good(vault, token) for token in tokens] == [False] * 3
    assert is_good(vault, other)
    assert vault.list("sys/leases/lookup/auth").data["keys"] == ["token/"]


@pytest.mark.parametrize("act", ACTS)
def test_a_prefix_ends_at_a_slash_or_is_a_whole_lease(vault: Vault, act: str) -> None:
    token = logged_in(vault)

    assert vault.post(f"{act}/auth/app", {"sync": False}).status == 202
    assert is_good(vault, token)
    assert vault.post(f"{act}/{lease_of(vault)}").status == 204
    assert not is_good(vault, token)
    assert vault.post(f"{act}/nothing/here").status == 204


@pytest.mark.parametrize("act", ACTS)
def test_a_prefix_must_be_named_in_the_path(vault: Vault, act: str) -> None:
    assert vault.post(act, {"prefix": "auth/approle"}).status == 404


def test_who_revokes_a_prefix_that_holds_its_own_token_is_answered_once_more(vault: Vault) -> None:
    vault.write_policy("all", 'path "sys/leases/*" { capabilities = ["update", "sudo"] }')
    token = vault.token_for("all", ttl="1h")

    assert vault.post("sys/leases/revoke-prefix/auth/token", token=token).status == 204
    assert not is_good(vault, token)


# Who may


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("LIST", "sys/leases/lookup"),
        ("LIST", "sys/leases/lookup/auth/approle"),
        ("GET", "sys/leases?type=irrevocable"),
        *[("PUT", f"{act}/auth/approle") for act in ACTS],
    ],
)
def test_what_touches_the_leases_of_others_needs_sudo(vault: Vault, method: str, path: str) -> None:
    token = logged_in(vault)
    vault.write_policy("weak", 'path "sys/*" { capabilities = ["create", "read", "update", "list", "delete"] }')
    vault.write_policy("strong", 'path "sys/*" { capabilities = ["read", "update", "list", "sudo"] }')

    assert vault.call(method, path, token=vault.token_for("weak", ttl="1h")).status == 403
    assert is_good(vault, token)
    # The default policy names sys/leases/lookup itself, for looking up alone, and the longest path counts.
    strong = vault.token_for("strong", ttl="1h", no_default_policy=True)
    assert vault.call(method, path, token=strong).status in (200, 204)


def test_the_default_policy_lets_a_token_look_at_and_renew_a_lease_whose_name_it_knows_but_not_end_it(
    vault: Vault,
) -> None:
    token = logged_in(vault)
    body = {"lease_id": lease_of(vault)}

    assert vault.post("sys/leases/lookup", body, token=token).status == 200
    assert vault.post("sys/leases/renew", body, token=token).status == 200
    assert vault.post("sys/renew", body, token=token).status == 200
    assert vault.post("sys/leases/revoke", body, token=token).status == 403


def test_a_lease_in_a_body_stands_hashed_in_the_audit_log(vault: Vault) -> None:
    logged_in(vault)
    lease_id = lease_of(vault)
    before = len(vault.device.text)

    lookup(vault, lease_id)

    request = vault.device.text[before:].splitlines()[0]
    assert lease_id not in request
    assert "hmac-sha256:" in request


@pytest.mark.parametrize("suffix", ["a/../../userpass/login/bob", "a//b", "./a", ".."])
def test_the_path_of_a_token_and_so_of_its_lease_is_canonical(vault: Vault, suffix: str) -> None:
    assert vault.post("auth/token/roles/r", {"path_suffix": suffix}).status == 400
    assert vault.post("auth/token/roles/r", {"path_suffix": "/team/a.b/"}).status == 204
    vault.post("auth/token/create/r", {"policies": ["default"], "ttl": "1h"})

    assert lookup(vault, lease_of(vault, "auth/token/create/r/team/a.b")).status == 200


def test_leases_outlive_sealing_and_unsealing() -> None:
    vault = Vault(clock=JumpingClock())
    token = vault.token_for("default", ttl="1h")
    lease_id = lease_of(vault, "auth/token/create")

    vault.node.seal()
    vault.unseal()

    assert lookup(vault, lease_id).data["ttl"] == 3600
    assert vault.post("sys/leases/revoke", {"lease_id": lease_id}).status == 204
    assert not is_good(vault, token)


def test_a_lease_is_called_after_the_path_and_the_keyed_hash_of_its_token() -> None:
    entry = TokenEntry(
        id="0" * 64,
        accessor="",
        policies=(),
        path="auth/x/login",
        display_name="",
        creation_time_ns=NANOSECONDS,
        expire_time_ns=2 * NANOSECONDS,
    )

    assert entry.lease_id == f"auth/x/login/h{'0' * 64}"
