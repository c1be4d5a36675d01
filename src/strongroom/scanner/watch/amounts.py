"""Durations and sizes as people write them."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")
_SIZE = re.compile(r"([0-9]{1,9})\s*(B|kB|KB|MB|GB|KiB|MiB|GiB)?")
_UNITS = {
    "": 1,
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}


def seconds_of(text: str) -> int:
    """Seconds in `30s`, `5m`, `1h30m`. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        raise ValueError("a duration is written like 30s, 5m or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def bytes_of(text: str) -> int:
    """Bytes in `500kB`, `10MB`, `1GiB`. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError("a size is written like 500kB, 10MB or 1GiB")
    return int(found[1]) * _UNITS[found[2] or ""]
