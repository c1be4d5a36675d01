from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.crypto.aead import Damaged, draw, draw_key, open_sealed, open_text, seal, wipe
from strongroom.logical.ambient import SystemEntropy

# McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test case 16.
KEY = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
NONCE = bytes.fromhex("cafebabefacedbaddecaf888")
ASSOCIATED = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
PLAINTEXT = bytes.fromhex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)
CIPHERTEXT = bytes.fromhex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
)
TAG = bytes.fromhex("76fc6ece0f4e1768cddf8853bb2d551b")


class Fixed:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def bytes(self, count: int) -> bytes:
        return self._content[:count]

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


class Seeded:
    def __init__(self) -> None:
        self.bytes = Random(5).randbytes

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


def test_the_published_vector_is_met() -> None:
    assert seal(KEY, PLAINTEXT, ASSOCIATED, Fixed(NONCE)) == NONCE + CIPHERTEXT + TAG
    assert open_sealed(KEY, NONCE + CIPHERTEXT + TAG, ASSOCIATED) == PLAINTEXT


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_what_is_sealed_is_opened_into_a_wipeable_buffer(plaintext: bytes, associated: bytes) -> None:
    key = bytearray(range(32))
    opened = open_sealed(key, seal(key, bytearray(plaintext), associated, Seeded()), associated)
    assert isinstance(opened, bytearray)
    assert opened == plaintext


def test_every_change_is_refused_with_one_error() -> None:
    sealed = NONCE + CIPHERTEXT + TAG
    wrong = [sealed[:length] for length in range(len(sealed))]
    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        wrong.append(bytes(changed))
    texts = set()
    for bad in wrong:
        with pytest.raises(Damaged) as refused:
            open_sealed(KEY, bad, ASSOCIATED)
        texts.add(str(refused.value))
    assert len(texts) == 1


def test_another_key_or_other_associated_data_is_refused() -> None:
    for key, associated in ((bytes(32), ASSOCIATED), (KEY, ASSOCIATED + b"\x00"), (KEY, b"")):
        with pytest.raises(Damaged):
            open_sealed(key, NONCE + CIPHERTEXT + TAG, associated)


@pytest.mark.parametrize("length", [0, 16, 24, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        seal(bytes(length), b"", b"", Seeded())


def test_too_few_random_bytes_are_an_error() -> None:
    with pytest.raises(OSError, match="too few"):
        draw(16, Fixed(bytes(15)))
    with pytest.raises(OSError, match="too few"):
        seal(KEY, b"", b"", Fixed(bytes(11)))
    with pytest.raises(OSError, match="too few"):
        draw_key(Fixed(b""))


def test_wiping_leaves_only_zeros_in_place() -> None:
    first, second = bytearray(b"secret"), bytearray(b"key")
    alias = first
    wipe(first, second)
    assert not any(alias)
    assert not any(second)
    assert (len(alias), len(second)) == (6, 3)


def test_a_text_opens_as_what_was_sealed_and_refuses_everything_else() -> None:
    sealed = seal(bytes(32), b"text", b"place", SystemEntropy())
    assert open_text(bytes(32), sealed, b"place") == b"text" == open_sealed(bytes(32), sealed, b"place")
    for content, place in ((sealed[:-1], b"place"), (sealed, b"other"), (b"", b"place"), (bytes(27), b"place")):
        with pytest.raises(Damaged):
            open_text(bytes(32), content, place)
    with pytest.raises(Damaged):
        open_text(bytes([1]) * 32, sealed, b"place")
