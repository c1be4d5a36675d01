"""Which values are looked for."""

from __future__ import annotations

import pytest
from tests.scanner.known.conftest import held
from tests.scanner.known.test_finding import PEM

from strongroom.scanner.known.held import leaves, sort
from strongroom.scanner.known.worth import guess_bits, is_guessable, left_out


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD", b"hunter2"),
        ("PASSWORD", b"aaaaaaaaaaaa"),
        ("PASSWORD", b"password"),
        ("PASSWORD", b"        "),
        ("tls", PEM.replace(b"PRIVATE KEY", b"CERTIFICATE") * 2),
        ("ssh", b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGx1 me@host"),
        ("region", b"us-east-1"),
        ("host", b"localhost:5432"),
        ("url", b"https://api.example.com/v1"),
        ("url", b"http://localhost:8080"),
        ("mode", b"production"),
        ("class", b"com.example.Main"),
        ("mail", b"admin@example.com"),
        ("file", b"/etc/ssl/private/key.pem"),
        ("port", b"12345678"),
        ("x", b"x" * (1024 * 1024 + 1)),
    ],
)
def test_what_everybody_writes_is_left_out_with_a_reason(name: str, value: bytes) -> None:
    assert left_out(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD", b"hunter22"),
        ("PASSWORD", b"correct horse battery staple"),
        ("value", b"x7Kp2mQ9vB"),
        ("value", b"Tr0ub4dor-and-3-more"),
        ("url", b"postgres://app:secret@db.internal/app"),
        ("hook", b"https://hooks.example.com/services/T00A1B2C3/B0D4E5F6/x8Gh2Kq9LmZ4"),
        ("k", PEM),
        ("id", b"6f1c9f6e-8d0b-4c3a-9f51-2f6f0f0c9a7e"),
        ("data", b"f3a1b2c4d5e697887960514233241506"),
    ],
)
def test_what_is_a_secret_is_looked_for(name: str, value: bytes) -> None:
    assert left_out(name, value) == ""


def test_what_is_left_out_is_named_and_never_shown() -> None:
    found = sort(held(b"hunter2", b"Tr0ub4dor-and-3-more"))

    assert [one.value for one in found.worth] == [b"Tr0ub4dor-and-3-more"]
    assert list(found.notes()) == ["Not looked for: secret/app1: PASSWORD (shorter than 8 characters)"]


def test_many_that_are_left_out_are_counted() -> None:
    found = sort(held(*(b"short%d" % number for number in range(10)), b"small", b"tiny"))

    assert next(found.notes(2)).endswith(", and 10 more")


def test_guesses_are_rated_by_words_and_not_by_letters() -> None:
    assert guess_bits(b"password123") < guess_bits(b"x7Kp2mQ9vB3") < guess_bits(b"x7Kp2mQ9vB3nR5tY8w")
    assert is_guessable(b"Summer2026!")
    assert not is_guessable(b"x7Kp2mQ9vB3nR5tY8w")


def test_the_texts_and_numbers_in_a_secret_are_its_values() -> None:
    data = {"a": "x", "b": {"c": ["y", 12345678, 1.5, True, None]}, "d": ""}

    assert list(leaves(data)) == [("a", b"x"), ("b", b"y"), ("b", b"12345678"), ("b", b"1.5")]
