from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import (
    Doc,
    Duration,
    RequestType,
    WholeBody,
    decode_bool,
    decode_duration,
    decode_int,
    decode_int_list,
    decode_object,
    decode_str,
    decode_str_list,
    decode_str_map,
    read_request_type,
)
from strongroom.logical.instant import DURATION_SECONDS_MAX
from strongroom.logical.secret import Secret

CANARY = "canary-hunter2"
DOC = Doc("It means something.")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Everything:
    name: Annotated[str, DOC]
    needed: Annotated[str, Doc("Needed.", public=True)]
    flag: Annotated[bool, DOC] = False
    count: Annotated[int, Doc("How many.", public=True)] = 7
    ttl: Annotated[Duration, DOC] = 0
    names: Annotated[list[str], DOC] = field(default_factory=list)
    numbers: Annotated[list[int], DOC] = field(default_factory=list)
    texts: Annotated[dict[str, str] | None, DOC] = None
    thing: Annotated[dict[str, Any] | None, DOC] = None
    token: Annotated[Secret[str], DOC] = field(default_factory=lambda: Secret(""))
    colour: Annotated[Colour, DOC] = Colour.RED
    anything: Annotated[Any, DOC] = None
    from_: Annotated[str, DOC] = ""


@dataclass
class Whole:
    path: Annotated[str, DOC]
    body: Annotated[WholeBody, DOC]


EVERYTHING = read_request_type(Everything, frozenset({"name"}))


def decoded(body: dict[str, Any], request_type: RequestType = EVERYTHING) -> Any:
    return request_type.decode(body, {"name": "n", "path": "p"})[0]


def test_absent_fields_take_their_defaults() -> None:
    request = decoded({"needed": "x"})
    assert (request.name, request.flag, request.count, request.ttl, request.names) == ("n", False, 7, 0, [])
    assert request.texts is None
    assert not request.token


def test_null_means_absent_except_where_a_field_is_needed() -> None:
    assert decoded({"needed": "x", "count": None, "names": None}).count == 7
    with pytest.raises(InvalidRequest, match="'needed' must not be null"):
        decoded({"needed": None})


def test_a_missing_field_is_named_with_what_is_expected() -> None:
    with pytest.raises(InvalidRequest, match="missing field 'needed': expected a string"):
        decoded({})


def test_the_path_wins_over_the_body_as_the_acl_judged_the_path() -> None:
    request, unknown = EVERYTHING.decode({"name": "other", "needed": "x"}, {"name": "n"})
    assert request.name == "n"
    assert unknown == []


def test_names_that_no_field_takes_are_said_back_sorted() -> None:
    assert EVERYTHING.decode({"needed": "x", "zeta": 1, "alpha": 2}, {"name": "n"})[1] == ["alpha", "zeta"]


def test_a_word_of_python_is_a_field_without_its_underscore() -> None:
    assert decoded({"needed": "x", "from": "here"}).from_ == "here"
    assert EVERYTHING.decode({"needed": "x", "from_": "here"}, {"name": "n"})[1] == ["from_"]


def test_a_whole_body_is_handed_on_as_it_came() -> None:
    request, unknown = read_request_type(Whole, frozenset({"path"})).decode({"path": 1, "a": [None]}, {"path": "p"})
    assert request.path == "p"
    assert request.body == {"path": 1, "a": [None]}
    assert unknown == []


def test_public_fields_are_those_that_say_so_and_do_not_stand_in_the_path() -> None:
    assert EVERYTHING.public_fields == {"needed", "count"}


WRONG: list[tuple[str, Any]] = [
    ("flag", CANARY),
    ("flag", 2),
    ("flag", []),
    ("count", CANARY),
    ("count", True),
    ("count", Decimal("1.5")),
    ("count", 2**63),
    ("count", [1]),
    ("ttl", CANARY),
    ("ttl", "1h x"),
    ("ttl", DURATION_SECONDS_MAX + 1),
    ("ttl", {}),
    ("ttl", False),
    ("names", {CANARY: 1}),
    ("names", [[CANARY]]),
    ("names", [None]),
    ("names", 3),
    ("numbers", CANARY),
    ("numbers", ["1", CANARY]),
    ("texts", CANARY),
    ("texts", [CANARY]),
    ("texts", {"k": [CANARY]}),
    ("thing", CANARY),
    ("thing", [CANARY]),
    ("token", {"k": CANARY}),
    ("token", True),
    ("colour", CANARY),
    ("needed", {"k": CANARY}),
    ("needed", True),
    ("needed", [CANARY]),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=str)
