"""The bytes on disk against frozen vectors: what an earlier release wrote must open, and nothing else may."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.engines.harness import JumpingClock, MemoryStorage, MountedEngine

from strongroom.crypto.aead import Damaged
from strongroom.encoding.json import decode, encode
from strongroom.engines.entries import decode_body, encode_body
from strongroom.engines.kv_v2 import KvV2
from strongroom.engines.kv_v2.record import Metadata, Version
from strongroom.engines.kv_v2.sealing import open_body, place_of, seal_body
from strongroom.logical.errors import NotFound
from strongroom.logical.operation import Operation

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors/kv_record.json").read_text())


def by_name(vectors: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


class FixedEntropy:
    """Draws exactly the bytes that a vector names."""

    def __init__(self, drawn: bytes) -> None:
        self._drawn = drawn

    def bytes(self, count: int) -> bytes:
        if count != len(self._drawn):
            raise AssertionError("drew another number of bytes than the vector has")
        return self._drawn

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


@by_name(VECTORS["opens"])
def test_a_frozen_body_opens(vector: dict[str, Any]) -> None:
    place = place_of(vector["mount_uuid"], vector["path"], vector["version"])

    opened = open_body(bytes.fromhex(vector["key"]), place, bytes.fromhex(vector["sealed"]))

    assert place.hex() == vector["associated_data"]
    assert opened.decode() == vector["body"]
    assert encode_body(decode_body(opened)) == opened


@by_name(VECTORS["opens"])
def test_a_body_is_sealed_to_the_frozen_bytes(vector: dict[str, Any]) -> None:
    place = place_of(vector["mount_uuid"], vector["path"], vector["version"])
    entropy = FixedEntropy(bytes.fromhex(vector["nonce"]))

    sealed = seal_body(bytes.fromhex(vector["key"]), place, vector["body"].encode(), entropy)

    assert sealed.hex() == vector["sealed"]


@by_name(VECTORS["opens"])
def test_a_frozen_body_is_plain_aes_256_gcm(vector: dict[str, Any]) -> None:
    sealed = bytes.fromhex(vector["sealed"])

    body = AESGCM(bytes.fromhex(vector["key"])).decrypt(
        sealed[1:13], sealed[13:], bytes.fromhex(vector["associated_data"])
    )

    assert sealed[0] == 1
    assert body.decode() == vector["body"]


@by_name(VECTORS["refused"])
def test_a_body_from_elsewhere_does_not_open(vector: dict[str, Any]) -> None:
    place = place_of(vector["mount_uuid"], vector["path"], vector["version"])

    with pytest.raises(Damaged):
        open_body(bytes.fromhex(vector["key"]), place, bytes.fromhex(vector["sealed"]))


def frozen_mount() -> MountedEngine:
    vector = VECTORS["mount"]
    records = {
        key: base64.b64decode(value) if key.startswith("versions/") else value.encode()
        for key, value in vector["records"].items()
    }
    mounted = MountedEngine(KvV2(), storage=MemoryStorage(records), clock=JumpingClock(vector["now_ns"]))
    assert mounted.mount.uuid == vector["mount_uuid"]
    return mounted


def named(answers: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("answer", answers, ids=[f"{each['path']} {each['query']}" for each in answers])


@named([answer for answer in VECTORS["mount"]["answers"] if answer["found"]])
def test_a_frozen_mount_gives_the_frozen_answers(answer: dict[str, Any]) -> None:
    response = frozen_mount().call(Operation(answer["operation"]), answer["path"], answer["query"])

    assert response is not None
    assert decode(encode(response.data)) == answer["data"]


@named([answer for answer in VECTORS["mount"]["answers"] if not answer["found"]])
def test_a_frozen_mount_hides_what_was_deleted(answer: dict[str, Any]) -> None:
    with pytest.raises(NotFound) as caught:
        frozen_mount().call(Operation(answer["operation"]), answer["path"], answer["query"])
    assert caught.value.data == answer["data"]


def test_a_frozen_mount_takes_new_versions() -> None:
    mounted = frozen_mount()
    mounted.update("data/app/db", data={"n": 5}, options={"cas": 4})

    assert mounted.read("data/app/db")["metadata"]["version"] == 5


def test_a_data_key_is_never_shown() -> None:
    metadata = Metadata(key=b"CANARY-key", created_ns=0, updated_ns=0, versions=[Version(1, 0)])

    assert "CANARY" not in repr(metadata)
    assert "CANARY" not in str(metadata)
    assert "CANARY" not in repr(metadata.describe())
