from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.encoding.uuid4 import RANDOM_BYTES, uuid4_text


@given(st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
def test_it_is_what_the_standard_library_makes_of_the_same_bytes(drawn: bytes) -> None:
    assert uuid4_text(drawn) == str(uuid.UUID(bytes=drawn, version=4))


@pytest.mark.parametrize("count", [0, 15, 17])
def test_too_little_randomness_makes_none(count: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        uuid4_text(bytes(count))
