from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.barrier.keyring import (
    Keyring,
    Term,
    new_keyring,
    open_counter,
    open_keyring,
    seal_counter,
    seal_keyring,
)
from strongroom.crypto.aead import Damaged
from strongroom.physical.store import Record

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "keyring.json").read_text())
ROOT_KEY = bytearray.fromhex(VECTORS["root_key"])
U64 = st.integers(0, 2**63 - 1)


class Seeded:
    def __init__(self) -> None:
        self.bytes = Random(5).randbytes

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


@given(U64, st.lists(st.tuples(U64, U64, st.binary(min_size=32, max_size=32)), min_size=1, max_size=5))
def test_a_stored_keyring_is_read_back_whole(revision: int, terms: list[tuple[int, int, bytes]]) -> None:
    keyring = Keyring(
        0, revision, tuple(Term(number, at, first, bytearray(key)) for number, (at, first, key) in enumerate(terms))
    )
    record = seal_keyring(ROOT_KEY, keyring, Seeded())
    assert open_keyring(ROOT_KEY, 0, record) == keyring


@given(U64)
def test_a_stored_counter_is_read_back(reserved_to: int) -> None:
    assert open_counter(ROOT_KEY, 0, seal_counter(ROOT_KEY, 0, reserved_to, Seeded())) == reserved_to


def test_a_new_term_is_active_and_the_older_ones_stay() -> None:
    first = new_keyring(10, 1, Seeded())
    second = first.with_new_term(20, 500, Seeded())
    assert (first.active.number, second.active.number) == (1, 2)
    assert (second.active.installed_ns, second.active.first_invocation) == (20, 500)
    assert second.terms[:1] == first.terms
    assert second.revision == first.revision + 1


def test_no_key_shows_in_the_repr_of_a_keyring() -> None:
    keyring = Keyring(0, 1, (Term(1, 0, 0, bytearray(b"K" * 32)),))
    assert "KKK" not in repr(keyring)


def test_wiping_overwrites_each_key() -> None:
    keyring = new_keyring(0, 1, Seeded()).with_new_term(0, 1, Seeded())
    keyring.wipe()
    assert not any(any(term.key) for term in keyring.terms)


@pytest.mark.parametrize("opener", [open_keyring, open_counter])
def test_an_absent_record_is_refused_like_a_damaged_one(opener: Any) -> None:
    with pytest.raises(Damaged):
        opener(ROOT_KEY, 0, None)


def test_every_flipped_bit_of_a_keyring_is_refused() -> None:
    record = seal_keyring(ROOT_KEY, new_keyring(0, 1, Seeded()), Seeded())
    for bit in range(8 * len(record.value)):
        changed = bytearray(record.value)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Damaged):
            open_keyring(ROOT_KEY, 0, Record(record.version, bytes(changed)))


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_a_frozen_record_gets_the_verdict_it_always_got(vector: dict[str, Any]) -> None:
    record = Record(vector["version"], bytes.fromhex(vector["record"]))
    opener: Any = open_keyring if vector["kind"] == "keyring" else open_counter
    if vector["expect"] == "damaged":
        with pytest.raises(Damaged):
            opener(ROOT_KEY, 0, record)
    elif vector["kind"] == "counter":
        assert open_counter(ROOT_KEY, 0, record) == vector["reserved_to"]
    else:
        found = open_keyring(ROOT_KEY, 0, record)
        wanted = vector["keyring"]
        assert (found.id, found.revision) == (wanted["id"], wanted["revision"])
        shown = [
            {
                "number": term.number,
                "installed_ns": term.installed_ns,
                "first_invocation": term.first_invocation,
                "key": term.key.hex(),
            }
            for term in found.terms
        ]
        assert shown == wanted["terms"]
