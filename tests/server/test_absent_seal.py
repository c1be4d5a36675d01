"""A process that is handed the root key has no key of a seal, and takes none away from the process that needs it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.kit import SeededEntropy

from strongroom.barrier.seals.seal import Seal
from strongroom.logical.errors import Sealed
from strongroom.server.assemble import absent_seal, auto_seal
from strongroom.server.config_kinds import KeyPlace, KeySource
from strongroom.server.config_values import SealConfig, SealType


def absent(source: KeySource) -> Seal:
    seal = absent_seal(SealConfig(type=SealType.STATIC, current_key=source))
    assert seal is not None
    return seal


def test_it_says_what_kind_of_seal_there_is_and_does_nothing_else(tmp_path: Path) -> None:
    seal = absent(KeySource(KeyPlace.FILE, str(tmp_path / "is not read")))
    assert seal.type == "static"
    with pytest.raises(Sealed):
        seal.wrap(bytearray(32))
    with pytest.raises(Sealed):
        seal.unwrap(b"")
    seal.wipe()


def test_it_closes_the_descriptor_without_reading_it() -> None:
    reading, writing = os.pipe()
    copy = os.dup(reading)  # as another process has one
    os.write(writing, b"k" * 32)
    os.close(writing)

    absent(KeySource(KeyPlace.DESCRIPTOR, str(reading)))

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)
    other = SealConfig(type=SealType.STATIC, current_key=KeySource(KeyPlace.DESCRIPTOR, str(copy)))
    assert auto_seal(other, SeededEntropy()) is not None


def test_shares_in_the_hands_of_people_need_no_seal() -> None:
    assert absent_seal(SealConfig(type=SealType.SHAMIR)) is None
