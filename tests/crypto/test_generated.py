from __future__ import annotations

import re
from collections import Counter

import pytest
from tests.kit import SeededEntropy

from strongroom.crypto.generated import KINDS, LENGTH_MAX, BadKind, check_kind, draw_value

FORMS = {
    "password": r"[A-Za-z0-9!#%*+./:=?@^_~-]{32}",
    "alphanumeric": r"[A-Za-z0-9]{32}",
    "digits": r"[0-9]{16}",
    "hex": r"[0-9a-f]{64}",
    "base64": r"[A-Za-z0-9+/]{43}=",
    "token": r"[A-Za-z0-9_-]{43}",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_has_the_form_of_its_kind(kind: str) -> None:
    assert re.fullmatch(FORMS[kind], draw_value(kind, SeededEntropy()))


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_values_are_the_same(kind: str) -> None:
    entropy = SeededEntropy()
    assert len({draw_value(kind, entropy) for _ in range(50)}) == 50


def test_a_length_can_be_named() -> None:
    assert len(draw_value("password:9", SeededEntropy())) == 9
    assert len(draw_value("hex:9", SeededEntropy())) == 18
    assert len(draw_value(f"digits:{LENGTH_MAX}", SeededEntropy())) == LENGTH_MAX


@pytest.mark.parametrize(
    "kind", ["", "poem", "hex:", "hex:7", "hex:4097", "hex:-9", "hex:9x", "Hex", "hex:99999999999"]
)
def test_what_is_no_kind_is_refused(kind: str) -> None:
    with pytest.raises(BadKind):
        check_kind(kind)


def test_every_character_is_as_likely_as_every_other() -> None:
    counts = Counter(draw_value("password:4096", SeededEntropy()) + draw_value("password:4096", SeededEntropy("other")))
    average = sum(counts.values()) / len(counts)
    assert len(counts) == 77
    assert all(0.5 * average < count < 1.6 * average for count in counts.values())
