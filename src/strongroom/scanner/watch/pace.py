"""When to ask again: what the other side's headers say, and how long to wait where it says nothing."""

from __future__ import annotations

import email.utils
import math
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_REST = 24 * 3600.0
"""Seconds of a pause that are obeyed. A feed that names more has a mistake in it, or means us ill."""
LONGEST_BACK_OFF = 3600.0
LEAST_REST = 60.0
"""Seconds without a question after a refusal that names no time, as GitHub asks for."""
_FIRST_BACK_OFF = 30.0
_LONGEST_INTERVAL = 3600.0
_RELATIVE = 1e9
"""A reset below this is no time since the epoch, but seconds from now."""
_LIMITED = (b"rate limit", b"abuse detection")


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says about pace. `rest` is seconds without any question (None: go on), `is_refused` that this one was not answered for it."""

    rest: float | None
    is_refused: bool


def told(status: int, headers: Mapping[str, str], body: bytes, now: float) -> Told:
    """What an answer with these lower-case `headers` asks of us at the time `now`."""
    after = _retry_after(headers.get("retry-after", ""), now)
    reset = _reset(headers, now)
    if status == 429 or (status == 403 and (after is not None or reset is not None or _speaks_of_limits(body))):
        waits = [wait for wait in (after, reset) if wait is not None]
        return Told(_bounded(max(waits), 1.0) if waits else LEAST_REST, is_refused=True)
    if status == 503 and after is not None:
        return Told(_bounded(after, 1.0), is_refused=True)
    return Told(None if reset is None else _bounded(reset, 1.0), is_refused=False)


def interval(headers: Mapping[str, str], wanted: float) -> float:
    """Seconds until a listing is asked for again: what is `wanted`, or more where the other side says so (GitHub's X-Poll-Interval)."""
    asked = _number(headers.get("x-poll-interval", ""))
    return wanted if asked is None else max(wanted, min(asked, _LONGEST_INTERVAL))


def back_off(failures: int, jitter: float) -> float:
    """Seconds to wait after so many failures in a row: doubled with each, and shortened by up to a half by `jitter`, from 0 to 1."""
    longest = min(LONGEST_BACK_OFF, _FIRST_BACK_OFF * float(1 << min(max(failures, 1) - 1, 20)))
    return longest * (0.5 + 0.5 * jitter)


def _speaks_of_limits(body: bytes) -> bool:
    start = body[:4096].lower()
    return any(word in start for word in _LIMITED)


def _retry_after(text: str, now: float) -> float | None:
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _reset(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until the next question is allowed, where none is left: GitHub's X-RateLimit-*, GitLab's RateLimit-*."""
    for prefix in ("x-ratelimit", "ratelimit"):
        if _number(headers.get(f"{prefix}-remaining", "")) == 0:
            at = _number(headers.get(f"{prefix}-reset", ""))
            if at is None:
                return LEAST_REST
            return at if at < _RELATIVE else max(0.0, at - now)
    return None


def _number(text: str) -> float | None:
    try:
        number = float(text.strip()[:32])
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _bounded(seconds: float, least: float) -> float:
    return min(max(seconds, least), LONGEST_REST)
