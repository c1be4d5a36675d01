from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.crypto.fingerprint import fingerprint, from_digest

KEY = bytes(range(32))


def test_a_fingerprint_never_changes_its_form() -> None:
    frozen = "12f675a40214a0eb34afecc5dbdbbab92ba5c7fd7ac040bcb3b4ed0e0edd11bb"
    assert fingerprint(KEY, b"hunter2").hex() == frozen


@given(st.binary(max_size=100))
def test_a_digest_gives_the_same_fingerprint_as_the_value(value: bytes) -> None:
    digest = hashlib.sha256(value).digest()
    assert from_digest(KEY, digest) == fingerprint(KEY, value)
    assert fingerprint(KEY, value) == hmac.new(KEY, digest, hashlib.sha256).digest()
    assert fingerprint(bytearray(32), value) != fingerprint(KEY, value)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_what_is_no_digest_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        from_digest(KEY, bytes(length))
