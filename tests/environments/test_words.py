from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.environments.forms import encoded_forms_of, forms_below, forms_of, names_in, one_form
from strongroom.environments.words import WORDS_MAX, words_of

some = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
# Letters and digits as generators of tokens take them, and what nothing splits at.
tokens = st.text(st.sampled_from("abcXYZ019-_.~"), min_size=9, max_size=40).map(lambda text: f"{text}x7q")
passwords = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=8, max_size=30)


def texts_around(token: str) -> list[str]:
    return [
        f"postgres://app:{token}@db.internal:5432/orders",
        f"DB_PASSWORD={token}",
        f"export DB_PASSWORD='{token}'",
        f"password: {token}",
        f"the password is {token}, tell nobody",
        json.dumps({"url": f"https://u:{token}@host"}),
        f"services:\n  db:\n    - password: {token}\n",
        f"Server=db;Password={token};Database=orders",
        f"https://host/hook?token={token}&x=1",
        f"curl -H 'Authorization: Bearer {token}'",
        f"<password>{token}</password>",
    ]


@some
@given(tokens)
def test_a_value_within_a_text_is_found_below(token: str) -> None:
    for text in texts_around(token):
        assert one_form(token) in forms_below(text), text
        assert one_form(token).encode() in encoded_forms_of(text, is_below=True), text


@some
@given(passwords)
def test_the_password_of_an_address_is_found_on_both_sides_however_it_is_escaped(password: str) -> None:
    address = f"amqp://user:{quote(password, safe='')}@host:5672/"
    if forms_of(password):
        assert one_form(password) in forms_of(address)
        assert one_form(password) in forms_below(f"see {address}")


@some
@given(st.binary(min_size=8, max_size=40))
def test_hex_is_alike_with_0x_before_it_and_colons_between(content: bytes) -> None:
    form = one_form(content.hex())
    for text in (f"0x{content.hex()}", f"0X{content.hex().upper()}", content.hex(":"), content.hex(":").upper()):
        assert form in forms_of(text)
        assert form.encode() in encoded_forms_of(text)
        assert form in forms_below(f"key = {text}")


@settings(some, max_examples=500)
@given(
    st.one_of(
        st.text(st.sampled_from("aAzG09+/-_= :@;%0x{'\"\n"), max_size=40),
        st.text(max_size=30),
        tokens.map(lambda token: base64.b64encode(token.encode()).decode()),
    )
)
def test_the_short_way_below_finds_what_the_long_one_finds(text: str) -> None:
    short = [form.decode("utf-8", "surrogatepass") for form in encoded_forms_of(text, is_below=True)]
    assert set(short) == set(forms_below(text)) or (len(short) <= 1 and set(short) == set(forms_of(text)))
    assert short[: len(forms_of(text))] == list(forms_of(text))


def test_words_without_a_digit_are_names_and_not_compared() -> None:
    text = "postgres://orders-service@database-primary/customers was moved to another-machine"
    assert not {"orders-service", "database-primary", "customers", "another-machine"} & set(words_of(text))
    assert "correct-horse" in set(words_of("PASSWORD=correct-horse"))


def test_a_text_has_a_bounded_number_of_words_and_a_key_in_pem_none() -> None:
    assert len(list(words_of(" ".join(f"number-{number}" for number in range(10_000))))) == WORDS_MAX
    assert not list(words_of("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n"))
    assert list(words_of("value-12 " * 20_000)) == ["value-12"]


@pytest.mark.parametrize(
    "text", ["http://[::1", "0x", "0xg", "%", "%%%", "a=" * 1000, "://:@", "\ud800:x=1", "=" * 100]
)
def test_every_text_has_words(text: str) -> None:
    assert forms_below(text) == forms_below(text)
    assert encoded_forms_of(text, is_below=True) is not None


def test_names_of_keys_with_a_digit_could_be_values() -> None:
    values = {
        "password": "x",
        "sk_live_51Habc": {"in-4-depths": [{"deep-5-names": 1}]},
        "k1": "short",
        "DB_PASSWORD": "y",
    }
    assert list(names_in(values)) == ["sk_live_51Habc", "in-4-depths", "deep-5-names"]
