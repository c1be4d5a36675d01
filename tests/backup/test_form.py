from __future__ import annotations

import hashlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.backup.origins import backup_of, filled_vault, frames_of, joined

from strongroom.backup.chunks import ChunkCipher
from strongroom.backup.damage import BadBackup, Damage
from strongroom.backup.form import Frame, FrameReader, FrameWriter, Header, Kind, SealOfBackup
from strongroom.backup.reading import KeyedReader, look

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "backup.json").read_text())
ROOT_KEY = bytearray.fromhex(VECTORS["root_key"])
HEADER = Header(
    id="0" * 32,
    vault="00000000-0000-4000-8000-000000000000",
    time="2026-11-25T00:00:00Z",
    product="0.1.0",
    data_format=2,
    counter=1,
    proof="0" * 32,
    seal=SealOfBackup("shamir", 1, b"wrapped"),
    salt=bytes(32),
)


def damage_of(content: bytes) -> Damage:
    with pytest.raises(BadBackup) as caught:
        look(io.BytesIO(content))
    return caught.value.damage


@pytest.fixture(scope="module")
def good() -> bytes:
    return backup_of(filled_vault())[0]


@pytest.mark.parametrize("vector", VECTORS["backups"], ids=lambda vector: str(vector["name"]))
def test_frozen_backups_keep_their_meaning(vector: dict[str, Any]) -> None:
    reader = KeyedReader(io.BytesIO(bytes.fromhex(vector["file"])), ROOT_KEY)
    if vector["expect"] != "good":
        with pytest.raises(BadBackup) as caught:
            list(reader.rows())
        assert caught.value.damage.value == vector["expect"]
        return
    rows = [[key, record.version, record.value.hex()] for key, record in reader.rows()]
    assert rows == vector["rows"]
    assert reader.manifest is not None
    assert msgspec.to_builtins(reader.header) == vector["header"]
    assert msgspec.to_builtins(reader.manifest) == vector["manifest"]


def test_the_checksum_is_what_sha256sum_says(good: bytes, tmp_path: Path) -> None:
    file = tmp_path / "good.backup"
    file.write_bytes(good)
    told = subprocess.run(["sha256sum", str(file)], capture_output=True, text=True, check=True).stdout.split()[0]
    assert look(io.BytesIO(good)).checksum == told == hashlib.sha256(good).hexdigest()


@pytest.mark.parametrize(
    ("content", "damage"),
    [
        (b"", Damage.FOREIGN),
        (b"strong", Damage.TRUNCATED),
        (b"something else entirely", Damage.FOREIGN),
        (b"strongroom backup x\n", Damage.FOREIGN),
        (b"strongroom backup 0\n" + bytes(90), Damage.FOREIGN),
        (b"strongroom backup 2\n" + bytes(90), Damage.NEWER),
        (b"strongroom backup 1\n\xff\xff\xff\xff", Damage.CHANGED),
        (b"strongroom backup 1\n\0\0\0\2{}", Damage.CHANGED),
        (b"strongroom backup 1\n\0\0\0\2[[", Damage.CHANGED),
    ],
)
def test_what_is_no_backup_is_told_apart(content: bytes, damage: Damage) -> None:
    assert damage_of(content) is damage


def test_every_cut_is_found(good: bytes) -> None:
    for length in [*range(700), *range(700, len(good), 9973), *range(len(good) - 400, len(good))]:
        assert damage_of(good[:length]) in {Damage.TRUNCATED, Damage.FOREIGN}


def test_every_flipped_bit_is_found_without_keys(good: bytes) -> None:
    header_ends = good.index(b"}}") if b"}}" in good[:2000] else 700
    for at in [*range(0, header_ends, 3), *range(header_ends, len(good), 6007), *range(len(good) - 300, len(good), 7)]:
        for bit in (0, 7):
            changed = bytearray(good)
            changed[at] ^= 1 << bit
            with pytest.raises(BadBackup):
                look(io.BytesIO(bytes(changed)))


def test_what_follows_the_manifest_is_refused(good: bytes) -> None:
    assert damage_of(good + b"x") is Damage.SURPLUS


def test_frames_must_come_in_their_order() -> None:
    chunk, last = Frame(0, Kind.CHUNK, bytes(262_144 + 16)), Frame(0, Kind.LAST_CHUNK, bytes(16))
    manifest = Frame(0, Kind.MANIFEST, b"{}" + bytes(16))
    for frames in ([manifest], [chunk, manifest], [last, chunk, manifest], [last, last, manifest]):
        assert damage_of(joined(HEADER, frames)) is Damage.CHANGED


@pytest.mark.parametrize(
    "changes",
    [
        {"salt": b"short"},
        {"id": "../../etc/passwd"},
        {"vault": "x" * 36},
        {"time": "\x1b[2J"},
        {"product": "n\new"},
        {"counter": -1},
        {"seal": SealOfBackup("\x07", 1, b"")},
        {"seal": SealOfBackup("shamir", 300, b"")},
    ],
)
def test_a_header_that_could_harm_a_terminal_or_a_reader_is_refused(changes: dict[str, Any]) -> None:
    content = joined(msgspec.structs.replace(HEADER, **changes), [])
    with pytest.raises(BadBackup) as caught:
        FrameReader(io.BytesIO(content))
    assert caught.value.damage is Damage.CHANGED


@given(st.binary(max_size=300))
def test_frames_come_back_as_they_were_written(last: bytes) -> None:
    content = bytearray()
    writer = FrameWriter(content.extend, HEADER)
    cipher = ChunkCipher(ROOT_KEY, HEADER.salt, writer.link)
    writer.frame(Kind.LAST_CHUNK, cipher.seal(0, Kind.LAST_CHUNK, last))
    writer.frame(Kind.MANIFEST, cipher.sign(1, b"{}"))
    reader = FrameReader(io.BytesIO(bytes(content)))
    found = list(reader.frames())
    assert cipher.open(found[0]) == last
    cipher.check_manifest(found[1])
    assert reader.checksum == writer.checksum
    assert reader.read == writer.written == len(content)


def test_no_frame_opens_in_another_place(good: bytes) -> None:
    _, frames = frames_of(good)
    cipher = ChunkCipher(ROOT_KEY, bytes(32), b"digest")
    sealed = cipher.seal(3, Kind.CHUNK, b"content")
    assert cipher.open(Frame(3, Kind.CHUNK, sealed)) == b"content"
    wrong = [Frame(2, Kind.CHUNK, sealed), Frame(3, Kind.LAST_CHUNK, sealed), Frame(3, Kind.CHUNK, frames[0].content)]
    for frame in wrong:
        with pytest.raises(BadBackup):
            cipher.open(frame)
    for other in (
        ChunkCipher(ROOT_KEY, b"\1" + bytes(31), b"digest"),
        ChunkCipher(ROOT_KEY, bytes(32), b"another"),
        ChunkCipher(bytearray(32), bytes(32), b"digest"),
    ):
        with pytest.raises(BadBackup):
            other.open(Frame(3, Kind.CHUNK, sealed))


def test_no_text_of_a_refusal_shows_what_the_file_holds() -> None:
    header = joined(msgspec.structs.replace(HEADER, id="canary-7f3a"), [])
    with pytest.raises(BadBackup) as caught:
        look(io.BytesIO(header))
    assert "canary" not in str(caught.value)
