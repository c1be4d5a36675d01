from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import DURATION_SECONDS_MAX, NANOSECONDS
from strongroom.tokens.lifetime import Limits, Wish, grant, renewed_expiry

LIMITS = Limits(default_ttl=3600, max_ttl=7200)

any_seconds = st.one_of(st.integers(0, 100_000), st.integers(0, DURATION_SECONDS_MAX))
wishes = st.builds(Wish, ttl=any_seconds, max_ttl=any_seconds, explicit_max_ttl=any_seconds, period=any_seconds)
limits = st.builds(Limits, st.integers(1, DURATION_SECONDS_MAX), st.integers(1, DURATION_SECONDS_MAX))


@given(wishes, limits)
def test_no_wish_yields_a_lifetime_of_nothing_or_beyond_a_maximum(wish: Wish, limit: Limits) -> None:
    ttl = grant(wish, limit).ttl
    assert 0 < ttl <= limit.max_ttl
    if wish.max_ttl and not wish.period:
        assert ttl <= wish.max_ttl
    if wish.explicit_max_ttl:
        assert ttl <= wish.explicit_max_ttl


@given(wishes, limits, st.integers(0, DURATION_SECONDS_MAX), st.integers(0, 10**10), st.integers(0, 10**10))
def test_no_renewal_reaches_beyond_a_maximum_or_yields_a_token_that_is_dead_or_lives_for_ever(
    wish: Wish, limit: Limits, increment: int, age_ns: int, left_ns: int
) -> None:
    created = 1_900_000_000 * NANOSECONDS
    now = created + age_ns
    try:
        expiry = renewed_expiry(
            wish, limit, increment=increment, creation_time_ns=created, now_ns=now, expire_time_ns=now + left_ns
        )
    except InvalidRequest:
        return
    assert expiry > now
    assert expiry - now <= limit.max_ttl * NANOSECONDS
    if wish.explicit_max_ttl:
        assert expiry <= created + wish.explicit_max_ttl * NANOSECONDS
    if not wish.period:
        assert expiry <= created + limit.max_ttl * NANOSECONDS
        if wish.max_ttl:
            assert expiry <= created + wish.max_ttl * NANOSECONDS


@given(wishes, limits, st.lists(st.tuples(st.integers(0, 10_000), st.floats(0.01, 0.99)), max_size=20))
def test_no_chain_of_renewals_lives_beyond_the_explicit_maximum(
    wish: Wish, limit: Limits, renewals: list[tuple[int, float]]
) -> None:
    assume(wish.explicit_max_ttl)
    created = now = 0
    expiry = grant(wish, limit).ttl * NANOSECONDS
    for increment, share in renewals:
        now += int((expiry - now) * share)
        try:
            expiry = renewed_expiry(
                wish, limit, increment=increment, creation_time_ns=created, now_ns=now, expire_time_ns=expiry
            )
        except InvalidRequest:
            break
    assert expiry <= wish.explicit_max_ttl * NANOSECONDS


def test_without_a_wish_the_default_is_granted() -> None:
    assert grant(Wish(), LIMITS).ttl == 3600
    assert grant(Wish(), LIMITS).warnings == ()


@pytest.mark.parametrize(
    ("wish", "granted"),
    [
        (Wish(ttl=60), 60),
        (Wish(ttl=9000), 7200),
        (Wish(ttl=9000, max_ttl=600), 600),
        (Wish(max_ttl=9000), 3600),
        (Wish(max_ttl=60), 60),
        (Wish(ttl=600, explicit_max_ttl=60), 60),
        (Wish(explicit_max_ttl=60), 60),
        (Wish(explicit_max_ttl=9000), 3600),
        (Wish(period=60, ttl=600), 60),
        (Wish(period=9000), 7200),
        (Wish(period=600, explicit_max_ttl=60), 60),
        (Wish(period=600, max_ttl=60), 600),
    ],
    ids=str,
)
def test_the_smallest_of_what_bounds_a_wish_is_granted(wish: Wish, granted: int) -> None:
    result = grant(wish, LIMITS)
    assert result.ttl == granted
    asked = wish.period or wish.ttl or LIMITS.default_ttl
    assert bool(result.warnings) is (asked > granted)


@pytest.mark.parametrize("name", ["ttl", "max_ttl", "explicit_max_ttl", "period"])
def test_a_negative_wish_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidRequest, match=name):
        grant(Wish(**{name: -1}), LIMITS)


def renewal(wish: Wish, *, increment: int = 0, age: int = 0, left: int = 60) -> int:
    """The seconds that a token has after its renewal, ``age`` seconds after it was made."""
    created = 1_900_000_000 * NANOSECONDS
    now = created + age * NANOSECONDS
    expiry = renewed_expiry(
        wish,
        LIMITS,
        increment=increment,
        creation_time_ns=created,
        now_ns=now,
        expire_time_ns=now + left * NANOSECONDS,
    )
    return (expiry - now) // NANOSECONDS


@pytest.mark.parametrize(
    ("wish", "increment", "age", "left"),
    [
        (Wish(ttl=600), 0, 100, 600),
        (Wish(ttl=600), 60, 100, 60),
        (Wish(ttl=600), 9000, 100, 7100),
        (Wish(ttl=600), 0, 7000, 200),
        (Wish(ttl=600, max_ttl=1000), 9000, 100, 900),
        (Wish(ttl=600, explicit_max_ttl=1000), 9000, 900, 100),
        (Wish(period=600), 9000, 1_000_000, 600),
        (Wish(period=9000), 0, 1_000_000, 7200),
        (Wish(period=600, explicit_max_ttl=1000), 0, 900, 100),
        (Wish(), 0, 100, 3600),
    ],
    ids=str,
)
def test_a_renewal_gives_what_was_asked_within_the_maxima(wish: Wish, increment: int, age: int, left: int) -> None:
    assert renewal(wish, increment=increment, age=age) == left


def test_at_the_end_of_the_greatest_lifetime_no_increment_helps() -> None:
    for increment in (0, 1, 10**9):
        with pytest.raises(InvalidRequest, match="maximum lifetime"):
            renewal(Wish(ttl=600), increment=increment, age=7200)


def test_an_expired_token_is_not_renewed() -> None:
    with pytest.raises(InvalidRequest, match="expired"):
        renewal(Wish(ttl=600), left=0)


def test_a_negative_increment_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="negative"):
        renewal(Wish(ttl=600), increment=-1)
