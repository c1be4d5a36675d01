"""Response wrapping: an answer that waits for whoever shows the token first."""

from __future__ import annotations

import pytest
from tests.kit import Vault
from tests.processes import Result

INVALID = ["wrapping token is not valid or does not exist"]


@pytest.fixture
def secret(vault: Vault) -> str:
    """The path of a secret."""
    vault.mount("kv", "kv-v1")
    vault.post("kv/a", {"password": "hunter2", "z": 1, "a": 10**30})
    return "kv/a"


def wrapped(vault: Vault, path: str, ttl: str = "60") -> str:
    result = vault.get(path, wrap_ttl=ttl)
    assert result.status == 200, result
    assert result.body is not None
    return str(result.body["wrap_info"]["token"])


def unwrap(vault: Vault, token: str) -> Result:
    return vault.post("sys/wrapping/unwrap", {"token": token}, token=None)


def test_a_wrapped_answer_holds_a_token_and_nothing_of_the_answer(vault: Vault, secret: str) -> None:
    result = vault.get(secret, wrap_ttl="5m")
    assert result.body is not None
    assert b"hunter2" not in result.raw
    info = result.body["wrap_info"]
    assert set(info) == {"token", "accessor", "ttl", "creation_time", "creation_path"}
    assert (info["ttl"], info["creation_path"]) == (300, "kv/a")
    assert info["creation_time"] == "2030-03-17T17:46:40.000000000Z"
    assert (result.body["request_id"], result.body["data"]) == ("", None)


def test_a_wrapped_list_says_that_it_is_one_of_a_folder(vault: Vault, secret: str) -> None:
    result = vault.list(secret.rpartition("/")[0], wrap_ttl="5m")
    assert result.body is not None
    assert result.body["wrap_info"]["creation_path"] == "kv/"


@pytest.mark.parametrize("way", ["body", "header"])
def test_unwrapping_gives_the_first_answer_byte_for_byte_and_only_once(vault: Vault, secret: str, way: str) -> None:
    direct = vault.get(secret)
    token = wrapped(vault, secret)

    def take() -> Result:
        if way == "body":
            return unwrap(vault, token)
        return vault.post("sys/wrapping/unwrap", token=token)

    first = take()
    assert first.status == 200
    request_ids = [result.body["request_id"] for result in (direct, first) if result.body is not None]
    assert first.raw == direct.raw.replace(request_ids[0].encode(), request_ids[1].encode())
    for _ in range(2):
        again = take()
        assert (again.status, again.errors) == (400, INVALID)


def test_a_token_of_somebody_elses_choice_unwraps_nothing(vault: Vault, secret: str) -> None:
    token = wrapped(vault, secret)
    for wrong in ("", "nosuch", vault.root, token + "x", vault.token_for("default")):
        assert unwrap(vault, wrong).errors == INVALID
    assert unwrap(vault, token).data["password"] == "hunter2"


def test_a_wrapping_token_is_of_no_other_use(vault: Vault, secret: str) -> None:
    for method, path in (
        ("GET", "auth/token/lookup-self"),
        ("POST", "auth/token/create"),
        ("POST", "auth/token/renew-self"),
        ("GET", "kv/a"),
        ("LIST", "cubbyhole/"),
        ("POST", "cubbyhole/x"),
        ("POST", "sys/wrapping/wrap"),
        ("POST", "sys/capabilities-self"),
    ):
        token = wrapped(vault, secret)
        assert vault.call(method, path, {} if method == "POST" else None, token=token).status == 403, path
        # The denied request was the token's one use: what it stood for is gone, and whoever comes now will notice.
        assert unwrap(vault, token).errors == INVALID


def test_a_wrapping_token_cannot_be_renewed_or_made_to_live_longer(vault: Vault, secret: str) -> None:
    result = vault.get(secret, wrap_ttl="60")
    assert result.body is not None
    info = result.body["wrap_info"]
    assert vault.post("auth/token/renew", {"token": info["token"]}).errors == ["lease is not renewable"]
    assert vault.post("auth/token/renew-accessor", {"accessor": info["accessor"]}).errors == ["lease is not renewable"]


