"""JSON in and out: strict, bounded, and exact.

What comes from a client is decoded by :func:`decode_untrusted`: no duplicate keys, no NaN or Infinity, no lone surrogates, at
most 64 levels, 10,000 tokens, texts of 4 MiB and numbers of 1,024 digits (SECURITY D-13). Numbers keep their value whatever their size: whole ones become
``int``, others ``Decimal``, and :func:`encode` writes both back as numbers. Object keys keep their order.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from strongroom.logical.errors import InvalidRequest

DEPTH_MAX = 64
TOKENS_MAX = 10_000
NUMBER_DIGITS_MAX = 1024
TEXT_BYTES_MAX = 4 * 1024 * 1024
"""How many bytes of JSON one text may have. A secret of the largest size fits however it is escaped."""
ESCAPES_MAX = 400_000
"""How many escapes may be in all texts together, of which each costs as much as many plain characters."""

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_STRING_OR_BRACKET = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]|,', re.DOTALL)
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_COUNTED_AT_ONCE = 64 * 1024


class _Refused(ValueError):
    """A value that JSON's grammar allows and we do not."""


def encode(value: Any) -> bytes:
    """``value`` as compact UTF-8 JSON. Decimals are written as numbers."""
    return _encoder.encode(value)


def decode(content: bytes) -> Any:
    """JSON that we wrote ourselves. Numbers are exact. Raises ValueError."""
    return _decoder.decode(content)


def decode_untrusted(content: bytes) -> Any:
    """JSON from a client. Raises InvalidRequest with a text that never quotes the input."""
    _check_bounds(content)
    try:
        value = _decode_strictly(content.decode())
        if _SURROGATE_ESCAPE.search(content):
            _encoder.encode(value)
    except _Refused as refused:
        raise InvalidRequest(f"failed to decode JSON input: {refused}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidRequest(f"failed to decode JSON input: invalid JSON at {where}") from None
    except UnicodeError:
        raise InvalidRequest("failed to decode JSON input: it is not valid UTF-8 text") from None
    except (RecursionError, ValueError):
        raise InvalidRequest("failed to decode JSON input") from None
    return value


def _check_bounds(content: bytes) -> None:
    # The cheap upper bounds first: nearly every body passes them without a scan.
    if len(content) > ESCAPES_MAX:
        if content.count(b"\\") > ESCAPES_MAX:
            raise InvalidRequest(f"failed to decode JSON input: more than {ESCAPES_MAX} escapes")
        _check_texts(content)
    if _is_surely_small(content):
        return
    depth = tokens = 0
    for match in _STRING_OR_BRACKET.finditer(content):
        first = content[match.start()]
        if first in b"[{":
            depth += 1
            tokens += 1
            if depth > DEPTH_MAX:
                raise InvalidRequest(f"failed to decode JSON input: nested deeper than {DEPTH_MAX} levels")
        elif first in b"]}":
            depth -= 1
        elif first in b",":
            tokens += 1
        if tokens > TOKENS_MAX:
            raise InvalidRequest(f"failed to decode JSON input: more than {TOKENS_MAX} values")


def _is_surely_small(content: bytes) -> bool:
    """Whether even the brackets and commas in texts are not too many. Of a body that has too many, only the beginning is looked at."""
    opened = tokens = 0
    for start in range(0, len(content), _COUNTED_AT_ONCE):
        end = start + _COUNTED_AT_ONCE
        more = content.count(b"[", start, end) + content.count(b"{", start, end)
        opened += more
        tokens += more + content.count(b",", start, end)
        if opened > DEPTH_MAX or tokens > TOKENS_MAX:
            return False
    return True


def _check_texts(content: bytes) -> None:
    if len(content) <= TEXT_BYTES_MAX:
        return
    too_long = f"failed to decode JSON input: a text has more than {TEXT_BYTES_MAX} bytes"
    for start in range(0, len(content) - TEXT_BYTES_MAX, TEXT_BYTES_MAX):
        # Where no quote is for so long there is one long text, or blanks that nobody sends. This is the fastest look there is.
        if content.find(b'"', start, start + TEXT_BYTES_MAX) == -1:
            raise InvalidRequest(too_long)
    for number, match in enumerate(_STRING.finditer(content)):
        if match.end() - match.start() > TEXT_BYTES_MAX:
            raise InvalidRequest(too_long)
        if number > 2 * TOKENS_MAX:
            return  # what else is wrong is found where values are counted


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refused("an object holds the same key twice")
    return value


def _refuse_constant(_: str) -> NoReturn:
    raise _Refused("NaN and Infinity are not JSON")


def _exact(text: str) -> Decimal:
    if len(text) > NUMBER_DIGITS_MAX:
        raise _Refused(f"a number has more than {NUMBER_DIGITS_MAX} digits")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _Refused("a number is out of range") from None


def _whole(text: str) -> int:
    if len(text) > NUMBER_DIGITS_MAX:
        raise _Refused(f"a number has more than {NUMBER_DIGITS_MAX} digits")
    return int(text)


# Made once: the standard library's function makes one for each text as soon as anything is asked of it.
_decode_strictly = json.JSONDecoder(
    object_pairs_hook=_object_without_duplicates,
    parse_constant=_refuse_constant,
    parse_float=_exact,
    parse_int=_whole,
).decode
