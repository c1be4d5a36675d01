from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from random import Random

import pytest

from strongroom.barrier.seals.seal import Seal, WrongKey
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.seals.static import (
    StaticSeal,
    key_from_credential,
    key_from_descriptor,
    key_from_file,
    parse_key,
)
from strongroom.crypto.aead import Damaged
from strongroom.physical.store import Unavailable

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "seal_blobs.json").read_text())
KEY = bytes(range(1, 33))


class Seeded:
    def __init__(self) -> None:
        self.bytes = Random(5).randbytes

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


def make(kind: str, key: bytes = KEY, key_id: str = "") -> Seal:
    return ShamirSeal(bytearray(key), Seeded()) if kind == "shamir" else StaticSeal(bytearray(key), Seeded(), key_id)


@pytest.fixture(params=["shamir", "static"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_wrapped_is_unwrapped_by_the_same_key(kind: str) -> None:
    blob = make(kind).wrap(bytearray(b"r" * 32))
    unwrapped = make(kind).unwrap(blob)
    assert unwrapped == b"r" * 32
    assert isinstance(unwrapped, bytearray)
    assert make(kind).type == kind


def test_another_key_does_not_unwrap(kind: str) -> None:
    blob = make(kind).wrap(bytearray(32))
    with pytest.raises(Damaged):
        make(kind, bytes(32)).unwrap(blob)


def test_every_flipped_bit_and_every_cut_is_refused(kind: str) -> None:
    blob = make(kind).wrap(bytearray(32))
    changed = [blob[:length] for length in range(len(blob))]
    for bit in range(8 * len(blob)):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        changed.append(bytes(flipped))
    for wrong in changed:
        with pytest.raises(Damaged):
            make(kind).unwrap(wrong)


def test_a_wiped_seal_unwraps_nothing(kind: str) -> None:
    seal = make(kind)
    blob = seal.wrap(bytearray(32))
    seal.wipe()
    with pytest.raises(Damaged):
        seal.unwrap(blob)


def test_a_combined_key_of_another_length_unwraps_nothing() -> None:
    with pytest.raises(Damaged):
        ShamirSeal(bytearray(16), Seeded()).unwrap(make("shamir").wrap(bytearray(32)))


def test_a_static_seal_tells_a_wrong_key_from_a_damaged_blob() -> None:
    blob = make("static", key_id="2026-11").wrap(bytearray(32))
    with pytest.raises(WrongKey):
        make("static", key_id="2026-12").unwrap(blob)
    assert make("static", key_id="2026-11").unwrap(blob) == bytes(32)


def test_the_key_id_of_a_static_seal_depends_on_its_key() -> None:
    ids = [StaticSeal(bytearray([number] * 32), Seeded()).key_id for number in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(("key", "key_id"), [(bytes(31), ""), (bytes(33), ""), (bytes(32), "k" * 256)])
def test_a_static_seal_refuses_impossible_keys_and_ids(key: bytes, key_id: str) -> None:
    with pytest.raises(ValueError, match="static seal"):
        make("static", key, key_id)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_a_frozen_blob_gets_the_verdict_it_always_got(vector: dict[str, str]) -> None:
    seal = make(vector["seal"], bytes.fromhex(VECTORS["key"]), vector["key_id"])
    if vector["expect"] == "unwraps":
        assert seal.unwrap(bytes.fromhex(vector["blob"])).hex() == VECTORS["root_key"]
    else:
        with pytest.raises(Damaged):
            seal.unwrap(bytes.fromhex(vector["blob"]))


@pytest.mark.parametrize(
    "content",
    [
        KEY,
        KEY.hex().encode(),
        KEY.hex().upper().encode() + b"\n",
        base64.b64encode(KEY) + b"\r\n",
        base64.b64encode(KEY).rstrip(b"="),
        base64.urlsafe_b64encode(bytes(range(220, 252))),
    ],
    ids=["raw", "hex", "HEX", "base64", "unpadded", "url"],
)
def test_a_key_is_read_raw_as_hex_and_as_base64(content: bytes) -> None:
    expected = KEY if content[:4] != base64.urlsafe_b64encode(bytes(range(220, 252)))[:4] else bytes(range(220, 252))
    assert parse_key(bytearray(content)) == expected


@pytest.mark.parametrize(
    "content", [b"", b"\n", KEY[:-1], KEY + b"\n", KEY.hex().encode()[:-1], b"g" * 64, b"=" * 44, b"A" * 42]
)
def test_anything_else_is_no_key_and_is_not_shown(content: bytes) -> None:
    with pytest.raises(Unavailable, match="must be 32 bytes") as refused:
        parse_key(bytearray(content))
    assert refused.value.__cause__ is None


def write(path: Path, content: bytes = KEY, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_key_is_read_from_a_closed_file(tmp_path: Path) -> None:
    assert key_from_file(write(tmp_path / "key")) == KEY
    assert key_from_file(write(tmp_path / "key", mode=0o400)) == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_file_that_others_may_use_is_refused_with_the_command_that_closes_it(tmp_path: Path, mode: int) -> None:
    with pytest.raises(Unavailable, match="chmod 600"):
        key_from_file(write(tmp_path / "key", mode=mode))


def test_a_key_file_that_is_missing_a_link_a_folder_or_a_pipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(write(tmp_path / "key"))
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("missing", "link", "pipe", "."):
        with pytest.raises(Unavailable, match="key file"):
            key_from_file(tmp_path / name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "key")
    os.chown(path, 12345, -1)
    with pytest.raises(Unavailable, match="another user"):
        key_from_file(path)


def test_a_huge_file_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="must be 32 bytes"):
        key_from_file(write(tmp_path / "key", b"a" * 100_000))


def test_a_key_is_read_from_a_credential_directory(tmp_path: Path) -> None:
    write(tmp_path / "seal-key", mode=0o440)
    assert key_from_credential(tmp_path, "seal-key") == KEY
    write(tmp_path / "open", mode=0o444)
    with pytest.raises(Unavailable, match="open to other users"):
        key_from_credential(tmp_path, "open")


@pytest.mark.parametrize("name", ["", ".", "..", "../key", "a/b", "/etc/key"])
def test_the_name_of_a_credential_cannot_leave_its_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unavailable, match="plain name"):
        key_from_credential(tmp_path, name)


def test_a_key_is_read_from_an_inherited_descriptor_which_is_then_closed() -> None:
    reading, writing = os.pipe()
    for part in (KEY.hex()[:20], KEY.hex()[20:]):
        os.write(writing, part.encode())
    os.close(writing)
    assert key_from_descriptor(reading) == KEY
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)


@pytest.mark.parametrize("number", [-1, 0, 2, 9999])
def test_a_descriptor_that_cannot_be_one_is_refused(number: int) -> None:
    with pytest.raises(Unavailable, match="descriptor"):
        key_from_descriptor(number)
