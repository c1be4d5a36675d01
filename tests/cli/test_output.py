from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.cli import go_text, tables, yaml_text
from strongroom.cli.errors import CommandFailed
from strongroom.cli.hcl_format import formatted
from strongroom.cli.printer import Printer, warnings_text
from strongroom.client.exact_json import ExactFloat


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "<nil>"),
        (True, "true"),
        (7, "7"),
        (ExactFloat("1.50"), "1.50"),
        ({"b": [1, None], "a": {}}, "map[a:map[] b:[1 <nil>]]"),
    ],
)
def test_values_read_as_go_prints_them(value: Any, text: str) -> None:
    assert go_text.plain(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3600, "1h"),
        (3599, "59m59s"),
        (2764800, "768h"),
        (3601, "1h0m1s"),
        (-60, "-1m"),
    ],
)
def test_seconds_read_as_durations(seconds: int, text: str) -> None:
    assert go_text.duration(seconds) == text


def test_a_table_is_aligned_and_says_where_nothing_is() -> None:
    assert tables.headed(("Key", "Value"), [("a", "1"), ("longer", "")]) == (
        "Key       Value\n---       -----\na         1\nlonger    n/a"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": "1", "a": True, "n": 5}, 'a: true\nb: "1"\n"n": 5'),
        (
            {"list": [1, {"k": "v", "w": [2]}, []], "none": None, "map": {}},
            "list:\n- 1\n- k: v\n  w:\n  - 2\n- []\nmap: {}\nnone: null",
        ),
        (["a", ["b", "c"]], "- a\n- - b\n  - c"),
        ({"m": "two\nlines", "t": "two\nlines\n"}, "m: |-\n  two\n  lines\nt: |\n  two\n  lines"),
        ("x", "x"),
    ],
)
def test_yaml_is_laid_out_as_openbao_does(value: Any, text: str) -> None:
    assert yaml_text.encode(value) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "~",
        "yes",
        "NO",
        "on",
        "1",
        "0x1f",
        "1e3",
        "-.5",
        "2006-01-02",
        "12:30:45",
        "1_000",
        ".inf",
        "=",
        "<<",
        "- a",
        "? a",
        "a: b",
        "a #b",
        "#a",
        "a:",
        " a",
        "a ",
        "[a",
        "{a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "'a",
        '"a',
        "%a",
        "@a",
        "`a",
    ],
)
def test_yaml_quotes_text_that_would_be_something_else(text: str) -> None:
    assert re.fullmatch(r"'.*'|\".*\"", yaml_text.encode(text))


@given(text=st.text())
def test_yaml_in_double_quotes_holds_no_raw_control_character(text: str) -> None:
    encoded = yaml_text.encode(text)
    assert all(letter == "\n" or letter.isprintable() for letter in encoded)


def printed(format_name: str, field: str, value: Any) -> str:
    out = io.StringIO()
    Printer(format_name, field, out).secret(value)
    return out.getvalue()


def test_one_field_stands_alone_without_a_newline_for_a_program() -> None:
    answer = {"data": {"a": "x", "map": {"k": 1}}}
    assert printed("table", "a", answer) == "x"
    assert printed("json", "map", answer) == '{\n  "k": 1\n}'
    assert printed("yaml", "map", answer) == "k: 1\n"
    with pytest.raises(CommandFailed, match='Field "nope" not present in secret'):
        printed("table", "nope", answer)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_one_field_ends_with_a_newline_for_a_person() -> None:
    out = Terminal()
    Printer("table", "a", out).secret({"data": {"a": "x"}})
    assert out.getvalue() == "x\n"


def test_json_keeps_numbers_and_order() -> None:
    answer = {"request_id": "r", "data": {"b": ExactFloat("1.50"), "a": 10**30}, "warnings": None}
    shown = printed("JSON", "", answer)
    assert list(json.loads(shown)) == ["request_id", "lease_id", "lease_duration", "renewable", "data", "warnings"]
    assert '"a": 1000000000000000000000000000000,\n    "b": 1.50' in shown


@pytest.mark.parametrize("name", ["xml", "", "tables"])
def test_an_unknown_format_is_refused(name: str) -> None:
    with pytest.raises(CommandFailed, match="Invalid output format"):
        Printer(name, "", io.StringIO())


def test_warnings_are_wrapped_for_a_person() -> None:
    text = warnings_text({"warnings": ["word " * 30, "second"]})
    assert text.startswith("WARNING! ")
    assert max(map(len, text.splitlines())) <= 78
    assert warnings_text({"warnings": None}) == warnings_text(None) == ""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            'path "secret/*" { capabilities=["read","list"] }',
            'path "secret/*" {\n  capabilities = ["read", "list"]\n}\n',
        ),
        (
            '# why\npath "a" {\n\n\n capabilities = [ "read",\n "list", ] # end\n}\n\n\n\npath "b" {\n}',
            '# why\npath "a" {\n  capabilities = ["read",\n    "list"] # end\n}\n\npath "b" {\n}\n',
        ),
        (
            'path "a" { allowed_parameters = { "x" = [] } }',
            'path "a" {\n  allowed_parameters = {\n    "x" = []\n  }\n}\n',
        ),
    ],
)
def test_a_policy_is_laid_out(before: str, after: str) -> None:
    assert formatted(before) == after
    assert formatted(after) == after


def test_a_policy_that_is_none_is_an_error_with_a_place() -> None:
    with pytest.raises(ValueError, match="line 1"):
        formatted('path "a" { capabilities = ')
