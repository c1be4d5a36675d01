from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.kit import SeededEntropy

from strongroom.encoding.base62 import ALPHABET, number, random_text


class Constant:
    """An entropy that starts with bytes that would bias the letters, and then gives good ones."""

    def __init__(self) -> None:
        self.calls = 0

    def bytes(self, count: int) -> bytes:
        self.calls += 1
        return bytes([255] * count) if self.calls == 1 else bytes([61] * count)

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


def test_the_alphabet_has_62_different_letters() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 62


@given(st.integers(0, 200), st.text())
def test_a_random_text_has_the_length_that_was_asked_and_only_letters_of_the_alphabet(length: int, seed: str) -> None:
    text = random_text(length, SeededEntropy(seed))
    assert len(text) == length
    assert set(text) <= set(ALPHABET)


def test_bytes_that_would_make_some_letters_likelier_are_dropped() -> None:
    assert random_text(4, Constant()) == "zzzz"


def test_every_letter_is_about_as_likely() -> None:
    counts = Counter(random_text(62_000, SeededEntropy()))
    assert len(counts) == 62
    assert all(850 < count < 1150 for count in counts.values())


@given(st.integers(0, 10**40), st.integers(1, 12))
def test_a_number_is_written_modulo_its_width(value: int, width: int) -> None:
    text = number(value, width)
    assert len(text) == width
    back = 0
    for letter in text:
        back = back * 62 + ALPHABET.index(letter)
    assert back == value % 62**width