def test_a_wrong_value_is_refused_by_the_fields_name_and_form_and_never_quoted(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decoded({"needed": "x", name: value})
    (message,) = refused.value.messages
    assert message.startswith(f"field {name!r} must be ")
    assert CANARY not in message
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([one.name for one in EVERYTHING.fields]), json_values))
def test_any_json_is_decoded_or_refused_and_nothing_else(body: dict[str, Any]) -> None:
    try:
        request = decoded({"needed": "x", **body})
    except InvalidRequest:
        return
    assert isinstance(request.count, int)
    assert abs(request.ttl) <= DURATION_SECONDS_MAX
    assert isinstance(request.token, Secret)
    assert all(isinstance(name, str) for name in request.names)


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), ("", ""), (5, "5"), (10**30, str(10**30)), (Decimal("1.50"), "1.50")], ids=str
)
def test_numbers_are_taken_as_texts(value: Any, text: str) -> None:
    assert decode_str(value) == text


@pytest.mark.parametrize("value", [True, 1, "1", "t", "T", "true", "TRUE", "True"], ids=repr)
def test_the_spellings_of_true(value: Any) -> None:
    assert decode_bool(value) is True


@pytest.mark.parametrize("value", [False, 0, "0", "f", "F", "false", "FALSE", "False", ""], ids=repr)
def test_the_spellings_of_false(value: Any) -> None:
    assert decode_bool(value) is False


@pytest.mark.parametrize("value", ["tRUE", "yes", "no", "on", " true", 2, -1, Decimal(1), None, []], ids=repr)
def test_nothing_else_is_a_boolean(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        decode_bool(value)


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), ("-5", -5), ("007", 7), (Decimal("5.0"), 5), (Decimal("1e3"), 1000)],
    ids=repr,
)
def test_the_spellings_of_a_whole_number(value: Any, number: int) -> None:
    assert decode_int(value) == number


@pytest.mark.parametrize(
    "value",
    [
        "",
        "5.0",
        " 5",
        "+5",
        "5_0",
        "٥",
        "0x5",
        "9" * 31,
        Decimal("1e999999999"),
        Decimal("NaN"),
        Decimal("Infinity"),
        -(2**63),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_nothing_else_is_a_whole_number(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        decode_int(value)


@pytest.mark.parametrize(("value", "seconds"), [(60, 60), ("60", 60), ("1m", 60), (Decimal(60), 60), ("", 0), (-5, -5)])
def test_a_duration_is_a_number_or_a_text(value: Any, seconds: int) -> None:
    assert decode_duration(value) == seconds


@pytest.mark.parametrize(
    ("value", "items"),
    [("a,b", ["a", "b"]), (" a , ,b,", ["a", "b"]), ("", []), ([], []), (["a,b", " c ", "", 5], ["a,b", "c", "5"])],
    ids=repr,
)
def test_a_list_may_come_as_text_with_commas(value: Any, items: list[str]) -> None:
    assert decode_str_list(value) == items


@pytest.mark.parametrize(
    ("value", "items"), [("1,2", [1, 2]), (["1", 2], [1, 2]), (3, [3]), ("", []), ([], [])], ids=repr
)
def test_a_list_of_numbers_may_come_as_text_or_as_one_number(value: Any, items: list[int]) -> None:
    assert decode_int_list(value) == items


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ({"a": "b", "c": 1}, {"a": "b", "c": "1"}),
        ("a=b,c=d=e", {"a": "b", "c": "d=e"}),
        (["a = b"], {"a": "b"}),
        ("", {}),
    ],
    ids=repr,
)
def test_a_map_may_come_as_texts_with_an_equals_sign(value: Any, texts: dict[str, str]) -> None:
    assert decode_str_map(value) == texts


def test_an_object_is_an_object() -> None:
    assert decode_object({"a": [1]}) == {"a": [1]}
    with pytest.raises(ValueError, match=r"^$"):
        decode_object([])


def test_a_field_without_a_doc_is_a_mistake_of_ours() -> None:
    @dataclass
    class Undocumented:
        name: str

    with pytest.raises(TypeError, match="has no Doc"):
        read_request_type(Undocumented, frozenset())


def test_a_capture_without_a_field_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="lacks the captured"):
        read_request_type(Everything, frozenset({"other"}))


def test_a_type_that_cannot_be_decoded_is_a_mistake_of_ours() -> None:
    @dataclass
    class Strange:
        value: Annotated[set[str], DOC]

    with pytest.raises(TypeError, match="no decoder"):
        read_request_type(Strange, frozenset())


def test_only_a_dataclass_is_a_request_type() -> None:
    with pytest.raises(TypeError, match="dataclass"):
        read_request_type(int, frozenset())
