"""R-24: what was published about the algorithms that we use, through our own functions: what is right opens, everything else is refused.

``tests/vectors/crypto.json`` holds the published part with its sources. The edge cases below follow the classes of Project Wycheproof
(AES-GCM, HMAC, HKDF, Ed25519), made here of those vectors.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strongroom.audit.hasher import PREFIX, Hasher
from strongroom.crypto.aead import Damaged, open_sealed, seal
from strongroom.crypto.fingerprint import from_digest
from strongroom.crypto.kdf import derive
from strongroom.crypto.parameters import Argon2Parameters
from strongroom.crypto.passwords import Mismatch, hash_password, verify_password
from strongroom.evidence.signature import PublicKey, SigningKey

PUBLISHED: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "crypto.json").read_text())
GCM = PUBLISHED["aes_256_gcm"]["vectors"]
SHORTEST_AUDIT_KEY, LONGEST_AUDIT_KEY = 16, 64
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


class Fixed:
    """These bytes and no others."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def bytes(self, count: int) -> bytes:
        return self._content[:count]

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


def part(vector: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(vector[name] or "")


def test_the_vectors_hold_both_verdicts_of_every_algorithm() -> None:
    assert all(entry["source"] and entry["vectors"] for entry in PUBLISHED.values())
    verdicts = [vector["expect"] for vector in GCM]
    assert (verdicts.count("open"), verdicts.count("refuse")) == (100, 195)


@pytest.mark.parametrize("vector", GCM, ids=lambda vector: vector["name"])
def test_a_sealed_text_of_nist_has_its_verdict(vector: dict[str, Any]) -> None:
    key, associated = part(vector, "key"), part(vector, "associated")
    sealed = part(vector, "nonce") + part(vector, "ciphertext") + part(vector, "tag")
    if vector["expect"] == "refuse":
        with pytest.raises(Damaged):
            open_sealed(key, sealed, associated)
        return
    assert open_sealed(key, sealed, associated) == part(vector, "plaintext")
    assert seal(key, part(vector, "plaintext"), associated, Fixed(part(vector, "nonce"))) == sealed


def wrong_forms(nonce: bytes, ciphertext: bytes, tag: bytes) -> Iterator[bytes]:
    """Everything that somebody else's reader has been known to take for good."""
    for bit in (0, 1, 7, 8, 31, 63, 64, 71, 77, 80, 96, 97, 103, 120, 121, 126, 127):
        yield nonce + ciphertext + bytes(one ^ (128 >> bit % 8 if at == bit // 8 else 0) for at, one in enumerate(tag))
    for other in (bytes(16), b"\xff" * 16, bytes(one ^ 0x80 for one in tag), bytes(one ^ 0xFF for one in tag)):
        yield nonce + ciphertext + other
    for length in range(16):
        yield nonce + ciphertext + tag[:length]
    yield nonce + ciphertext + tag + b"\x00"
    yield b"\x00" + nonce + ciphertext + tag
    for other_nonce in (b"", nonce[:8], nonce[:11], nonce + b"\x00", nonce + bytes(4), nonce * 2, bytes(12)):
        yield other_nonce + ciphertext + tag
    yield tag + nonce + ciphertext
    yield nonce + tag + ciphertext


@pytest.mark.parametrize("vector", [one for one in GCM if one["expect"] == "open"][::7], ids=lambda one: one["name"])
def test_no_other_form_of_a_sealed_text_is_taken(vector: dict[str, Any]) -> None:
    key, associated = part(vector, "key"), part(vector, "associated")
    nonce, ciphertext, tag = part(vector, "nonce"), part(vector, "ciphertext"), part(vector, "tag")
    whole = nonce + ciphertext + tag
    for wrong in wrong_forms(nonce, ciphertext, tag):
        if wrong != whole:
            with pytest.raises(Damaged):
                open_sealed(key, wrong, associated)
    for other in (b"\x00", associated + b"\x00", b"\x00" + associated, associated[:-1] + b"?"):
        with pytest.raises(Damaged):
            open_sealed(key, whole, other)


@pytest.mark.parametrize("length", [1, 15, 16, 17, 65_535, 65_536, 1_000_000])
def test_long_additional_data_counts_to_its_last_byte(length: int) -> None:
    key, associated = bytes(range(32)), bytes(length)
    sealed = seal(key, b"text", associated, Fixed(bytes(12)))
    assert open_sealed(key, sealed, associated) == b"text"
    for other in (associated[:-1], associated + b"\x00", associated[:-1] + b"\x01"):
        with pytest.raises(Damaged):
            open_sealed(key, sealed, other)


@pytest.mark.parametrize("nonce", [bytes(12), b"\xff" * 12, bytes(11) + b"\x01", b"\xff" * 8 + bytes(4)], ids=bytes.hex)
def test_special_nonces_are_nonces_like_others(nonce: bytes) -> None:
    key = b"\xff" * 32
    sealed = seal(key, bytes(64), b"", Fixed(nonce))
    assert sealed[:12] == nonce
    assert open_sealed(key, sealed, b"") == bytes(64)


def test_the_same_text_twice_is_sealed_in_two_ways() -> None:
    first, second = (seal(bytes(32), b"text", b"", Fixed(bytes([number]) * 12)) for number in (1, 2))
    assert first[12:] != second[12:]
    with pytest.raises(Damaged):
        open_sealed(bytes(32), first[:12] + second[12:], b"")


# HMAC-SHA-256: the audit log's own two halves of it, and the fingerprints


@pytest.mark.parametrize("vector", PUBLISHED["hmac_sha256"]["vectors"], ids=lambda vector: vector["mac"][:8])
def test_a_value_in_the_audit_log_is_hashed_as_the_rfc_says(vector: dict[str, Any]) -> None:
    key = part(vector, "key")
    key = hashlib.sha256(key).digest() if len(key) > LONGEST_AUDIT_KEY else key  # as RFC 2104 has it
    if len(key) < SHORTEST_AUDIT_KEY:
        with pytest.raises(ValueError, match="16 to 64"):
            Hasher(key)
        return
    assert Hasher(key).content(part(vector, "message")) == PREFIX + vector["mac"]


@pytest.mark.parametrize("length", [16, 31, 32, 33, 63, 64])
def test_the_audit_logs_hash_is_hmac_for_every_length_of_key_and_value(length: int) -> None:
    key = bytes(range(length))
    hasher = Hasher(key)
    for size in (0, 1, 55, 56, 63, 64, 65, 119, 120, 1000):
        value = b"v" * size
        expected = PREFIX + hmac.new(key, value, hashlib.sha256).hexdigest()
        assert hasher.content(value) == hasher.text(value.decode()) == expected


@pytest.mark.parametrize("length", [0, 1, 15, 65, 128])
def test_an_audit_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="16 to 64"):
        Hasher(bytes(length))


@pytest.mark.parametrize("length", [1, 32, 63, 64, 65, 131])
def test_a_fingerprint_is_hmac_for_every_length_of_key(length: int) -> None:
    key, digest = bytes(range(length)), hashlib.sha256(b"value").digest()
    assert from_digest(key, digest) == hmac.new(key, digest, hashlib.sha256).digest()


# HKDF-SHA-256


@pytest.mark.parametrize("vector", PUBLISHED["hkdf_sha256"]["vectors"], ids=lambda vector: vector["derived"][:8])
def test_a_long_derived_key_and_each_of_its_beginnings_are_as_published(vector: dict[str, Any]) -> None:
    derived = part(vector, "derived")
    for length in (1, 31, 32, 33, 64, 255, len(derived)):
        found = derive(part(vector, "key"), part(vector, "purpose"), length, part(vector, "salt"))
        assert found == derived[:length]


def test_no_salt_is_a_salt_of_zeros_and_other_salts_give_other_keys() -> None:
    key = bytes(range(32))
    assert derive(key, b"purpose") == derive(key, b"purpose", salt=bytes(32))
    assert len({bytes(derive(key, b"purpose", salt=salt)) for salt in (b"", b"\x01", b"salt", b"salt2")}) == 4


def test_more_than_255_blocks_cannot_be_derived() -> None:
    assert len(derive(b"key", b"purpose", 255 * 32)) == 255 * 32
    with pytest.raises(ValueError, match="8160"):
        derive(b"key", b"purpose", 255 * 32 + 1)


# Ed25519: the signatures of the audit log


@pytest.mark.parametrize("vector", PUBLISHED["ed25519"]["vectors"], ids=lambda vector: vector["seed"][:8])
def test_a_signature_is_as_published_and_no_other_is_good(vector: dict[str, Any]) -> None:
    signing, message, signature = SigningKey(part(vector, "seed")), part(vector, "message"), part(vector, "signature")
    public = PublicKey.read(base64.b64encode(part(vector, "public_key")).decode())
    assert signing.public_key == part(vector, "public_key")
    assert signing.sign(message) == base64.b64encode(signature).decode()
    assert public.is_signed(message, signing.sign(message))
    assert not public.is_signed(message + b"\x00", signing.sign(message))
    half = int.from_bytes(signature[32:], "little")
    wrong = [
        b"",
        bytes(64),
        signature[:63],
        signature + b"\x00",
        signature[32:] + signature[:32],
        signature[:32] + bytes(32),
        bytes(32) + signature[32:],
        signature[:32] + (half + ED25519_ORDER).to_bytes(32, "little"),  # malleable: RFC 8032, section 5.1.7
        signature[:63] + bytes([signature[63] ^ 0x80]),
        bytes([signature[0] ^ 1]) + signature[1:],
    ]
    for other in wrong:
        assert not public.is_signed(message, base64.b64encode(other).decode())


@pytest.mark.parametrize("text", ["", "====", "not base64!", "AAAA\nAAAA", "ä"])
def test_a_signature_that_is_no_base64_is_not_good(text: str) -> None:
    public = PublicKey.read(SigningKey(bytes(32)).public_pem)
    assert not public.is_signed(b"message", text)


# Argon2id


def encoded(vector: dict[str, Any], tag: bytes) -> str:
    salt, end = (base64.b64encode(one).decode().rstrip("=") for one in (part(vector, "salt"), tag))
    return f"$argon2id$v=19$m={vector['memory_kib']},t={vector['passes']},p={vector['lanes']}${salt}${end}"


@pytest.mark.parametrize("vector", PUBLISHED["argon2id"]["vectors"], ids=lambda vector: vector["tag"][:8])
def test_a_password_hash_of_others_is_verified_and_made_alike(vector: dict[str, Any]) -> None:
    password, tag = part(vector, "password").decode(), part(vector, "tag")
    cost = {name: vector[name] for name in ("passes", "memory_kib", "lanes")}
    parameters = Argon2Parameters(**cost, salt_bytes=len(part(vector, "salt")), tag_bytes=len(tag))
    assert hash_password(password, parameters, Fixed(part(vector, "salt"))) == encoded(vector, tag)
    verify_password(encoded(vector, tag), password)
    for wrong in (password + "\x00", password + "x", password[:-1] or "x"):
        with pytest.raises(Mismatch):
            verify_password(encoded(vector, tag), wrong)
    with pytest.raises(Mismatch):
        verify_password(encoded(vector, bytes([tag[0] ^ 1]) + tag[1:]), password)
