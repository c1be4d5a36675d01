from __future__ import annotations

import itertools
import json
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from strongroom.barrier.keyring import Term
from strongroom.barrier.record import RecordCipher
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Entropy
from strongroom.physical.store import Record

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "barrier_record.json").read_text())


class Fixed:
    """The same bytes each time: for vectors only."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def bytes(self, count: int) -> bytes:
        return self._content[:count]

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


class Seeded:
    def __init__(self) -> None:
        self.bytes = Random(3).randbytes

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


def cipher(entropy: Entropy, *terms: int, keyring_id: int = 0, tenant: str = "root") -> RecordCipher:
    known = [Term(number, 0, 0, bytearray([number]) * 32) for number in terms]
    return RecordCipher({keyring_id: known}, entropy, tenant)


def refusal(opener: RecordCipher, key: str, record: Record) -> str:
    with pytest.raises(Damaged) as refused:
        opener.open(key, record)
    assert refused.value.__cause__ is None
    return str(refused.value)


@given(st.text(max_size=20), st.integers(0, 2**63 - 1), st.binary(max_size=100))
def test_what_is_sealed_is_opened_at_the_same_place(key: str, version: int, plaintext: bytes) -> None:
    both = cipher(Seeded(), 1, 2)
    record = both.seal(key, version, plaintext)
    assert both.open(key, record) == plaintext
    assert record.version == version
    assert len(record.value) == len(plaintext) + 35


def test_the_last_term_seals_and_all_of_them_open() -> None:
    old = cipher(Seeded(), 1).seal("k", 1, b"old")
    both = cipher(Seeded(), 1, 2)
    assert both.open("k", old) == b"old"
    assert refusal(cipher(Seeded(), 1), "k", both.seal("k", 2, b"new")) == str(Damaged())


def test_every_flipped_bit_is_refused_alike() -> None:
    known = cipher(Seeded(), 1, 2, 3)
    record = known.seal("k", 5, b"value")
    texts = set()
    for bit in range(8 * len(record.value)):
        changed = bytearray(record.value)
        changed[bit // 8] ^= 1 << bit % 8
        texts.add(refusal(known, "k", Record(5, bytes(changed))))
    assert texts == {str(Damaged())}


def test_every_cut_and_every_addition_is_refused_alike() -> None:
    known = cipher(Seeded(), 1)
    record = known.seal("k", 5, b"value")
    texts = {refusal(known, "k", Record(5, record.value[:length])) for length in range(len(record.value))}
    texts |= {refusal(known, "k", Record(5, record.value + b"\x00")), refusal(known, "k", Record(-1, record.value))}
    assert texts == {str(Damaged())}


@pytest.mark.parametrize("other", ["", "K", "k/", "k\x00", "ka", "/k"])
def test_a_record_moved_to_another_key_is_refused(other: str) -> None:
    known = cipher(Seeded(), 1)
    assert refusal(known, other, known.seal("k", 5, b"value")) == str(Damaged())


@pytest.mark.parametrize("other", [0, 4, 6, 2**63 - 1])
def test_a_record_replayed_at_another_version_is_refused(other: int) -> None:
    known = cipher(Seeded(), 1)
    assert refusal(known, "k", Record(other, known.seal("k", 5, b"value").value)) == str(Damaged())


def test_a_record_of_another_tenant_or_keyring_is_refused_even_under_the_same_key() -> None:
    record = cipher(Seeded(), 1).seal("k", 5, b"value")
    for opener in (cipher(Seeded(), 1, tenant="other"), cipher(Seeded(), 1, keyring_id=1)):
        assert refusal(opener, "k", record) == str(Damaged())


def test_a_part_of_the_key_cannot_pass_for_a_part_of_the_tenant() -> None:
    record = cipher(Seeded(), 1, tenant="ab").seal("c", 5, b"value")
    assert refusal(cipher(Seeded(), 1, tenant="a"), "bc", record) == str(Damaged())


def test_the_nonce_is_new_for_each_sealing() -> None:
    known = cipher(Seeded(), 1)
    nonces = {known.seal("k", number, b"same").value[7:19] for number in range(1000)}
    assert len(nonces) == 1000


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_a_frozen_record_gets_the_verdict_it_always_got(vector: dict[str, str | int]) -> None:
    terms = [Term(int(number), 0, 0, bytearray.fromhex(key)) for number, key in VECTORS["terms"].items()]
    opener = RecordCipher({0: terms}, Seeded(), "root")
    record = Record(int(vector["version"]), bytes.fromhex(str(vector["record"])))
    if vector["expect"] == "opens":
        assert opener.open(str(vector["key"]), record) == bytes.fromhex(str(vector["plaintext"]))
        nonce = record.value[7:19]
        sealed = RecordCipher({0: terms}, Fixed(nonce), "root").seal(
            str(vector["key"]), record.version, bytes.fromhex(str(vector["plaintext"]))
        )
        if record.value[3:7] == max(terms, key=lambda term: term.number).number.to_bytes(4, "big"):
            assert sealed == record
    else:
        assert refusal(opener, str(vector["key"]), record) == str(Damaged())


def test_the_vectors_hold_both_verdicts() -> None:
    counted = {
        verdict: len(list(group))
        for verdict, group in itertools.groupby(sorted(v["expect"] for v in VECTORS["vectors"]))
    }
    assert counted["opens"] >= 4
    assert counted["damaged"] >= 10


def test_the_page_about_the_format_is_enough_to_write_another_reader() -> None:
    """An independent reader, written from docs/formats/barrier-record.md alone."""
    vector = VECTORS["vectors"][0]
    value = bytes.fromhex(vector["record"])
    term = int.from_bytes(value[3:7], "big")
    label, tenant, key = b"strongroom record", b"root", vector["key"].encode()
    associated = bytes([len(label)]) + label + value[:7]
    associated += len(tenant).to_bytes(4, "big") + tenant + len(key).to_bytes(4, "big") + key
    associated += vector["version"].to_bytes(8, "big")
    opened = AESGCM(bytes.fromhex(VECTORS["terms"][str(term)])).decrypt(value[7:19], value[19:], associated)
    assert opened == bytes.fromhex(vector["plaintext"])
