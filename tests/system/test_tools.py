from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from tests.kit import Vault

HELLO = base64.b64encode(b"hello").decode()


@pytest.mark.parametrize(
    ("path", "body", "count"), [("random", {}, 32), ("random/5", {}, 5), ("random", {"bytes": "7"}, 7)]
)
def test_random_bytes_come_in_the_number_and_form_that_was_asked(
    vault: Vault, path: str, body: dict[str, Any], count: int
) -> None:
    in_base64 = vault.post(f"sys/tools/{path}", body).data["random_bytes"]
    assert len(base64.b64decode(in_base64, validate=True)) == count
    in_hex = vault.post(f"sys/tools/{path}", {**body, "format": "hex"}).data["random_bytes"]
    assert len(bytes.fromhex(in_hex)) == count
    assert base64.b64decode(in_base64) != bytes.fromhex(in_hex)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("random", {"bytes": 0}),
        ("random", {"bytes": -1}),
        ("random", {"bytes": 10**9}),
        ("random", {"bytes": "x"}),
        ("random/x", {}),
        ("random", {"format": "octal"}),
        ("hash", {"input": "not base64!"}),
        ("hash", {"input": HELLO, "algorithm": "md5"}),
        ("hash/sha1", {"input": HELLO}),
        ("hash", {"input": HELLO, "format": "octal"}),
        ("hash", {"input": {"a": 1}}),
    ],
    ids=str,
)
def test_what_cannot_be_made_is_refused(vault: Vault, path: str, body: dict[str, Any]) -> None:
    assert vault.post(f"sys/tools/{path}", body).status == 400


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        ("sha2-224", "sha224"),
        ("sha2-256", "sha256"),
        ("sha2-384", "sha384"),
        ("sha2-512", "sha512"),
        ("sha3-256", "sha3_256"),
    ],
)
def test_hashes_are_those_of_the_standard(vault: Vault, algorithm: str, name: str) -> None:
    digest = hashlib.new(name, b"hello").digest()
    assert vault.post(f"sys/tools/hash/{algorithm}", {"input": HELLO}).data["sum"] == digest.hex()
    in_base64 = vault.post("sys/tools/hash", {"input": HELLO, "algorithm": algorithm, "format": "base64"}).data["sum"]
    assert base64.b64decode(in_base64) == digest
