from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Semaphore
from typing import Any

import pytest

from strongroom.auth.userpass import LockoutRule, UserPass
from strongroom.logical.errors import LoginFailed

SPELLINGS = ["admin", "Admin", "ADMIN", "aDmIn"]


def is_let_in(method: Any, name: str, password: str) -> bool:
    try:
        method.log_in(f"login/{name}", password=password)
    except LoginFailed:
        return False
    return True


def at_once(count: int, attempt: Callable[[int], bool]) -> int:
    """How many of ``count`` attempts, started together in as many threads, were let in."""
    ready = Barrier(count)

    def start(number: int) -> bool:
        ready.wait()
        return attempt(number)

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(start, range(count)))


@pytest.fixture
def admin(userpass: Any) -> Any:
    userpass.write("users/admin", password="right")
    return userpass


def test_after_five_wrong_passwords_in_any_spelling_the_right_one_is_refused_and_not_looked_at(
    admin: Any, passwords: Any
) -> None:
    for name in ("admin", "Admin", "ADMIN", "admin", "aDMIN"):
        assert not is_let_in(admin, name, "wrong")
    for name in (*SPELLINGS, "admin ", " admin"):
        assert not is_let_in(admin, name, "right")
    assert passwords.real_checks == 5


def test_the_lockout_ends_by_itself_and_then_five_more_can_be_tried(admin: Any, passwords: Any) -> None:
    for _ in range(5):
        is_let_in(admin, "admin", "wrong")
    admin.clock.jump(15 * 60 - 1)
    assert not is_let_in(admin, "admin", "right")
    admin.clock.jump(1)
    for _ in range(4):
        assert not is_let_in(admin, "admin", "wrong")
    assert is_let_in(admin, "admin", "right")
    assert passwords.real_checks == 10


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_clock_that_was_ahead_locks_nobody_out_until_it_gets_there_again(
    admin: Any, passwords: Any, *, is_restarted: bool
) -> None:
    admin.clock.jump(365 * 86400)
    for _ in range(5):
        is_let_in(admin, "admin", "wrong")
    admin.clock.jump(-365 * 86400)
    method = admin
    if is_restarted:
        method = type(admin)(UserPass(passwords))
        method.store, method.clock = admin.store, admin.clock
    assert not is_let_in(method, "admin", "right")
    admin.clock.jump(15 * 60)
    assert is_let_in(method, "admin", "right")


def test_being_refused_while_locked_does_not_make_the_lockout_longer(admin: Any) -> None:
    for _ in range(5):
        is_let_in(admin, "admin", "wrong")
    for _ in range(14):
        admin.clock.jump(60)
        is_let_in(admin, "admin", "wrong")
    admin.clock.jump(60)
    assert is_let_in(admin, "admin", "right")


def test_a_successful_login_forgets_the_wrong_passwords_before_it(admin: Any) -> None:
    for _ in range(3):
        for _ in range(4):
            assert not is_let_in(admin, "admin", "wrong")
        assert is_let_in(admin, "admin", "right")
    assert not any(key.startswith("failures/") for key in admin.snapshot())


def test_wrong_passwords_are_forgotten_after_a_while_without_another_one(admin: Any) -> None:
    for _ in range(4):
        is_let_in(admin, "admin", "wrong")
    admin.clock.jump(15 * 60 - 1)
    is_let_in(admin, "admin", "wrong")
    assert not is_let_in(admin, "admin", "right")
    admin.clock.jump(15 * 60)
    for _ in range(4):
        is_let_in(admin, "admin", "wrong")
    admin.clock.jump(15 * 60)
    is_let_in(admin, "admin", "wrong")
    assert is_let_in(admin, "admin", "right")


def test_a_lockout_survives_a_restart(admin: Any, passwords: Any) -> None:
    for _ in range(3):
        is_let_in(admin, "admin", "wrong")
    restarted = type(admin)(UserPass(passwords))
    restarted.store, restarted.clock = admin.store, admin.clock
    for _ in range(2):
        is_let_in(restarted, "admin", "wrong")
    assert not is_let_in(restarted, "admin", "right")
    again = type(admin)(UserPass(passwords))
    again.store, again.clock = admin.store, admin.clock
    assert not is_let_in(again, "admin", "right")
    assert passwords.real_checks == 5


