from __future__ import annotations

from typing import Any

import pytest

from strongroom.auth.userpass import Argon2Passwords, UserPass
from strongroom.crypto.parameters import CHEAPEST
from strongroom.logical.errors import InvalidRequest, LogicalError, NotFound, UnsupportedOperation
from strongroom.logical.operation import Operation

UNSET: dict[str, Any] = {
    "token_bound_cidrs": [],
    "token_explicit_max_ttl": 0,
    "token_max_ttl": 0,
    "token_no_default_policy": False,
    "token_num_uses": 0,
    "token_period": 0,
    "token_policies": [],
    "token_strictly_bind_ip": False,
    "token_ttl": 0,
    "token_type": "default",
}


def test_a_user_reads_back_without_the_password(userpass: Any) -> None:
    userpass.write("users/u", password="pw")
    assert userpass.read("users/u") == UNSET


def test_older_names_read_back_as_clients_know_them(userpass: Any) -> None:
    userpass.write("users/u", password="pw", policies="B,a", ttl="10s", max_ttl=100, bound_cidrs="10.0.0.0/8")
    older: dict[str, Any] = {"policies": ["a", "b"], "ttl": 10, "max_ttl": 100, "bound_cidrs": ["10.0.0.0/8"]}
    todays = {f"token_{name}": value for name, value in older.items()}
    assert userpass.read("users/u") == UNSET | older | todays
    userpass.write("users/u", token_ttl=50)
    del older["ttl"]
    assert userpass.read("users/u") == UNSET | older | todays | {"token_ttl": 50}


@pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": None}, {"password_hash": "$2b$x"}])
def test_a_new_user_needs_a_password(userpass: Any, body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="missing password"):
        userpass.write("users/u", token_policies="a", **body)
    assert userpass.snapshot() == {}


@pytest.mark.parametrize(("password", "text"), [("x" * 1025, "at most 1024"), ("a\0b", "NUL")])
@pytest.mark.parametrize("path", ["users/u", "users/u/password", "login/u"])
def test_what_cannot_be_a_password_is_refused_and_said(userpass: Any, path: str, password: str, text: str) -> None:
    userpass.write("users/u", password="pw")
    before = userpass.snapshot()
    with pytest.raises(InvalidRequest, match=text):
        userpass.write(path, password=password)
    assert userpass.snapshot() == before


@pytest.mark.parametrize("password", ["x", "x" * 1024, " spaces kept ", "пароль", "e\u0301"])
def test_any_other_password_is_taken_as_it_is(userpass: Any, password: str) -> None:
    userpass.write("users/u", password=password)
    assert userpass.log_in("login/u", password=password)


def test_a_password_longer_than_72_bytes_counts_to_its_end(userpass: Any) -> None:
    method = type(userpass)(UserPass(Argon2Passwords(CHEAPEST)))
    method.write("users/u", password="x" * 100 + "a")
    assert method.log_in("login/u", password="x" * 100 + "a")
    with pytest.raises(InvalidRequest):
        method.log_in("login/u", password="x" * 100 + "b")


def test_a_write_without_a_password_keeps_the_password(userpass: Any) -> None:
    userpass.write("users/u", password="pw")
    userpass.write("users/u", token_policies="a")
    assert userpass.log_in("login/u", password="pw").policies == ("a",)


def test_a_refused_write_changes_nothing(userpass: Any) -> None:
    userpass.write("users/u", password="pw")
    before = userpass.snapshot()
    for body in ({"token_policies": "root"}, {"ttl": 500, "max_ttl": 40}, {"token_ttl": -1}, {"token_type": "weird"}):
        with pytest.raises(InvalidRequest):
            userpass.write("users/u", password="other", **body)
    assert userpass.snapshot() == before


def test_whether_a_write_creates_or_changes_a_user_can_be_asked(userpass: Any) -> None:
    assert not userpass.exists("users/u")
    userpass.write("users/u", password="pw")
    assert userpass.exists("users/u")
    assert not userpass.exists("users/U")


def test_users_are_listed_in_order_and_in_parts(userpass: Any) -> None:
    with pytest.raises(NotFound) as caught:
        userpass.keys("users")
    assert caught.value.messages == ()
    for name in ("c", "a", "b"):
        userpass.write(f"users/{name}", password="pw")
    assert userpass.keys("users") == ["a", "b", "c"]
    assert userpass.keys("users", after="a", limit=1) == ["b"]


def test_a_deleted_user_is_gone_without_a_trace(userpass: Any) -> None:
    userpass.write("users/u", password="pw")
    with pytest.raises(InvalidRequest):
        userpass.log_in("login/u", password="wrong")
    userpass.delete("users/u")
    userpass.delete("users/u")
    with pytest.raises(NotFound) as caught:
        userpass.read("users/u")
    assert caught.value.messages == ()
    assert userpass.snapshot() == {}


def test_a_password_is_replaced(userpass: Any) -> None:
    userpass.write("users/u", password="old")
    userpass.write("users/u/password", password="new")
    assert userpass.log_in("login/u", password="new")
    with pytest.raises(InvalidRequest):
        userpass.log_in("login/u", password="old")


@pytest.mark.parametrize("sent", [{"policies": "q,B"}, {"token_policies": ["b", "q"]}])
def test_policies_are_replaced(userpass: Any, sent: dict[str, Any]) -> None:
    userpass.write("users/u", password="pw", token_policies="a")
    userpass.write("users/u/policies", **sent)
    assert userpass.read("users/u")["token_policies"] == ["b", "q"]
    userpass.write("users/u/policies")
    assert userpass.read("users/u")["token_policies"] == ["b", "q"]
    with pytest.raises(UnsupportedOperation):
        userpass.read("users/u/policies")


def test_nothing_is_written_for_a_user_that_does_not_exist(userpass: Any) -> None:
    for path, body in (("password", {"password": "x"}), ("policies", {"policies": "x"})):
        with pytest.raises(NotFound, match="the user does not exist"):
            userpass.write(f"users/nope/{path}", **body)
    assert userpass.snapshot() == {}


@pytest.mark.parametrize("name", ["U", "a b", "ａ", "a\u200b"])
def test_a_name_that_is_not_canonical_is_refused_and_changes_nothing(userpass: Any, name: str) -> None:
    for path in (f"users/{name}", f"users/{name}/password", f"users/{name}/policies"):
        with pytest.raises(InvalidRequest, match="user name"):
            userpass.write(path, password="pw")
    for operation in (Operation.READ, Operation.DELETE):
        with pytest.raises(InvalidRequest, match="user name"):
            userpass.call(operation, f"users/{name}", {})
    assert userpass.snapshot() == {}


def test_no_password_stands_in_an_error_or_in_the_storage(userpass: Any) -> None:
    method = type(userpass)(UserPass(Argon2Passwords(CHEAPEST)))
    method.write("users/u", password="canary")
    assert not any(b"canary" in value for value in method.snapshot().values())
    for path, body in (
        ("login/u", {"password": "canary2"}),
        ("login/canary", {"password": "canary"}),
        ("users/u", {"password": ["canary"]}),
        ("users/u/password", {"password": "canary\0"}),
        ("users/canary/password", {"password": "canary"}),
    ):
        with pytest.raises(LogicalError) as caught:
            method.write(path, **body)
        assert "canary" not in repr(caught.value)
