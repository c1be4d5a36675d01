from __future__ import annotations

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from strongroom.crypto.keyed_hash import KeyedHash


@given(st.binary(min_size=1, max_size=200), st.binary(max_size=300))
def test_it_is_hmac_sha_256_for_keys_of_any_length(key: bytes, value: bytes) -> None:
    hashed = KeyedHash(key)
    for _ in range(2):  # the first value leaves nothing behind that the second would meet
        assert hashed.digest(value) == hmac.digest(key, value, hashlib.sha256)
        assert hashed.hexdigest(value) == hmac.digest(key, value, hashlib.sha256).hex()


def test_it_does_not_show_its_key() -> None:
    assert "canary" not in repr(KeyedHash(b"canary-canary-canary"))
