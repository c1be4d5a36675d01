from __future__ import annotations

import base64
import json
import re
import shlex
import textwrap
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strongroom.delivery.encodings import forms
from strongroom.delivery.redact import Known, Redactor

SECRET = "p4ss/w+rd \"q$'é?>~"
MASKED = b"[redacted: P]"
ENCODED = {
    "plain": SECRET,
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 url": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "hex": SECRET.encode().hex(),
    "HEX": SECRET.encode().hex().upper(),
    "percent": urllib.parse.quote(SECRET, safe=""),
    "percent of paths": urllib.parse.quote(SECRET),
    "form": urllib.parse.quote_plus(SECRET),
    "json": json.dumps(SECRET)[1:-1],
    "json with letters": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "json in json": json.dumps(json.dumps(SECRET)[1:-1])[1:-1],
    "shell": shlex.quote(SECRET)[1:-1],
    "double quotes": "p4ss/w+rd \\\"q\\$'é?>~",
}


def fed(known: Known, *parts: bytes) -> bytes:
    redactor = Redactor(known)
    return b"".join([*(redactor.feed(part) for part in parts), redactor.finish()])


@pytest.mark.parametrize("encoding", ENCODED)
def test_a_secret_is_masked_in_every_encoding_wherever_the_writes_are_split(encoding: str) -> None:
    known = Known({"P": SECRET})
    text = f"before {ENCODED[encoding]} after\n".encode()
    for cut in range(len(text) + 1):
        assert fed(known, text[:cut], text[cut:]) == b"before [redacted: P] after\n"
    assert fed(known, *(bytes([byte]) for byte in text)) == b"before [redacted: P] after\n"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_within_something_longer_is_masked_in_base64(before: str, encode: object) -> None:
    assert callable(encode)
    text = encode(f"{before}{SECRET}:tail".encode())
    shown = fed(Known({"P": SECRET}), text)
    assert MASKED in shown
    # What is left on both sides is not enough to tell a byte of it.
    assert len(shown) <= len(text) - len(SECRET.encode()) + len(MASKED)


def test_each_line_of_a_value_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIabcdefghijkl\nshort\n0123456789ABCDEF\n-----END KEY-----\n"
    known = Known({"K": key})
    assert fed(known, b"| MIIabcdefghijkl\n| short\n| 0123456789ABCDEF\r\n") == (
        b"| [redacted: K]\n| short\n| [redacted: K]\r\n"
    )
    assert fed(known, json.dumps({"k": key}).encode()) == b'{"k": "[redacted: K]"}'
    assert fed(known, key.replace("\n", "\r\n").encode()).count(b"redacted") == 1


def test_a_long_value_is_masked_as_one_and_in_parts() -> None:
    value = "".join(chr(33 + (number * 7) % 90) for number in range(5000))
    known = Known({"L": value})
    assert fed(known, b"<" + value.encode() + b">") == b"<[redacted: L]>"
    assert known.longest < 128
    assert value[70:4000].encode() not in fed(known, value[:4000].encode())


@pytest.mark.parametrize(
    "encode",
    [base64.encodebytes, lambda content: "\n".join(textwrap.wrap(base64.b64encode(content).decode(), 64)).encode()],
)
def test_base64_that_is_broken_into_lines_is_masked(encode: Callable[[bytes], bytes]) -> None:
    value = "".join(chr(33 + (number * 7) % 90) for number in range(400))
    shown = fed(Known({"L": value}), encode(value.encode()))
    assert re.fullmatch(rb"(\[redacted: L\]\n?|[A-Za-z0-9+/=]{1,7}\n?)+", shown)


def test_short_values_are_left_and_named() -> None:
    known = Known({"SHORT": "1234567", "EMPTY": "", "LONG": "12345678"})
    assert known.skipped == ["SHORT"]
    assert fed(known, b"1234567 12345678") == b"1234567 [redacted: LONG]"


