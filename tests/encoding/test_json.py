from __future__ import annotations

import json as standard
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.encoding.json import (
    DEPTH_MAX,
    ESCAPES_MAX,
    NUMBER_DIGITS_MAX,
    TEXT_BYTES_MAX,
    TOKENS_MAX,
    decode,
    decode_untrusted,
    encode,
)
from strongroom.logical.errors import InvalidRequest

CANARY = b"canary-hunter2"

numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=5)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_whatever_a_client_sends_comes_back_as_it_was(value: Any) -> None:
    content = encode(value)
    assert decode_untrusted(content) == value
    assert encode(decode_untrusted(content)) == content


@given(values)
def test_what_we_store_reads_back(value: Any) -> None:
    content = encode(value)
    assert encode(decode(content)) == content


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-0",
        "123456789012345678901234567890",
        "-" + "9" * (NUMBER_DIGITS_MAX - 1),
        "0.1",
        "1.50",
        "3.141592653589793238462643383279502884197",
        "1E+2",
        '{"z":1,"a":2,"m":{"b":1,"a":2}}',
        '"\\ud83d\\ude00"',
        "[null,true,false]",
        " [ 1 , 2 ] ",
    ],
)
def test_values_keep_their_value_and_objects_their_order(text: str) -> None:
    value = decode_untrusted(text.encode())
    again = standard.loads(encode(value), parse_float=Decimal, object_pairs_hook=list)
    assert again == standard.loads(text, parse_float=Decimal, object_pairs_hook=list)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1,]",
        b"{'a':1}",
        b"{a:1}",
        b"01",
        b"1 2",
        b"nul",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b'{"a":NaN}',
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'"\\ud800"',
        b'{"\\udc00":1}',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        b'"\t"',
        b'"\0"',
        b"9" * (NUMBER_DIGITS_MAX + 1),
        b"0." + b"1" * NUMBER_DIGITS_MAX,
        b"1e999999999999999999999",
        b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1),
        b"[" * 100_000,
        b"[" + b"0," * TOKENS_MAX + b"0]",
        b"[" + b"{}," * TOKENS_MAX + b"0]",
        b'{"' + CANARY + b'": ' + CANARY + b"}",
        b'["' + CANARY,
    ],
    ids=lambda content: repr(content[:24]),
)
def test_what_is_not_strict_bounded_json_is_refused_without_being_quoted(content: bytes) -> None:
    with pytest.raises(InvalidRequest, match="failed to decode JSON input") as refused:
        decode_untrusted(content)
    shown = "".join(refused.value.messages)
    assert CANARY.decode() not in shown
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_the_greatest_depth_and_number_of_values_are_still_taken() -> None:
    deep = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
    assert encode(decode_untrusted(deep)) == deep
    wide = b"[" + b"0," * (TOKENS_MAX - 2) + b"0]"
    assert len(decode_untrusted(wide)) == TOKENS_MAX - 1


def test_brackets_and_commas_inside_of_texts_are_not_counted() -> None:
    text = '[{,"\\' * 20_000
    assert decode_untrusted(standard.dumps([text]).encode()) == [text]


@pytest.mark.parametrize(
    "content",
    [
        b'["' + b"x" * TEXT_BYTES_MAX + b'"]',
        b'{"a":"b","c":"' + b"x" * (2 * TEXT_BYTES_MAX) + b'"}',
        b'["' + rb"\"" * (TEXT_BYTES_MAX // 2) + b'"]',
        b'["a","' + b"x" * (3 * TEXT_BYTES_MAX),
        b'["' + rb"\n" * (ESCAPES_MAX // 2) + b'","' + rb"\n" * (ESCAPES_MAX // 2) + b"x" * TEXT_BYTES_MAX + b'"]',
        b'["' + b'","'.join([rb"\n" * 200_000] * 11) + b'"]',
    ],
    ids=["one", "second", "escaped quotes", "unterminated", "escapes and plain", "escapes in many"],
)
def test_a_text_that_is_too_long_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidRequest, match=f"{TEXT_BYTES_MAX} bytes|{ESCAPES_MAX} escapes"):
        decode_untrusted(content)


def test_texts_of_the_greatest_length_are_still_taken() -> None:
    longest = "x" * (TEXT_BYTES_MAX - 2)
    assert decode_untrusted(encode([longest, longest, {"a": longest}])) == [longest, longest, {"a": longest}]
    secret = "\u4e2d" * (1024 * 1024 // 3)  # as Python's clients escape it
    assert decode_untrusted(standard.dumps({"a": secret}).encode()) == {"a": secret}


def test_where_the_mistake_is_is_said() -> None:
    with pytest.raises(InvalidRequest, match="line 2, column 6"):
        decode_untrusted(b'{\n"a": x}')


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused(content: bytes) -> None:
    try:
        decode_untrusted(content)
    except InvalidRequest:
        return
    standard.loads(content)


def test_our_own_json_is_refused_where_it_is_damaged() -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(b"{")
