from __future__ import annotations

import base64
from random import Random

import pytest
from tests.scanner.rules.samples import expand

from strongroom.scanner.rules import plausible


@pytest.mark.parametrize("template", ["{base62:24}", "{hex:32}", "{base62:64}", "{uuid}", "{base64url:43}"])
def test_what_was_drawn_at_random_looks_it(template: str) -> None:
    random = Random(template)
    seen = [plausible.drawn_at_random(expand(template, random).encode()) for _ in range(1000)]
    assert sum(seen) > 970


@pytest.mark.parametrize(
    "value",
    [
        b"your-api-key-goes-here-1234",
        b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"0123456789abcdef0123456789abcdef",
        b"00000000000000000000000000000000",
        b"EXAMPLEKEY1234567890abcdEFGH",
        b"process.env.GITHUB_TOKEN_VALUE",
        b"MyGoogleClientIdentifier",
        b"12345678901234567890",
    ],
)
def test_what_people_write_does_not(value: bytes) -> None:
    assert not plausible.drawn_at_random(value)


@pytest.mark.parametrize(
    "value",
    [
        b"password",
        b"Password123",
        b"changeme",
        b"${DB_PASSWORD}",
        b"DB_PASSWORD",
        b"guest",
        b"xxxx",
        b"<secret>",
        b"%s",
    ],
)
def test_the_passwords_of_tutorials_are_none(value: bytes) -> None:
    assert not plausible.password_in_url(value)


@pytest.mark.parametrize("value", [b"k3Yq9zLmP1", b"correct-horse-battery", b"Tr0ub4dor&3"])
def test_the_passwords_of_people_are_some(value: bytes) -> None:
    assert plausible.password_in_url(value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [("deploy:k3Yq9zLmP1", True), ("user:password", False), ("nocolon", False), ("k3Yq9zLmP1kq:", True)],
)
def test_basic_credentials_are_a_name_and_a_password(text: str, holds: bool) -> None:  # noqa: FBT001 -- a row of the table
    assert plausible.basic_credentials(base64.b64encode(text.encode())) is holds


@pytest.mark.parametrize("value", [b"not base64!", b"\xff\xfe", b"AAAA", b""])
def test_what_is_no_base64_holds_no_credentials(value: bytes) -> None:
    assert not plausible.basic_credentials(value)
