"""How long a token lives: pure arithmetic over seconds and nanoseconds, total in every input (SECURITY INV-13).

No path through here yields a lifetime of zero or less that could be read as "for ever": only a caller that says so explicitly
(:data:`~strongroom.tokens.entry.NEVER`, for root tokens) makes a token that does not expire.
"""

from __future__ import annotations

from dataclasses import dataclass

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import NANOSECONDS


@dataclass(frozen=True, slots=True)
class Limits:
    """The mount's (or system's) default and greatest lifetime, in seconds; both are positive."""

    default_ttl: int
    max_ttl: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for, in seconds; 0 means unset."""

    ttl: int = 0
    max_ttl: int = 0
    explicit_max_ttl: int = 0
    period: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """The lifetime that was granted, in seconds (positive), and what the caller should be told about it."""

    ttl: int
    warnings: tuple[str, ...] = ()


def grant(wish: Wish, limits: Limits) -> Grant:
    """The first lifetime of a token, never beyond the mount's greatest. A periodic one may live beyond it by being renewed, but
    each of its periods is bounded too; an explicit maximum bounds all of its life.
    """
    for name in ("ttl", "max_ttl", "explicit_max_ttl", "period"):
        if getattr(wish, name) < 0:
            raise InvalidRequest(f"{name} must not be negative")
    warnings: list[str] = []
    ttl = wish.period or wish.ttl or limits.default_ttl
    most = limits.max_ttl if wish.period else min(limits.max_ttl, wish.max_ttl or limits.max_ttl)
    ttl = _capped(ttl, most, "max_ttl", warnings)
    ttl = _capped(ttl, wish.explicit_max_ttl or ttl, "explicit_max_ttl", warnings)
    return Grant(ttl, tuple(warnings))


def renewed_expiry(
    wish: Wish, limits: Limits, *, increment: int, creation_time_ns: int, now_ns: int, expire_time_ns: int
) -> int:
    """When a renewed token expires, in nanoseconds: never later than its maxima allow, never earlier than now.

    ``wish`` is what the token was made with. Raises InvalidRequest where no time is left to grant.
    """
    if now_ns >= expire_time_ns:
        raise InvalidRequest("the token has expired; log in again")
    if increment < 0:
        raise InvalidRequest("increment must not be negative")
    ttl = min(wish.period, limits.max_ttl) or increment or wish.ttl or limits.default_ttl
    expiry = now_ns + ttl * NANOSECONDS
    if not wish.period:
        expiry = min(expiry, creation_time_ns + min(limits.max_ttl, wish.max_ttl or limits.max_ttl) * NANOSECONDS)
    if wish.explicit_max_ttl:
        expiry = min(expiry, creation_time_ns + wish.explicit_max_ttl * NANOSECONDS)
    if expiry <= now_ns:
        raise InvalidRequest("the token has reached its maximum lifetime; log in again")
    return expiry


def _capped(ttl: int, most: int, name: str, warnings: list[str]) -> int:
    if ttl <= most:
        return ttl
    warnings.append(
        f"TTL of {ttl} seconds exceeded the effective {name} of {most} seconds; TTL value is capped accordingly"
    )
    return most
