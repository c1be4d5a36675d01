from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.encoding.hcl import DEPTH_MAX, TEXT_CHARACTERS_MAX, Body, HclError, Items, Table, parse

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Property tests judge results; how long an example takes on a busy machine says nothing."""


def _only(text: str) -> object:
    (attribute,) = parse(text).attributes
    return attribute.value


def _refusal(text: str) -> HclError | None:
    try:
        parse(text)
    except HclError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('"text"', "text"),
        (r'"a\"b\\c\n\t\u00e9\U0001F600\/"', 'a"b\\c\n\té😀/'),
        (r'"\ud83d\ude00"', "😀"),
        ('"${not.read}"', "${not.read}"),
        ("0", 0),
        ("-12", -12),
        ("1.50", Decimal("1.50")),
        ("2e3", Decimal(2000)),
        ("true", True),
        ("false", False),
        ("[]", []),
        ('["a", 1, [true],]', ["a", 1, [True]]),
        ("{}", {}),
        ('{ a = 1, "b c" = [2]\n d : "x" }', {"a": 1, "b c": [2], "d": "x"}),
        ("<<EOT\n one\ntwo\nEOT\n", " one\ntwo\n"),
        ("<<-EOT\n    one\n      two\n\n    EOT\n", "one\n  two\n\n"),
        ("<<EOT\r\none\r\nEOT", "one\n"),
    ],
)
def test_a_value_is_read_as_plain_python(written: str, value: object) -> None:
    assert _only(f"key = {written}") == value


def test_blocks_keep_their_labels_their_content_and_their_place() -> None:
    body = parse('# comment\nlistener "tcp" "main" {\n  address = "x" // why\n}\n/* more */ name = 1, empty {}')
    (listener, empty) = body.blocks
    assert (listener.type, listener.labels, listener.line, listener.column) == ("listener", ("tcp", "main"), 2, 1)
    (address,) = listener.body.attributes
    assert (address.name, address.value, address.line, address.column) == ("address", "x", 3, 3)
    assert (body.attributes[0].name, body.attributes[0].line, body.attributes[0].column) == ("name", 5, 12)
    assert (empty.type, empty.labels, empty.body) == ("empty", (), Body())


def test_keys_of_objects_and_elements_of_lists_keep_their_place() -> None:
    value = _only('a = {\n  b = ["x",\n    "y"]\n}')
    assert isinstance(value, Table)
    assert value.positions == {"b": (2, 3)}
    assert isinstance(value["b"], Items)
    assert value["b"].positions == [(2, 8), (3, 5)]


@pytest.mark.parametrize(
    "text",
    [
        'path "a" { n = 1 }\npath "b" { n = 2 }',
        '{"path": {"a": {"n": 1}, "b": {"n": 2}}}',
        '{"path": [{"a": {"n": 1}}, {"b": {"n": 2}}]}',
        'path = { a = { n = 1 }, "b" = { n = 2 } }',
        'path "a" { n = 1 }\npath = { b = { n = 2 } }',
    ],
)
def test_sections_are_found_however_they_are_written(text: str) -> None:
    found = parse(text).sections("path", 1)
    assert [(block.labels, block.body.attributes[0].value) for block in found] == [(("a",), 1), (("b",), 2)]


def test_sections_without_labels_may_be_repeated_in_a_list() -> None:
    assert len(parse('{"seal": [{"a": 1}, {"a": 2}]}').sections("seal", 0)) == 2


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("path {}", 1, 1),
        ('path "a" "b" {}', 1, 1),
        ("\npath = 1", 2, 1),
        ('{"path": {\n  "a": 1}}', 2, 3),
        ('{"path": [[]]}', 1, 11),
    ],
)
def test_a_section_of_another_shape_is_named_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(HclError, match="expected") as caught:
        parse(text).sections("path", 1)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_block_can_be_read_as_an_object_unless_it_holds_blocks() -> None:
    inner = parse('a { "*" = []\n b = 1 }').blocks[0].body.table()
    assert inner == {"*": [], "b": 1}
    assert inner.positions == {"*": (1, 5), "b": (2, 2)}
    with pytest.raises(HclError, match="line 1, column 5"):
        parse("a { b {} }").blocks[0].body.table()


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("a", 1, 2, "expected '='"),
        ("a = ", 1, 5, "expected a value"),
        ("a = b", 1, 5, "quotes"),
        ("a = 01", 1, 5, "expected a value"),
        ("a = " + "9" * 65, 1, 5, "at most 64"),
        ("a = 1\na = 2", 2, 1, "twice"),
        ("a = {b = 1\n b = 2}", 2, 2, "twice"),
        ("a {\n", 2, 1, "expected a key or '}'"),
        ("}", 1, 1, "the end of the text"),
        ('a "b" = 1', 1, 7, "expected '{'"),
        ("a = [1 2]", 1, 8, "',' or ']'"),
        ("a = [1", 1, 7, "',' or ']'"),
        ("a = {b 1}", 1, 8, "'=' or ':'"),
        ('x = 1\na = "b\n"', 2, 5, "never closed"),
        ('a = "\t"', 1, 6, "control character"),
        (r'a = "\q"', 1, 6, "escapes"),
        (r'a = "\u12"', 1, 6, "hexadecimal"),
        (r'a = "\U00110000"', 1, 6, "escapes"),
        (r'a = "\ud800x"', 1, 6, "surrogate"),
        (r'a = "\ud800\u0041"', 1, 6, "surrogate"),
        ('a = "\ud800"', 1, 6, "surrogate"),
        ("a = <<EOT\nx\n", 1, 5, "never closed"),
        ("a = <<\nx\n", 1, 5, "<<EOT"),
        ("\n /* open", 2, 2, "'*/'"),
        ('{"a": 1} x', 1, 10, "end of the text"),
        ('{"a": 1', 1, 8, "'}'"),
        ("é = 1", 1, 1, "expected a key"),
    ],
)
def test_an_error_says_where_and_what_was_expected(text: str, line: int, column: int, expected: str) -> None:
    with pytest.raises(HclError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert expected in caught.value.message


@pytest.mark.parametrize("opening", ["a=[", "a {", "a={b=[", '{"a":', '{"a":['])
def test_deep_nesting_is_refused_and_not_an_overflow(opening: str) -> None:
    with pytest.raises(HclError):
        parse(opening * 50_000)
    with pytest.raises(HclError, match="nested deeper"):
        parse("a = " + "[" * 50_000)


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert _only("a = " + "[" * DEPTH_MAX + "]" * DEPTH_MAX)


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(HclError, match="longer"):
        parse(" " * (TEXT_CHARACTERS_MAX + 1))


@pytest.mark.parametrize(
    "unit", ["# c\n", "/* */ ", "/*", "a = ", '"', "\\", "<<A\n", "\n", "b {} ", 'x "y" {} ', "- "]
)
def test_long_and_repetitive_text_is_read_to_its_end_or_refused(unit: str) -> None:
    error = _refusal(unit * (200_000 // len(unit)))
    assert error is None or error.line >= 1


def test_a_byte_order_mark_at_the_start_is_skipped() -> None:
    assert _only("\ufeffa = 1") == 1


@unhurried
@given(st.text(max_size=60) | st.text(alphabet='ab"{}[]=,:\\<\n #/*u0d8e-.', max_size=60))
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    error = _refusal(text)
    if error is not None:
        lines = text.removeprefix("\ufeff").split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@unhurried
@given(st.dictionaries(_TEXT, _JSON, max_size=4), st.booleans())
def test_every_json_object_is_read_as_json_reads_it(value: dict[str, object], ascii_only: bool) -> None:  # noqa: FBT001 -- drawn
    text = json.dumps(value, ensure_ascii=ascii_only).replace("\x7f", "\\u007f")
    assert parse(text).table() == json.loads(text)


def test_a_zero_in_front_makes_a_number_octal_where_that_is_wanted_and_nowhere_else() -> None:
    assert parse("mode = 0644", octal=True).table() == {"mode": 0o644}
    assert parse("a = 0  b = 10", octal=True).table() == {"a": 0, "b": 10}
    for text, octal in (("mode = 0644", False), ("mode = 0888", True), ("mode = 06.4", True)):
        with pytest.raises(HclError):
            parse(text, octal=octal)
