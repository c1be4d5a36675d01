from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.barrier.conftest import SeededEntropy

from strongroom.barrier.anchor import AnchorFile, BadAnchor, anchor_of
from strongroom.barrier.keyring import Keyring, Term
from strongroom.barrier.set_hash import TOTAL_BYTES
from strongroom.barrier.store_root import Root, encode_pins, parse_pins
from strongroom.barrier.tampering import Tampering
from strongroom.barrier.witness import Tools
from strongroom.crypto.aead import Damaged
from strongroom.physical.store import Record

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "store_root.json").read_text())
TERM = bytearray.fromhex(VECTORS["first_term"])


TOOLS = Tools.of(Keyring(0, 1, (Term(1, 0, 1, TERM),)), SeededEntropy())
U62 = st.integers(0, 2**62)


@pytest.mark.parametrize("vector", VECTORS["elements"], ids=lambda vector: str(vector["version"]))
def test_frozen_elements_stay_what_they_are(vector: dict[str, Any]) -> None:
    element = TOOLS.elements.of(vector["key"], vector["version"])
    assert element.to_bytes(TOTAL_BYTES, "big").hex() == vector["element"]


@pytest.mark.parametrize("vector", VECTORS["pins"], ids=lambda vector: str(vector["key"]))
def test_frozen_pins_stay_what_they_are(vector: dict[str, Any]) -> None:
    pin = TOOLS.pinner.pin(vector["key"], vector["version"], bytes.fromhex(vector["value"]))
    assert pin.hex() == vector["pin"]


@pytest.mark.parametrize("vector", VECTORS["roots"], ids=lambda vector: str(vector["name"]))
def test_frozen_root_records_keep_their_meaning(vector: dict[str, Any]) -> None:
    record = Record(vector["version"], bytes.fromhex(vector["record"]))
    if vector["expect"] == "refused":
        with pytest.raises(Damaged):
            TOOLS.cipher.open(record)
        return
    root, wanted = TOOLS.cipher.open(record), vector["root"]
    assert (root.counter, root.records, root.time_ns) == (record.version, wanted["records"], wanted["time_ns"])
    assert root.total.to_bytes(TOTAL_BYTES, "big").hex() == wanted["total"]
    assert {key: pin.hex() for key, pin in parse_pins(root.pins).items()} == wanted["pins"]
    assert TOOLS.proof(root) == wanted["proof"]


def test_a_frozen_anchor_keeps_its_meaning(tmp_path: Path) -> None:
    vector = VECTORS["anchor"]
    file = AnchorFile(tmp_path / "anchor")
    file.path.write_text(vector["file"])
    anchor = file.read(TOOLS)
    assert anchor is not None
    assert (anchor.vault, anchor.counter, anchor.proof) == (vector["vault"], vector["counter"], vector["proof"])
    for edited in (vector["file"].replace('"counter": 1', '"counter": 2'), vector["file"][:-10]):
        file.path.write_text(edited)
        with pytest.raises(BadAnchor):
            file.read(TOOLS)


@given(U62, U62, U62, st.integers(0, 2 ** (8 * TOTAL_BYTES) - 1), st.dictionaries(st.text(min_size=1, max_size=20), st.binary(min_size=16, max_size=16)))  # fmt: skip
def test_a_sealed_root_is_read_back_whole(
    counter: int, records: int, time_ns: int, total: int, pins: dict[str, bytes]
) -> None:
    root = Root(counter, records, time_ns, total, encode_pins(pins))
    assert TOOLS.cipher.open(TOOLS.cipher.seal(root)) == root
    assert parse_pins(root.pins) == pins


@given(st.binary(max_size=500), st.integers(-1, 2**63 - 1))
def test_no_other_bytes_are_taken_for_a_root_record(value: bytes, version: int) -> None:
    with pytest.raises(Damaged):
        TOOLS.cipher.open(Record(version, b"\x01" + value))


def test_an_anchor_never_moves_back(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "anchor")
    roots = [Root(counter, 1, 1, counter, b"") for counter in (5, 4, 5, 6)]
    moved = [file.advance(anchor_of(root, TOOLS, "vault"), TOOLS) for root in roots]
    assert moved == [True, False, False, True]
    assert [path.name for path in tmp_path.iterdir()] == ["anchor"]
    anchor = file.read(TOOLS)
    assert anchor is not None
    assert anchor.counter == 6


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: Path(path).symlink_to("/dev/zero")])
def test_something_else_in_the_place_of_an_anchor_is_none_and_is_not_waited_for(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    file = AnchorFile(tmp_path / "anchor")
    make(file.path)
    root = Root(5, 1, 1, 5, b"")
    assert [finding.kind for finding in file.check(root, TOOLS)] == [Tampering.ANCHOR_EDITED]
    with pytest.raises(BadAnchor):
        file.advance(anchor_of(root, TOOLS, "vault"), TOOLS)


def test_a_record_fits_in_one_page_of_the_database() -> None:
    pins = dict.fromkeys(
        ("seal/config", "seal/root-key", "seal/recovery", "barrier/keyring/0", "barrier/counter/0"), bytes(16)
    )
    assert len(TOOLS.cipher.seal(Root(2**62, 2**62, 2**62, 1, encode_pins(pins))).value) < 900
