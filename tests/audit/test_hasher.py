from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.scene import KEY

from strongroom.audit.hasher import Hasher, Uncovered, UnknownType, cover_members
from strongroom.logical.secret import Secret

HASHER = Hasher(KEY)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=False)
    | st.binary()
    | st.text()
    | st.text(min_size=6).map(Secret)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=12
)


def expected(content: bytes) -> str:
    return "hmac-sha256:" + hmac.new(KEY, content, hashlib.sha256).hexdigest()


def texts_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [] if value is None else [value]


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("", b""),
        ("värde", "värde".encode()),
        ("\ud800", b"\xed\xa0\x80"),
        (5, b"5"),
        (-1, b"-1"),
        (10**30, b"1" + b"0" * 30),
        (True, b"true"),
        (False, b"false"),
        (1.5, b"1.5"),
        (Decimal("1.50"), b"1.50"),
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"abcd")[::2], b"ac"),
        (Secret("hidden"), b"hidden"),
        (Secret(b"hidden"), b"hidden"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_type_of_value_becomes_the_hmac_of_its_text(value: Any, content: bytes) -> None:
    assert HASHER.walk(value) == expected(content)


def test_structure_names_and_null_stay() -> None:
    value = {"a": [1, {"b": None}], "c": ("x",), "d": MappingProxyType({"e": True})}
    assert HASHER.walk(value) == {
        "a": [expected(b"1"), {"b": None}],
        "c": [expected(b"x")],
        "d": {"e": expected(b"true")},
    }


def test_the_hash_does_not_depend_on_the_type_of_the_text() -> None:
    class Kind(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "another text"

    assert HASHER.walk(Kind("kv")) == expected(b"kv")


@pytest.mark.parametrize(
    "value",
    [{1: "a"}, {b"a": 1}, {None: 1}, object(), {"a": {1, 2}}, [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]],
    ids=["number as name", "bytes as name", "null as name", "object", "set", "time"],
)
@pytest.mark.parametrize("cover", [HASHER, Uncovered()], ids=["hashed", "raw"])
def test_a_type_without_a_rule_raises_and_is_named_without_its_value(value: Any, cover: Hasher | Uncovered) -> None:
    with pytest.raises(UnknownType, match=r"a value of type \w+ cannot stand in an audit record"):
        cover.walk(value)


@given(VALUES)
def test_whatever_goes_in_only_hashes_and_null_come_out(value: Any) -> None:
    for text in texts_in(HASHER.walk(value)):
        assert isinstance(text, str)
        assert text.startswith("hmac-sha256:")
        assert len(text) == len("hmac-sha256:") + 64


@given(st.text(min_size=6), VALUES)
def test_no_text_of_the_input_survives(canary: str, other: Any) -> None:
    canary = f"<{canary}>"
    value = {"a": canary, "b": [canary, {"c": Secret(canary)}], "d": canary.encode("utf-8", "replace"), "e": other}
    written = json.dumps(HASHER.walk(value))
    assert json.dumps(canary)[1:-1] not in written
    assert canary not in written


@given(st.text(), st.text())
def test_only_equal_texts_have_equal_hashes(one: str, other: str) -> None:
    assert (HASHER.text(one) == HASHER.text(other)) == (one == other)


def test_another_key_gives_another_hash() -> None:
    assert Hasher(b"k" * 32).text("value") != HASHER.text("value")


@pytest.mark.parametrize("length", [0, 15, 65])
def test_a_key_of_a_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        Hasher(bytes(length))


def test_raw_values_are_written_in_types_that_json_has() -> None:
    value = {"a": Secret("x"), "b": b"\x00\xff", "c": (1, True, None), "d": Decimal("1.50"), "e": 2.5}
    assert Uncovered().walk(value) == {
        "a": "x",
        "b": base64.b64encode(b"\x00\xff").decode(),
        "c": [1, True, None],
        "d": Decimal("1.50"),
        "e": 2.5,
    }


def test_a_public_field_is_shown_while_it_is_flat() -> None:
    body = {"ttl": "1h", "policies": ["a", "b"], "meta": {"a": "canary"}, "list": [["canary"]], "raw": b"canary"}
    covered = cover_members(HASHER, body, public=frozenset(body))
    assert covered["ttl"] == "1h"
    assert covered["policies"] == ["a", "b"]
    assert "canary" not in json.dumps(covered)


def test_a_secret_in_a_public_field_stays_hashed() -> None:
    covered = cover_members(HASHER, {"ttl": Secret("canary")}, public=frozenset({"ttl"}))
    assert covered == {"ttl": expected(b"canary")}


def test_keys_that_a_mount_shows_are_shown_whole_and_only_at_the_top() -> None:
    body = {"shown": {"deep": ["value"]}, "other": {"shown": "value"}}
    covered = cover_members(HASHER, body, shown=frozenset({"shown"}))
    assert covered == {"shown": {"deep": ["value"]}, "other": {"shown": expected(b"value")}}
