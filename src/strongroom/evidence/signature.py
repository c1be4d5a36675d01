"""Signatures of checkpoints and anchors: Ed25519 (RFC 8032), under a key that lives behind the vault's barrier.

``cryptography`` is imported by the functions that need it, so that chains can be checked where it is not installed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SEED_LENGTH = 32
_KEY_ID_DIGITS = 32


class CannotVerify(Exception):
    """Signatures cannot be checked here. The text says what to do."""


class SigningKey:
    """The vault's key for signing its audit log, made from a seed of 32 random bytes."""

    __slots__ = ("_sign", "id", "public_key", "public_pem")

    def __init__(self, seed: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key()
        self._sign: Callable[[bytes], bytes] = private.sign
        self.public_key = public.public_bytes_raw()
        self.public_pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.id = key_id(self.public_key)

    def __repr__(self) -> str:
        return f"<signing key {self.id}>"

    def sign(self, statement: bytes) -> str:
        """The signature of ``statement``, in base64."""
        return base64.b64encode(self._sign(statement)).decode()


class PublicKey:
    """What an operator keeps to check signatures with."""

    __slots__ = ("_key", "id")

    def __init__(self, raw: bytes, key: Ed25519PublicKey) -> None:
        self._key = key
        self.id = key_id(raw)

    @classmethod
    def read(cls, text: str) -> PublicKey:
        """From PEM, or from the key's 32 bytes in base64. Raises CannotVerify."""
        try:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
            from cryptography.hazmat.primitives.serialization import load_pem_public_key
        except ImportError:
            raise CannotVerify(
                "checking signatures needs the Python package 'cryptography': pip install 'strongroom[server]'; "
                "without -public-key the links between the lines are checked all the same"
            ) from None
        try:
            if "-----BEGIN" in text:
                key = load_pem_public_key(text.encode())
            else:
                key = Ed25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
        except (ValueError, binascii.Error):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise CannotVerify("the public key must be an Ed25519 key, in PEM or as 32 bytes in base64 (sys/audit-key)")
        return cls(key.public_bytes_raw(), key)

    def is_signed(self, statement: bytes, signature: str) -> bool:
        """Whether ``signature`` (base64) is this key's for ``statement``."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._key.verify(base64.b64decode(signature, validate=True), statement)
        except (InvalidSignature, ValueError, binascii.Error):
            return False
        return True


def key_id(public_key: bytes) -> str:
    """The name of a key: the first 32 hex digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(public_key).hexdigest()[:_KEY_ID_DIGITS]
