from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from strongroom.logical.request import TokenType
from strongroom.tokens.entry import NEVER, TokenEntry

SECOND = 10**9


def entry(**members: object) -> TokenEntry:
    defaults: dict[str, object] = {
        "id": "id",
        "accessor": "accessor",
        "policies": ("default",),
        "path": "auth/token/create",
        "display_name": "token",
        "creation_time_ns": SECOND,
    }
    return TokenEntry(**{**defaults, **members})  # type: ignore[arg-type]  # the members are the fields of the struct


def test_a_token_without_an_expiry_never_expires() -> None:
    assert not entry(expire_time_ns=NEVER).is_expired(2**62)
    assert entry(expire_time_ns=NEVER).remaining_seconds(2**62) == 0


def test_a_token_is_expired_at_the_very_instant_of_its_expiry() -> None:
    assert entry(expire_time_ns=10 * SECOND).is_expired(10 * SECOND)
    assert not entry(expire_time_ns=10 * SECOND).is_expired(10 * SECOND - 1)


@given(st.integers(1, 2**62), st.integers(0, 2**62))
def test_a_token_that_is_not_expired_has_at_least_one_second_left_as_zero_would_mean_for_ever(
    expiry: int, now: int
) -> None:
    token = entry(expire_time_ns=expiry)
    assert (token.remaining_seconds(now) == 0) is token.is_expired(now)


def test_only_the_policy_root_makes_a_root_token() -> None:
    assert entry(policies=("root",)).is_root
    assert not entry(policies=("root2", "default")).is_root


def test_handlers_never_see_the_token_but_its_hash() -> None:
    caller = entry(policies=("a", "b"), metadata={"k": "v"}, type=TokenType.BATCH).caller()
    assert (caller.token_id, caller.accessor, caller.display_name) == ("id", "accessor", "token")
    assert caller.policies == caller.token_policies == ("a", "b")
    assert caller.metadata == {"k": "v"}
    assert caller.is_batch
    assert not caller.is_root
