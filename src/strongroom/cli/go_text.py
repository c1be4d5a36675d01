"""Values as Go prints them, because that is what scripts around Vault's command line have learned to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from strongroom.client.exact_json import ExactFloat, text_of


def plain(value: Any) -> str:
    """``value`` as Go's ``%v``: ``map[a:1 b:<nil>]``, ``[x y]``, ``true``; map keys in order."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, ExactFloat):
        return value.text
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{plain(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(plain(item) for item in value) + "]"
    return str(value)


def quoted_list(values: Iterable[Any] | None) -> str:
    """A list of texts as Go's ``%q``: ``["default" "root"]``."""
    return "[" + " ".join(text_of(str(value)) for value in values or ()) + "]"


def duration(value: Any) -> str:
    """A number of seconds as ``1h``, ``59m59s`` or ``0s``; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int):
        return plain(value)
    sign, seconds = ("-", -value) if value < 0 else ("", value)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = [f"{hours}h"] if hours else []
    if minutes or (hours and seconds):
        parts.append(f"{minutes}m")
    if seconds or not parts:
        parts.append(f"{seconds}s")
    return sign + "".join(parts)


def is_duration_name(name: str) -> bool:
    """Whether a field of this name holds seconds, by Vault's naming."""
    return name in {"period", "ttl", "duration", "lease_max", "ttl_max"} or name.endswith(
        ("_period", "_ttl", "_duration")
    )
