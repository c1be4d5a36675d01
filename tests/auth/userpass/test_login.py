from __future__ import annotations

from typing import Any

import pytest

from strongroom.auth.userpass import Argon2Passwords, UserPass
from strongroom.crypto.parameters import CHEAPEST, Argon2Parameters
from strongroom.logical.errors import InvalidRequest, LoginFailed
from strongroom.logical.request import TokenType


def refusal(method: Any, name: str, password: str) -> tuple[type, tuple[str, ...]]:
    with pytest.raises(LoginFailed) as caught:
        method.log_in(f"login/{name}", password=password)
    return type(caught.value), caught.value.messages


def test_a_user_with_the_right_password_gets_what_is_stored(userpass: Any) -> None:
    userpass.write("users/u", password="pw", policies="p", ttl=10, token_type="service")
    auth = userpass.log_in("login/u", password="pw")
    assert (auth.policies, auth.ttl, auth.token_type) == (("p",), 10, TokenType.SERVICE)
    assert (auth.display_name, auth.alias, auth.metadata) == ("u", "u", {"username": "u"})
    assert auth.client_token is None


def test_a_login_folds_the_name_it_is_given(userpass: Any) -> None:
    userpass.write("users/admin", password="pw")
    assert userpass.log_in("login/ADMIN", password="pw").metadata == {"username": "admin"}


@pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": None}])
def test_a_login_without_a_password_says_so_whether_or_not_the_user_exists(userpass: Any, body: dict[str, Any]) -> None:
    userpass.write("users/u", password="pw")
    for name in ("u", "nope"):
        with pytest.raises(InvalidRequest, match="missing password"):
            userpass.log_in(f"login/{name}", **body)


def test_every_failed_login_answers_the_same_after_one_check_and_one_write(userpass: Any, passwords: Any) -> None:
    userpass.write("users/known", password="pw")
    userpass.write("users/elsewhere", password="pw", token_bound_cidrs="10.0.0.0/8")
    userpass.write("users/locked", password="pw")
    for _ in range(5):
        refusal(userpass, "locked", "wrong")
    answers: set[Any] = set()
    sizes: set[int] = set()
    for name, password in (
        ("known", "wrong"),
        ("unknown", "pw"),
        ("locked", "pw"),
        ("elsewhere", "pw"),
        ("not a name", "pw"),
        ("ſam", "pw"),
        ("x" * 200, "pw"),
    ):
        before, checks = userpass.snapshot(), len(passwords.checks)
        answers.add(refusal(userpass, name, password))
        assert len(passwords.checks) == checks + 1
        changed = {key: value for key, value in userpass.snapshot().items() if before.get(key) != value}
        assert len(changed) == 1
        sizes.update(len(value) for value in changed.values())
    assert answers == {(LoginFailed, ("invalid username or password",))}
    assert len(sizes) == 1


def test_failed_logins_of_nobody_fill_no_storage(userpass: Any) -> None:
    for number in range(600):
        refusal(userpass, f"nobody{number}", "pw")
    assert len(userpass.snapshot()) <= 256


def test_a_user_who_may_not_come_from_here_is_not_let_in_and_not_counted(userpass: Any, passwords: Any) -> None:
    userpass.write("users/u", password="pw", token_bound_cidrs="10.0.0.0/8")
    for _ in range(9):
        refusal(userpass, "u", "pw")
    assert passwords.real_checks == 0
    userpass.address = "10.0.0.1"
    assert userpass.log_in("login/u", password="pw").bound_cidrs == ("10.0.0.0/8",)


def test_a_hash_of_another_cost_is_renewed_at_the_login(userpass: Any) -> None:
    method = type(userpass)(UserPass(Argon2Passwords(CHEAPEST)))
    method.write("users/u", password="pw")
    cheap = method.snapshot()["user/u"]
    costlier = UserPass(Argon2Passwords(Argon2Parameters(passes=2, memory_kib=8, lanes=1)))
    later = type(userpass)(costlier)
    later.store = method.store
    auth = later.log_in("login/u", password="pw")
    assert later.snapshot()["user/u"] != cheap
    assert b"t=2" in later.snapshot()["user/u"]
    fresh = later.snapshot()["user/u"]
    later.log_in("login/u", password="pw")
    assert later.snapshot()["user/u"] == fresh
    later.renew(auth)


def test_the_check_of_nobodys_password_costs_what_a_users_does() -> None:
    passwords = Argon2Passwords(Argon2Parameters(passes=2, memory_kib=16, lanes=1))
    assert "m=16,t=2,p=1" in passwords._nobodys


def test_a_renewal_gets_the_durations_of_today(userpass: Any) -> None:
    userpass.write("users/u", password="pw", token_policies="p")
    auth = userpass.log_in("login/u", password="pw")
    userpass.write("users/u", token_ttl=60, token_max_ttl=120, token_period=30)
    renewed = userpass.renew(auth)
    assert (renewed.ttl, renewed.max_ttl, renewed.period) == (60, 120, 30)
    assert renewed.internal == auth.internal


def _delete(method: Any) -> None:
    method.delete("users/u")


def _recreate(method: Any) -> None:
    method.delete("users/u")
    method.write("users/u", password="pw", token_policies="p")


def _change_policies(method: Any) -> None:
    method.write("users/u/policies", policies="q")


def _change_password(method: Any) -> None:
    method.write("users/u/password", password="new")


def _move_away(method: Any) -> None:
    method.write("users/u", token_bound_cidrs="10.0.0.0/8")


def _lock(method: Any) -> None:
    for _ in range(5):
        refusal(method, "u", "wrong")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_delete, "the user no longer exists"),
        (_recreate, "the password has changed"),
        (_change_policies, "policies have changed, not renewing"),
        (_change_password, "the password has changed"),
        (_move_away, "CIDR restrictions"),
        (_lock, "the user is locked"),
    ],
)
def test_a_renewal_is_refused_once_what_the_login_relied_on_is_gone(userpass: Any, change: Any, text: str) -> None:
    userpass.write("users/u", password="pw", token_policies="p")
    auth = userpass.log_in("login/u", password="pw")
    userpass.renew(auth)
    change(userpass)
    with pytest.raises(InvalidRequest, match=text):
        userpass.renew(auth)


@pytest.mark.parametrize("path", ["users/u", "users/u/password"])
def test_writing_the_same_password_again_leaves_tokens_renewable(userpass: Any, path: str) -> None:
    userpass.write("users/u", password="pw")
    auth = userpass.log_in("login/u", password="pw")
    userpass.write(path, password="pw")
    userpass.renew(auth)
