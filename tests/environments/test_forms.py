from __future__ import annotations

import base64
import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from strongroom.environments.forms import COMMON, LENGTH_MIN, encoded_forms_of, forms_in, forms_of, one_form, texts_in

# What is alike is alike for values that a person may have chosen; blanks stand for nothing in them.
words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=LENGTH_MIN, max_size=60)
some = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def spellings(content: bytes) -> list[str]:
    """The same in base64 and hex, as programs and people write them."""
    standard = base64.b64encode(content).decode()
    return [
        standard,
        standard.rstrip("="),
        base64.urlsafe_b64encode(content).decode(),
        base64.urlsafe_b64encode(content).decode().rstrip("="),
        base64.encodebytes(content).decode(),
        content.hex(),
        content.hex().upper(),
    ]


@some
@given(words)
def test_a_value_is_alike_however_it_is_written_down(value: str) -> None:
    form = one_form(value)
    for other in (f" {value}\n", f"{value}\r\n", *spellings(value.encode()), *spellings(f"{value}\n".encode())):
        assert one_form(other) == form
    twice = base64.b64encode(base64.b64encode(value.encode())).decode()
    assert one_form(twice) == form
    if value.isascii():
        assert one_form(value.lower()) == one_form(value.lower().encode().hex())


@some
@given(st.binary(min_size=16, max_size=64))
def test_bytes_are_alike_in_every_spelling(content: bytes) -> None:
    # Base64 that consists of hex digits alone can be read both ways. By chance that takes a value of zeros.
    assume(not set(base64.b64encode(content).decode()) <= set("0123456789abcdefABCDEF="))
    assert len({one_form(text) for text in spellings(content)}) == 1


@some
@given(words, words)
def test_values_that_differ_in_letters_are_not_alike(one: str, other: str) -> None:
    if one.isalpha() and other.isalpha() and one.isascii() and other.isascii() and one.lower() != other.lower():
        assert one_form(one) != one_form(other)


@some
@given(st.text(max_size=200))
def test_every_text_has_a_form(text: str) -> None:
    assert one_form(text) == one_form(text)


# Texts close to what the short way has to tell apart: hex, base64 of texts and of bytes, with what is just not that.
close = st.one_of(
    st.text(st.sampled_from("abcdefABCDEFGgwxzZ0189+/-_= \n\x1f{[."), max_size=48),
    st.text(max_size=40),
    words.map(lambda text: base64.b64encode(text.encode()).decode()),
    words.map(lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") + "="),
    words.map(lambda text: text.encode().hex()),
    st.text("ab\ufffd\u00e9 \n", min_size=4).map(lambda text: base64.b64encode(text.encode()).decode()),
    st.binary(max_size=40).map(lambda content: base64.urlsafe_b64encode(content).decode()),
    st.binary(max_size=40).map(lambda content: content.hex().upper()),
    st.sampled_from(COMMON.split()),
)


@settings(some, max_examples=1000)
@given(close)
def test_the_short_way_to_the_forms_of_a_text_comes_to_what_the_long_one_does(text: str) -> None:
    assert [form.decode("utf-8", "surrogatepass") for form in encoded_forms_of(text)] == list(forms_of(text))


@pytest.mark.parametrize("value", ["Tr0ub4dor&3-horse", "550E8400-E29B-41D4-A716-446655440000", "0123456789ABCDEF0123"])
def test_capital_and_small_letters_are_alike(value: str) -> None:
    assert one_form(value) == one_form(value.lower()) == one_form(value.upper())


def test_a_key_over_several_lines_is_alike_with_other_line_ends_and_in_base64() -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\nAgEGCCqGSM49AwEHBG0w\n-----END PRIVATE KEY-----\n"
    forms = {one_form(text) for text in (pem, pem.replace("\n", "\r\n"), base64.b64encode(pem.encode()).decode())}
    assert len(forms) == 1
    assert list(texts_in({"key": pem})) == [pem]


def test_values_are_found_at_any_depth_and_in_documents() -> None:
    values = {
        "a": "plain-value",
        "b": [1234567890, {"c": Decimal("1.23456789")}],
        "d": json.dumps({"password": "in-a-document", "port": 5432, "more": ["in-a-list"], "yes": True}),
        "e": "# a file\nexport DB_PASSWORD='in-a-setting'\nTOKEN: in-yaml-too\n",
        "f": True,
        "g": None,
    }
    found = set(texts_in(values))
    for text in (
        "plain-value",
        "1234567890",
        "1.23456789",
        "in-a-document",
        "in-a-list",
        "in-a-setting",
        "in-yaml-too",
    ):
        assert text in found
    assert "True" not in found


@pytest.mark.parametrize("text", ["{" * 50_000, "[" + "1," * 20_000 + "1", "{not json", "[" * 60_000 + "]" * 60_000])
def test_what_only_looks_like_a_document_is_one_value(text: str) -> None:
    assert next(iter(texts_in({"a": text}))) == text


def test_what_is_short_or_everywhere_is_not_compared() -> None:
    assert not forms_in({"a": "short", "b": "a b c d e f g", "c": "12345", "d": "", "e": False})
    assert not forms_in({str(number): text for number, text in enumerate(COMMON.split())})
    assert not forms_in({"a": "Production", "b": base64.b64encode(b"production").decode()})
    assert list(forms_in({"a": "longer-than-that", "b": " longer-than-that"})) == ["longer+than+that"]


def test_a_value_between_quotation_marks_is_alike() -> None:
    for text in ("'of-production'", '"of-production"', ' "of-production"\n'):
        assert "of+production" in forms_in({"k": text})
    assert "of+production" not in forms_in({"k": "'of-production"})
