from __future__ import annotations

from typing import Any

import pytest
from tests.kit import Vault

POLICY = """
path "kv/*" { capabilities = ["read", "list"] }
path "kv/secret" { capabilities = ["deny"] }
path "sys/capabilities*" { capabilities = ["update"] }
"""


@pytest.fixture
def auth(vault: Vault) -> dict[str, Any]:
    """The auth of a token with the policy above."""
    vault.write_policy("p", POLICY)
    return vault.post("auth/token/create", {"policies": ["p"]}).auth


def test_the_three_ways_of_asking_give_the_same_at_the_top_and_in_data(vault: Vault, auth: dict[str, Any]) -> None:
    expected = {"kv/a": ["list", "read"], "kv/secret": ["deny"], "other": ["deny"], "/kv/a": ["list", "read"]}
    body = {"paths": list(expected)}
    for result in (
        vault.post("sys/capabilities-self", body, token=auth["client_token"]),
        vault.post("sys/capabilities", {**body, "token": auth["client_token"]}),
        vault.post("sys/capabilities-accessor", {**body, "accessor": auth["accessor"]}),
    ):
        assert {path: sorted(result.data[path]) for path in expected} == expected
        assert result.body is not None
        assert result.body.items() >= result.data.items()


@pytest.mark.parametrize("body", [{"path": "kv/a"}, {"paths": ["kv/a"]}, {"paths": "kv/a"}], ids=str)
def test_one_path_is_answered_under_capabilities_too(vault: Vault, auth: dict[str, Any], body: dict[str, Any]) -> None:
    data = vault.post("sys/capabilities-self", body, token=auth["client_token"]).data
    assert sorted(data["capabilities"]) == sorted(data["kv/a"]) == ["list", "read"]


def test_root_may_do_everything(vault: Vault) -> None:
    assert vault.post("sys/capabilities-self", {"path": "any/where"}).data["capabilities"] == ["root"]


def test_a_token_may_always_ask_about_itself_with_the_default_policy(vault: Vault) -> None:
    assert vault.post("sys/capabilities-self", {"path": "a"}, token=vault.token_for("default")).status == 200
    assert vault.post("sys/capabilities", {"path": "a"}, token=vault.token_for("default")).status == 403


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("capabilities-self", {}, "no path was given; name one or more in 'paths'"),
        ("capabilities-self", {"paths": []}, "no path was given; name one or more in 'paths'"),
        ("capabilities", {"path": "a"}, "invalid token"),
        ("capabilities", {"path": "a", "token": "nosuch"}, "invalid token"),
        ("capabilities-accessor", {"path": "a"}, "invalid accessor"),
        ("capabilities-accessor", {"path": "a", "accessor": "nosuch"}, "invalid accessor"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_said(vault: Vault, path: str, body: dict[str, Any], error: str) -> None:
    result = vault.post(f"sys/{path}", body)
    assert (result.status, result.errors) == (400, [error])


def test_a_batch_token_and_an_expired_one(vault: Vault) -> None:
    vault.write_policy("p", POLICY)
    batch = vault.token_for("p", type="batch", ttl="1h")
    assert vault.post("sys/capabilities", {"path": "kv/secret", "token": batch}).data["capabilities"] == ["deny"]
    vault.clock.jump(3600)
    assert vault.post("sys/capabilities", {"path": "kv/a", "token": batch}).errors == ["invalid token"]
