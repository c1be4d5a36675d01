"""The system's own randomness; everything else takes it as an argument."""

from __future__ import annotations

import pytest

from strongroom.logical.ambient import SystemEntropy


@pytest.mark.parametrize("size", [0, 1, 32, 256, 257, 1000])
def test_a_buffer_is_filled_from_end_to_end(size: int) -> None:
    buffer = bytearray(size)
    seen = bytearray(size)
    for _ in range(40):
        SystemEntropy().fill(buffer)
        seen = bytearray(old | new for old, new in zip(seen, buffer, strict=True))
    assert len(buffer) == size
    assert all(seen), "a place that is never filled stays zero"


def test_a_buffer_gets_other_bytes_each_time() -> None:
    one, other = bytearray(32), bytearray(32)
    SystemEntropy().fill(one)
    SystemEntropy().fill(other)
    assert one != other
