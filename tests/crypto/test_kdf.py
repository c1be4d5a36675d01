from __future__ import annotations

import pytest

from strongroom.crypto.kdf import derive

# RFC 5869, appendix A, test cases 1 to 3: key, salt, purpose, length, derived.
RFC_5869 = [
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)).hex(),
        bytes(range(0x60, 0xB0)).hex(),
        bytes(range(0xB0, 0x100)).hex(),
        (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
    ),
    ("0b" * 22, "", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
]


@pytest.mark.parametrize(("key", "salt", "purpose", "derived"), RFC_5869, ids=["1", "2", "3"])
def test_the_vectors_of_the_rfc_are_met(key: str, salt: str, purpose: str, derived: str) -> None:
    found = derive(bytes.fromhex(key), bytes.fromhex(purpose), len(derived) // 2, bytes.fromhex(salt))
    assert found.hex() == derived


def test_the_result_can_be_wiped_and_depends_on_the_purpose() -> None:
    key = bytearray(32)
    assert isinstance(derive(key, b"one"), bytearray)
    assert len(derive(key, b"one")) == 32
    assert derive(key, b"one") != derive(key, b"two")
