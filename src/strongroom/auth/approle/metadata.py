"""The metadata of a secret ID: texts by name, which its tokens carry too."""

from __future__ import annotations

from typing import Any

from strongroom.encoding.json import decode_untrusted
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import decode_str_map

_EXPECTED = "failed to parse metadata: expected a JSON object of strings, or text like name=value"


def parse_metadata(value: Any) -> dict[str, str]:
    """Metadata as clients write it: an object, the JSON text of one, or ``a=b,c=d``. Raises InvalidRequest.

    Any text is kept, whatever it may mean to somebody who builds paths of it; policy templates refuse the dangerous ones.
    """
    if value is None:
        return {}
    if isinstance(value, str):
        value = _parse_text(value.strip())
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()) or "" in value:
        raise InvalidRequest(_EXPECTED)
    return value


def _parse_text(text: str) -> Any:
    if not text:
        return {}
    if text[0] in "{[":
        return decode_untrusted(text.encode("utf-8", "surrogatepass"))
    try:
        return decode_str_map(text)
    except ValueError:
        raise InvalidRequest(_EXPECTED) from None
