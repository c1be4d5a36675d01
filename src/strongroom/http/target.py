"""The request target: decoded exactly once, into a canonical path and query parameters (SECURITY INV-1, D-13).

Nothing here repairs a path. What is not canonical is refused with a text that says what to change, so that the ACL, the
router, the audit log and the storage can never read one path in two ways.
"""

from __future__ import annotations

import re

from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.path import check_canonical

PREFIX = "/v1/"
QUERY_PARAMETERS_MAX = 1000

_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
_WELL_ENCODED = re.compile(rb"[^%]*+(?:%[0-9A-Fa-f]{2}[^%]*+)*+")
# Encoded, these would decode to something that separates or ends: '/', '\\', NUL. Dots need no entry: decoded, they are checked.
_NEVER_ENCODED = frozenset({"2f", "5c", "00"})


def split_target(target: str) -> tuple[str, str]:
    """The path below ``/v1/``, canonical and decoded, and the raw query. Raises NotFound and InvalidRequest."""
    raw_path, _, query = target.partition("?")
    if "#" in target:
        raise InvalidRequest("the request target holds a '#'; write it as %23")
    if not raw_path.startswith(PREFIX):
        if raw_path.startswith("//"):
            raise InvalidRequest("the path holds an empty segment; remove the extra '/'")
        raise NotFound("nothing is served here: the API begins with /v1/")
    return decode_path(raw_path[len(PREFIX) :]), query


def decode_path(raw: str) -> str:
    """``raw``, percent-decoded once and checked. Raises InvalidRequest; an empty path is NotFound."""
    if not raw:
        raise NotFound
    if "%" in raw:
        for match in _ENCODED.finditer(raw):
            if match[1].lower() in _NEVER_ENCODED:
                raise InvalidRequest("the path holds an encoded '/', '\\' or NUL; a segment cannot contain these")
        raw = _percent_decode(raw, "the path")
    return check_canonical(raw)


def parse_query(query: str) -> dict[str, str]:
    """The parameters of ``query``. Raises InvalidRequest for a name that comes twice and for text that cannot be decoded.

    Also reads ``application/x-www-form-urlencoded`` bodies, which have the same form.
    """
    parameters: dict[str, str] = {}
    if not query:
        return parameters
    if query.count("&") >= QUERY_PARAMETERS_MAX:
        raise InvalidRequest(f"more than {QUERY_PARAMETERS_MAX} parameters")
    for part in query.split("&"):
        if not part:
            continue
        raw_name, _, raw_value = part.partition("=")
        name = _decode_parameter(raw_name)
        if name in parameters:
            raise InvalidRequest("a parameter is given twice; give each once, and lists with commas")
        parameters[name] = _decode_parameter(raw_value)
    return parameters


def _decode_parameter(raw: str) -> str:
    text = raw.replace("+", " ")
    if "%" in text:
        text = _percent_decode(text, "a parameter")
    if "\x00" in text:
        raise InvalidRequest("a parameter holds NUL")
    return text


def _percent_decode(text: str, what: str) -> str:
    encoded = text.encode()
    if not _WELL_ENCODED.fullmatch(encoded):
        raise InvalidRequest(f"{what} holds a '%' that is not followed by two hexadecimal digits")
    # As escapes of Python's own, which are read without a step for each: %41 becomes \x41, and a backslash stays one.
    escaped = encoded.replace(b"\\", b"\\\\").replace(b"%", b"\\x")
    try:
        return escaped.decode("unicode_escape").encode("latin-1").decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"{what} is not valid UTF-8 text") from None
