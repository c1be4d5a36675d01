"""Data that is covered once and remembered: always as if it were covered anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.scene import make_facts, make_request

from strongroom.audit.entry import Formatter
from strongroom.audit.hasher import Hasher, UnknownType
from strongroom.audit.options import Format
from strongroom.audit.recurring import BYTES_MAX, REMEMBERED_MAX, RecurringCover
from strongroom.encoding.json import encode
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.logical.secret import Secret

HASHER = Hasher(bytes(range(32)))

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.decimals(allow_nan=False),
    st.text(),
    st.binary(),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner), st.tuples(inner), st.dictionaries(st.text(), inner)),
    max_leaves=12,
)
objects = st.dictionaries(st.text(), values, max_size=6)


def shown(covered: Any) -> Any:
    return json.loads(encode(covered))


@given(st.lists(objects, max_size=6))
def test_what_is_remembered_is_what_would_be_covered_anew(data: list[dict[str, Any]]) -> None:
    cover = RecurringCover(HASHER)
    for one in (*data, *data):
        assert shown(cover.members(one)) == shown(HASHER.members(one))


def test_what_json_writes_alike_is_told_apart() -> None:
    cover = RecurringCover(HASHER)
    for one in ({"a": b"a"}, {"a": "YQ=="}, {"a": 1}, {"a": True}, {"a": 1.0}, {"a": "1"}, {"a": Decimal(1)}):
        assert shown(cover.members(one)) == shown(HASHER.members(one))
        assert shown(cover.members(one)) == shown(HASHER.members(one))


def test_equal_data_is_covered_once_whatever_shares_its_texts() -> None:
    covered = 0

    class Counting(Hasher):
        def members(self, members: Mapping[str, Any]) -> dict[str, Any]:
            nonlocal covered
            covered += 1
            return super().members(members)

    cover = RecurringCover(Counting(bytes(32)))
    word = "abc"
    cover.members({"a": word * 2, "b": word * 2})
    same = word * 2
    cover.members({"a": same, "b": same})
    assert covered == 1


@pytest.mark.parametrize(
    "value", [Secret("value"), Decimal("1.5"), MappingProxyType({"a": "b"})], ids=lambda value: type(value).__name__
)
def test_what_is_not_plain_is_covered_each_time(value: Any) -> None:
    cover = RecurringCover(HASHER)
    assert shown(cover.members({"k": value})) == shown(HASHER.members({"k": value}))
    assert not cover._known


@pytest.mark.parametrize("data", [{"a": object()}, {1: "a"}, {"a": {2: "b"}}])
def test_what_cannot_be_covered_is_refused_however_often(data: Any) -> None:
    cover = RecurringCover(HASHER)
    for _ in range(2):
        with pytest.raises(UnknownType):
            cover.members(data)


def test_neither_large_data_nor_what_makes_a_large_record_is_remembered() -> None:
    cover = RecurringCover(HASHER)
    for one in ({"a": "x" * BYTES_MAX}, {str(number): number for number in range(100)}):
        assert shown(cover.members(one)) == shown(HASHER.members(one))
    assert not cover._known


def test_there_is_an_end_to_what_is_remembered() -> None:
    cover = RecurringCover(HASHER)
    for number in range(REMEMBERED_MAX + 10):
        cover.members({"a": number})
    assert len(cover._known) == 10


def test_nothing_that_is_remembered_holds_a_value() -> None:
    cover = RecurringCover(HASHER)
    cover.members({"name": {"password": "canary-5511", "pin": 98127634}})
    kept = repr([(digest, bytes(raw)) for digest, raw in cover._known.items()])
    assert "password" in kept
    assert "canary-5511" not in kept
    assert "98127634" not in kept


def test_a_lone_surrogate_is_recorded_as_without_remembering() -> None:
    cover = RecurringCover(HASHER)
    data = {"a": "\ud800", "\ud801": "b"}
    assert b"hmac-sha256:" in encode(cover.members(data))
    assert encode(cover.members(data)) == encode(cover.members(data))


@pytest.mark.parametrize(("operation", "is_remembered"), [(Operation.READ, True), (Operation.UPDATE, False)])
def test_only_what_was_read_is_remembered_as_it_was_covered(operation: Operation, *, is_remembered: bool) -> None:
    one = Formatter(HASHER, Format())
    facts = make_facts(make_request(operation=operation))
    first = one.response(facts, "2026-09-21T14:13:20Z", Response(data={"a": "b"}), None)
    assert one.response(facts, "2026-09-21T14:13:20Z", Response(data={"a": "b"}), None) == first
    assert one._recurring is not None
    assert bool(one._recurring._known) is is_remembered


def test_a_device_that_writes_values_as_they_are_remembers_none() -> None:
    assert Formatter(HASHER, Format(log_raw=True))._recurring is None