def test_a_wrapped_answer_is_gone_when_its_time_is_over(vault: Vault, secret: str) -> None:
    token = wrapped(vault, secret, "60")
    vault.clock.jump(60)
    assert unwrap(vault, token).errors == INVALID
    assert vault.post("sys/wrapping/lookup", {"token": token}, token=None).errors == INVALID


def test_a_wrapped_answer_is_gone_when_its_token_is_revoked_by_accessor(vault: Vault, secret: str) -> None:
    result = vault.get(secret, wrap_ttl="60")
    assert result.body is not None
    info = result.body["wrap_info"]
    assert vault.post("auth/token/revoke-accessor", {"accessor": info["accessor"]}).status == 204
    assert unwrap(vault, info["token"]).errors == INVALID


def test_a_lookup_tells_about_a_wrapping_token_without_using_it(vault: Vault, secret: str) -> None:
    token = wrapped(vault, secret, "60")
    for _ in range(3):
        data = vault.post("sys/wrapping/lookup", {"token": token}, token=None).data
        assert data == {
            "creation_path": "kv/a",
            "creation_time": "2030-03-17T17:46:40.000000000Z",
            "creation_ttl": 60,
        }
    assert unwrap(vault, token).status == 200


def test_rewrapping_gives_a_fresh_token_for_the_same_answer_and_ends_the_old_one(vault: Vault, secret: str) -> None:
    token = wrapped(vault, secret, "60")
    vault.clock.jump(59)
    result = vault.post("sys/wrapping/rewrap", {"token": token}, token=None)
    assert result.body is not None
    info = result.body["wrap_info"]
    assert (info["creation_path"], info["ttl"]) == ("kv/a", 60)
    assert unwrap(vault, token).errors == INVALID
    vault.clock.jump(59)
    assert unwrap(vault, info["token"]).data["password"] == "hunter2"


def test_anything_can_be_wrapped(vault: Vault) -> None:
    assert vault.post("sys/wrapping/wrap", {"a": 1}).status == 400
    result = vault.post("sys/wrapping/wrap", {"z": 1, "a": [None, 10**30]}, wrap_ttl="60")
    assert result.body is not None
    assert unwrap(vault, result.body["wrap_info"]["token"]).data == {"z": 1, "a": [None, 10**30]}


def test_a_wrapped_login_names_its_accessor_and_gives_the_token_to_whoever_unwraps(vault: Vault) -> None:
    result = vault.post("auth/token/create", {"policies": ["default"]}, wrap_ttl="60")
    assert result.body is not None
    info = result.body["wrap_info"]
    auth = unwrap(vault, info["token"]).auth
    assert info["wrapped_accessor"] == auth["accessor"]
    assert vault.get("auth/token/lookup-self", token=auth["client_token"]).status == 200


@pytest.mark.usefixtures("secret")
def test_what_answers_nothing_is_not_wrapped_and_an_error_is_not_either(vault: Vault) -> None:
    assert vault.post("kv/b", {"k": "v"}, wrap_ttl="60").status == 204
    denied = vault.get("kv/nosuch", wrap_ttl="60")
    assert (denied.status, denied.errors) == (404, [])


@pytest.mark.parametrize("ttl", ["-1", "x", "1e3", "10000h", str(10**30)])
def test_a_wrapping_ttl_that_is_none_is_refused_and_nothing_is_done(vault: Vault, ttl: str) -> None:
    result = vault.post("auth/token/create", {"policies": ["default"]}, wrap_ttl=ttl)
    assert result.status == 400
    assert len(vault.list("auth/token/accessors").data["keys"]) == 1


@pytest.mark.parametrize("ttl", ["0", ""])
def test_a_wrapping_ttl_of_nothing_asks_for_no_wrapping(vault: Vault, secret: str, ttl: str) -> None:
    assert vault.get(secret, wrap_ttl=ttl).data["password"] == "hunter2"


def test_nobody_can_hand_out_the_policy_of_wrapping_tokens(vault: Vault) -> None:
    for name in ("response-wrapping", "RESPONSE-WRAPPING", " response-wrapping "):
        assert vault.post("auth/token/create", {"policies": [name]}).status == 400
    assert (
        vault.post("sys/policies/acl/response-wrapping", {"policy": 'path "*" { capabilities = ["read"] }'}).status
        == 400
    )