def test_a_new_password_ends_the_lockout_and_the_same_one_does_not(admin: Any) -> None:
    for _ in range(5):
        is_let_in(admin, "admin", "wrong")
    admin.write("users/admin/password", password="right")
    assert not is_let_in(admin, "admin", "right")
    admin.write("users/admin/password", password="new")
    assert is_let_in(admin, "admin", "new")


def test_a_new_user_of_the_same_name_is_not_locked(admin: Any) -> None:
    for _ in range(5):
        is_let_in(admin, "admin", "wrong")
    admin.delete("users/admin")
    admin.write("users/admin", password="right")
    assert is_let_in(admin, "admin", "right")


def test_users_are_locked_one_by_one(admin: Any) -> None:
    admin.write("users/other", password="right")
    for _ in range(5):
        is_let_in(admin, "admin", "wrong")
    assert is_let_in(admin, "other", "right")


def test_the_rule_can_be_chosen(passwords: Any, userpass: Any) -> None:
    method = type(userpass)(UserPass(passwords, LockoutRule(threshold=2, duration_seconds=10, reset_seconds=100)))
    method.write("users/u", password="right")
    for _ in range(2):
        is_let_in(method, "u", "wrong")
    method.clock.jump(9)
    assert not is_let_in(method, "u", "right")
    method.clock.jump(1)
    assert is_let_in(method, "u", "right")


def test_of_64_wrong_passwords_at_once_in_mixed_spellings_only_five_are_looked_at(admin: Any, passwords: Any) -> None:
    assert at_once(64, lambda number: is_let_in(admin, SPELLINGS[number % 4], "wrong")) == 0
    assert passwords.real_checks == 5
    assert len(passwords.checks) == 64
    assert not is_let_in(admin, "admin", "right")
    assert passwords.real_checks == 5
    restarted = type(admin)(UserPass(passwords))
    restarted.store, restarted.clock = admin.store, admin.clock
    assert not is_let_in(restarted, "admin", "right")


def test_no_sixth_password_is_looked_at_while_five_are_under_way(admin: Any, passwords: Any) -> None:
    started, may_end = Semaphore(0), Event()

    def hold() -> None:
        started.release()
        may_end.wait()

    passwords.before_answer = hold
    with ThreadPoolExecutor(8) as pool:
        attempts = [pool.submit(is_let_in, admin, "admin", "wrong") for _ in range(8)]
        for _ in range(5):
            started.acquire()
        sixth_has_started = started.acquire(timeout=0.3)
        may_end.set()
        assert not any(attempt.result() for attempt in attempts)
    assert not sixth_has_started
    assert passwords.real_checks == 5


def test_64_right_passwords_at_once_are_all_let_in(admin: Any) -> None:
    assert at_once(64, lambda number: is_let_in(admin, SPELLINGS[number % 4], "right")) == 64


def test_guesses_at_once_find_the_right_password_only_among_the_first_five(admin: Any, passwords: Any) -> None:
    for _ in range(3):
        is_let_in(admin, "admin", "wrong")
    assert at_once(32, lambda _: is_let_in(admin, "admin", "wrong")) == 0
    assert passwords.real_checks == 5


def test_a_request_that_runs_again_after_a_conflict_is_neither_counted_nor_checked_twice(
    admin: Any, passwords: Any
) -> None:
    interferences = iter([1])

    def interfere() -> None:
        if next(interferences, None):
            admin.store.records["failures/admin"] = b'{"uid":"","failures":0,"last_ns":0}'

    passwords.before_answer = interfere
    assert not is_let_in(admin, "admin", "wrong")
    assert admin.store.conflicts == 1
    assert passwords.real_checks == 1
    for _ in range(4):
        assert not is_let_in(admin, "admin", "wrong")
    assert not is_let_in(admin, "admin", "right")


def test_a_check_that_breaks_counts_as_wrong_and_holds_nobody_up(admin: Any, passwords: Any) -> None:
    def fail() -> None:
        raise MemoryError

    passwords.before_answer = fail
    for _ in range(5):
        with pytest.raises(MemoryError):
            is_let_in(admin, "admin", "right")
    passwords.before_answer = lambda: None
    assert not is_let_in(admin, "admin", "right")
    admin.clock.jump(15 * 60)
    assert is_let_in(admin, "admin", "right")