def test_secrets_that_overlap_are_masked_together() -> None:
    known = Known({"A": "abcdefgh-1234", "B": "1234-ijklmnop", "C": "abcdefgh"})
    assert fed(known, b"x abcdefgh-1234-ijklmnop y abcdefgh z") == b"x [redacted: A] y [redacted: C] z"


def test_a_prompt_does_not_wait_for_ever() -> None:
    redactor = Redactor(Known({"P": "Password-of-ana"}))
    assert redactor.feed(b"Pass") == b""
    waits = redactor.is_holding
    assert redactor.release() == b"Pass"
    assert (waits, redactor.is_holding) == (True, False)
    assert redactor.feed(b"word-of-ana\n") == b"[redacted: P]\n"


def test_less_than_half_of_a_secret_shows_however_slowly_it_comes() -> None:
    secret = "0123456789abcdef"
    redactor = Redactor(Known({"P": secret}))
    shown = b"".join(redactor.feed(bytes([byte])) + redactor.release() for byte in secret.encode()) + redactor.finish()
    assert shown == b"01234567[redacted: P]"


def test_half_of_a_secret_and_the_end_is_masked() -> None:
    redactor = Redactor(Known({"P": "0123456789abcdef"}))
    assert redactor.feed(b"x 0123456789") == b"x "
    assert redactor.release() == b"[redacted: P]"
    assert redactor.feed(b"zzz\n") == b"zzz\n"


def test_a_short_secret_at_the_start_of_a_long_one_does_not_slip_out() -> None:
    redactor = Redactor(Known({"LONG": "abcdefgh" + "x" * 60, "SHORT": "abcdefgh"}))
    assert redactor.feed(b"abcdefgh") == b""
    assert redactor.release() == b"[redacted: SHORT]"
    assert redactor.feed(b" y\n") == b" y\n"


def test_new_values_are_learned_and_old_ones_remembered() -> None:
    redactor = Redactor(Known({"P": "old-value-1"}))
    redactor.feed(b"old-va")
    redactor.learn(Known([("P", "old-value-1"), ("P", "new-value-2")]))
    assert redactor.feed(b"lue-1 new-value-2\n") == b"[redacted: P] [redacted: P]\n"


@given(
    st.lists(st.sampled_from(["abcdefgh", "abcdefghij", "bcdefgha", "aaaaaaaab"]), min_size=1, max_size=3, unique=True),
    st.lists(st.text("abcdefghij", max_size=12) | st.sampled_from(["abcdefgh", "aaaaaaaaab"]), max_size=8),
    st.lists(st.integers(0, 60), max_size=8),
    st.booleans(),
)
@example(["aaaaaaaab"], ["aaaaaaaaaaaab"], [3, 9], True)
def test_no_secret_is_ever_shown_and_nothing_else_is_lost(
    secrets: list[str],
    texts: list[str],
    cuts: list[int],
    pauses: bool,  # noqa: FBT001 -- a drawn value
) -> None:
    text = "".join(texts).encode()
    redactor = Redactor(Known([("P", secret) for secret in secrets]))
    shown, last = b"", 0
    for cut in [*sorted(cuts), len(text)]:
        shown += redactor.feed(text[last:cut])
        shown += redactor.release() if pauses else b""
        last = max(last, cut)
    shown += redactor.finish()
    assert not any(secret.encode() in shown for secret in secrets)
    if not any(secret.encode() in text for secret in secrets) and not pauses:
        halves = [secret[: len(secret) // 2 + 1].encode() for secret in secrets]
        assert shown == text or any(half in text for half in halves)


@given(st.text(min_size=8, max_size=40))
def test_every_form_of_a_value_is_at_least_as_long_as_the_shortest(value: str) -> None:
    assert all(len(form) >= 8 for form in forms(value))


def test_nothing_shows_a_value_by_accident() -> None:
    known = Known({"P": "CANARY-value"})
    redactor = Redactor(known)
    redactor.feed(b"CANARY")
    assert "CANARY" not in repr(known) + repr(redactor)
