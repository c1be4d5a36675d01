"""Settings as they come in, for one mount or one secret: which were named, and whether they are within the limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strongroom.engines.kv_v2.record import MAX_VERSIONS_LIMIT
from strongroom.logical.backend import Context
from strongroom.logical.errors import InvalidRequest

CUSTOM_KEYS_MAX = 64
CUSTOM_KEY_BYTES_MAX = 128
CUSTOM_VALUE_BYTES_MAX = 512


def named_settings(context: Context, request: object, unset: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the body names, by name. ``unset`` maps every setting to what null sets it to."""
    named: dict[str, Any] = {}
    for name, zero in unset.items():
        if name in context.request.body:
            value = getattr(request, name)
            named[name] = zero if value is None else value
    if not 0 <= named.get("max_versions", 0) <= MAX_VERSIONS_LIMIT:
        raise InvalidRequest(f"max_versions must be between 0 and {MAX_VERSIONS_LIMIT}; 0 means the default")
    return named


def check_custom_metadata(given: Mapping[str, Any]) -> dict[str, str]:
    """``given`` as texts, with null values kept out. Raises InvalidRequest where a limit is passed; never quotes the input."""
    if len(given) > CUSTOM_KEYS_MAX:
        raise InvalidRequest(
            f"custom_metadata validation failed: payload must contain at most {CUSTOM_KEYS_MAX} keys, provided {len(given)}"
        )
    return {
        _checked("key", key, CUSTOM_KEY_BYTES_MAX): _checked("value", given[key], CUSTOM_VALUE_BYTES_MAX)
        for key in given
    }


def _checked(what: str, given: Any, bytes_max: int) -> str:
    if isinstance(given, (dict, list, bool)) or given is None:
        raise InvalidRequest("custom_metadata validation failed: every value must be a text")
    text = str(given)
    length = len(text.encode())
    if not 0 < length <= bytes_max:
        raise InvalidRequest(
            f"custom_metadata validation failed: length of a {what} is {length} but must be 0 < len({what}) <= {bytes_max}"
        )
    if not text.isprintable():
        raise InvalidRequest(f"custom_metadata validation failed: a {what} contains unprintable characters")
    return text
