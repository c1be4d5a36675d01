"""Times and durations as Vault's clients write and read them.

Instants are integers of nanoseconds since the Unix epoch; durations are integers of seconds. Text forms: RFC 3339 with
nanoseconds and ``Z``; Go's ``1h30m0s`` and, for requests, also plain numbers and days (``7d``).
"""

from __future__ import annotations

import re
import time
from datetime import date, datetime
from fractions import Fraction

NANOSECONDS = 1_000_000_000
# Two hundred and ninety years: what Go's time.Duration can hold, so that every client can read what we answer.
DURATION_SECONDS_MAX = (2**63 - 1) // NANOSECONDS
_SECONDS_OF_DAY = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_date_of = date.fromordinal

_UNITS = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ms": Fraction(1, 10**3),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
}
_TERM = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h|d)")
_WHOLE = re.compile(r"[0-9]{1,19}")


def rfc3339(instant_ns: int) -> str:
    """``instant_ns`` as RFC 3339 in UTC with nanoseconds, the form of every time that we answer."""
    seconds, nanoseconds = divmod(instant_ns, NANOSECONDS)
    days, second = divmod(seconds, _SECONDS_OF_DAY)
    minute, second = divmod(second, 60)
    # A fifth of the time that the formatting of a datetime takes, and every answer about a secret tells a time.
    time_of_day = (minute // 60, minute % 60, second, nanoseconds)
    try:
        return "%sT%02d:%02d:%02d.%09dZ" % (_date_of(_EPOCH_DAY + days), *time_of_day)  # noqa: UP031 -- see above
    except (ValueError, OverflowError):  # before the year 1 or after 9999
        return "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ" % (*time.gmtime(seconds)[:3], *time_of_day)  # noqa: UP031 -- see above


def parse_rfc3339(text: str) -> int:
    """The inverse of :func:`rfc3339`; also takes offsets and fewer digits. Raises ValueError."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d)", text, re.ASCII)
    if match is None:
        raise ValueError("expected a time like 2006-01-02T15:04:05Z")
    day, time_of_day, fraction, zone = match.groups()
    zone = "+00:00" if zone in "Zz" else zone
    moment = datetime.fromisoformat(f"{day}T{time_of_day}{zone}")
    return int(moment.timestamp()) * NANOSECONDS + int((fraction or "0").ljust(9, "0"))


def parse_duration(text: str) -> int:
    """Seconds in ``text``: ``"3600"``, ``"1h"``, ``"1h0m0s"``, ``"7d"``; ``""`` is 0. Fractions of a second round up.

    Raises ValueError with a text that names the accepted forms and never the input.
    """
    stripped = text.strip()
    if stripped == "":
        return 0
    negative = stripped.startswith("-")
    unsigned = stripped[1:] if negative else stripped
    if _WHOLE.fullmatch(unsigned):
        seconds = Fraction(int(unsigned))
    else:
        terms = _TERM.findall(unsigned)
        if not terms or "".join(number + unit for number, unit in terms) != unsigned:
            raise ValueError("expected a duration: whole seconds, or a form like 30s, 15m, 1h30m, 7d")
        seconds = sum((Fraction(number) * _UNITS[unit] for number, unit in terms), Fraction(0))
    whole = -int(-seconds // 1)
    if whole > DURATION_SECONDS_MAX:
        raise ValueError("the duration is too long: 290 years at most")
    return -whole if negative else whole


def format_duration(seconds: int) -> str:
    """``seconds`` in Go's form: ``0s``, ``45s``, ``1m30s``, ``3h0m0s``."""
    sign, rest = ("-", -seconds) if seconds < 0 else ("", seconds)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{sign}{hours}h{minutes}m{rest}s"
    if minutes:
        return f"{sign}{minutes}m{rest}s"
    return f"{sign}{rest}s"
