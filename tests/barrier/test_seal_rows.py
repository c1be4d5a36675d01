from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.keyring import Keyring, Term
from strongroom.barrier.keyrings import Keyrings
from strongroom.barrier.keys import Keys
from strongroom.barrier.recovery import proves
from strongroom.barrier.seal_rows import (
    CONFIG_KEY,
    FORMER_KEY,
    RECOVERY_KEY,
    ROOT_KEY_KEY,
    SealConfig,
    SealRows,
    encode_row,
    read_seal_rows,
)
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.crypto.aead import Damaged
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Record

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "seal_rows.json").read_text())
KEYS = {name: bytearray.fromhex(VECTORS[name]) for name in ("root_key", "first_term_key", "recovery_key", "unseal_key")}


def rows_with(key: str, value: str) -> SealRows:
    store = MemoryStore()
    rows = {CONFIG_KEY: encode_row(SealConfig("static", 0, 0)), ROOT_KEY_KEY: b"wrapped", key: value.encode()}
    store.commit({}, {name: Record(1, content) for name, content in rows.items()}, ())
    with store.snapshot() as snapshot:
        found = read_seal_rows(snapshot)
    assert found is not None
    return found


def verdict(rows: SealRows, surroundings: Surroundings) -> str:
    ring = Keyring(0, 1, (Term(1, 0, 1, bytearray(KEYS["first_term_key"])),))
    keys = Keys(surroundings.store, surroundings.clock, surroundings.entropy, KEYS["root_key"], Keyrings({0: ring}))
    barrier = Barrier(surroundings, keys)
    if (former := rows.former_unseal) is not None:
        opened = ShamirSeal(bytearray(KEYS["unseal_key"]), surroundings.entropy).unwrap(former.root_key)
        return "opens" if opened == KEYS["root_key"] else "opens something else"
    row = rows.recovery or rows.former_recovery
    assert row is not None
    try:
        return "proves" if proves(barrier, KEYS["recovery_key"], row) else "does not prove"
    except Damaged:
        return "damaged"


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_frozen_rows_keep_their_meaning(vector: dict[str, Any], surroundings: Surroundings) -> None:
    key = RECOVERY_KEY if vector["row"] == "recovery" else FORMER_KEY
    if vector["expect"] == "unreadable":
        with pytest.raises(Damaged):
            rows_with(key, vector["value"])
    else:
        assert verdict(rows_with(key, vector["value"]), surroundings) == vector["expect"]


def test_without_a_configuration_there_are_no_rows_and_without_a_root_key_they_are_damaged() -> None:
    store = MemoryStore()
    with store.snapshot() as snapshot:
        assert read_seal_rows(snapshot) is None
    store.commit({}, {CONFIG_KEY: Record(1, encode_row(SealConfig("shamir", 1, 1)))}, ())
    with store.snapshot() as snapshot, pytest.raises(Damaged):
        read_seal_rows(snapshot)
