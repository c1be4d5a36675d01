"""Password hashes: argon2id, version 1.3 (RFC 9106), in the PHC string format, so that a hash carries its own cost.

Passwords are put into Unicode normal form C once, here (RFC 8265, OpaqueString, section 4.2), and are otherwise left untouched.
"""

from __future__ import annotations

import base64
import unicodedata

from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION, Type, hash_secret, verify_secret

from strongroom.crypto.aead import draw
from strongroom.crypto.parameters import Argon2Parameters
from strongroom.logical.ambient import Entropy


class Mismatch(Exception):
    """The password is not the one that was hashed. Says nothing else."""

    def __init__(self) -> None:
        super().__init__("the password does not match")


def hash_password(password: str, parameters: Argon2Parameters, entropy: Entropy) -> str:
    """The encoded hash of ``password`` with a new random salt. Slow on purpose; releases the interpreter meanwhile."""
    return hash_secret(
        _prepare(password),
        draw(parameters.salt_bytes, entropy),
        time_cost=parameters.passes,
        memory_cost=parameters.memory_kib,
        parallelism=parameters.lanes,
        hash_len=parameters.tag_bytes,
        type=Type.ID,
    ).decode("ascii")


def verify_password(encoded: str, password: str) -> None:
    """Raise Mismatch unless ``password`` is the one in ``encoded``; raise ValueError if that is no argon2id hash.

    Costs what the hash says, whatever the outcome.
    """
    if not encoded.startswith("$argon2id$"):
        raise ValueError("not an argon2id hash")
    try:
        verify_secret(encoded.encode("ascii"), _prepare(password), Type.ID)
    except VerifyMismatchError:
        raise Mismatch from None
    except (InvalidHashError, VerificationError, UnicodeEncodeError):
        raise ValueError("not an argon2id hash") from None


def dummy_hash(parameters: Argon2Parameters) -> str:
    """A well-formed hash that no password has, to verify against where the user is unknown: the same work, always Mismatch."""
    salt, tag = (
        base64.b64encode(bytes(size)).decode().rstrip("=") for size in (parameters.salt_bytes, parameters.tag_bytes)
    )
    cost = f"m={parameters.memory_kib},t={parameters.passes},p={parameters.lanes}"
    return f"$argon2id$v={ARGON2_VERSION}${cost}${salt}${tag}"


def needs_rehash(encoded: str, parameters: Argon2Parameters) -> bool:
    """Whether ``encoded`` was made with other parameters, so that the next login should store a new hash."""
    try:
        found = extract_parameters(encoded)
    except InvalidHashError:
        return True
    return (
        found.type is not Type.ID
        or Argon2Parameters(
            passes=found.time_cost,
            memory_kib=found.memory_cost,
            lanes=found.parallelism,
            salt_bytes=found.salt_len,
            tag_bytes=found.hash_len,
        )
        != parameters
    )


def _prepare(password: str) -> bytes:
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
