from __future__ import annotations

import base64
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.barrier.shares import ShareCollector, decode_share, new_nonce, split
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import InvalidRequest


class Seeded:
    def __init__(self) -> None:
        self.bytes = Random(5).randbytes

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


@given(st.binary(min_size=16, max_size=33))
def test_a_share_is_the_same_in_hex_and_in_base64(share: bytes) -> None:
    assert decode_share(share.hex()) == share
    assert decode_share(share.hex().upper()) == share
    text = base64.b64encode(share).decode()
    if re.fullmatch("[0-9a-fA-F]*", text) is None:
        assert decode_share(text) == share


@given(st.text(min_size=6, max_size=60))
def test_any_text_is_a_share_or_an_invalid_request_that_does_not_show_it(text: str) -> None:
    complaint = ""
    try:
        assert 16 <= len(decode_share(text)) <= 33
    except InvalidRequest as refused:
        complaint = str(refused)
    assert text not in complaint


def test_shares_are_complete_at_the_threshold_and_wiped_when_combined() -> None:
    secret = bytearray(range(32))
    shares = split(secret, 3, 2, Seeded())
    collector = ShareCollector(2, "nonce")
    given_in = [bytearray(shares[0]), bytearray(shares[0]), bytearray(shares[2]), bytearray(shares[1])]
    progress = []
    for share in given_in:
        collector.submit(share)
        progress.append(collector.progress)
    assert progress == [1, 1, 2, 2]
    assert collector.combine() == secret
    assert not any(any(share) for share in given_in)
    assert collector.progress == 0


def test_a_reset_wipes_the_shares() -> None:
    collector = ShareCollector(3, "nonce")
    share = bytearray(b"s" * 33)
    collector.submit(share)
    collector.reset()
    assert not any(share)
    assert not collector.is_complete


def test_a_single_share_is_the_secret_itself() -> None:
    secret = bytearray(range(32))
    (share,) = split(secret, 1, 1, Seeded())
    collector = ShareCollector(1, "nonce")
    collector.submit(share)
    assert collector.combine() == secret


@pytest.mark.parametrize("shares", [[], [b"a" * 33], [b"a" * 33, b"b" * 32], [b"a" * 33, b"b" * 32 + b"a"]])
def test_shares_that_cannot_belong_together_are_damaged(shares: list[bytes]) -> None:
    collector = ShareCollector(2, "nonce")
    for share in shares:
        collector.submit(bytearray(share))
    with pytest.raises(Damaged):
        collector.combine()
    assert collector.progress == 0


def test_nonces_are_uuids_that_differ() -> None:
    entropy = Seeded()
    nonces = {new_nonce(entropy) for _ in range(100)}
    assert len(nonces) == 100
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", n) for n in nonces)
