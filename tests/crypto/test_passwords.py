from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from strongroom.crypto.parameters import CHEAPEST, OWASP_LOGIN, RFC_9106_LOW_MEMORY
from strongroom.crypto.passwords import Mismatch, dummy_hash, hash_password, needs_rehash, verify_password

# From the tests of the reference implementation (P-H-C/phc-winner-argon2, src/test.c): "password", "somesalt".
REFERENCE = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"


class Seeded:
    def __init__(self) -> None:
        self.bytes = Random(5).randbytes

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


def test_the_reference_implementations_hash_is_verified() -> None:
    verify_password(REFERENCE, "password")
    with pytest.raises(Mismatch):
        verify_password(REFERENCE, "Password")


@pytest.mark.parametrize("password", ["", "hunter2", "pass wörd", "🔑" * 300, "a\x00b", "\ud800"])
def test_a_password_matches_its_own_hash_only(password: str) -> None:
    encoded = hash_password(password, CHEAPEST, Seeded())
    verify_password(encoded, password)
    for other in (password + " ", password + "\x00", password.upper() + "!"):
        with pytest.raises(Mismatch):
            verify_password(encoded, other)


def test_two_hashes_of_one_password_differ() -> None:
    entropy = Seeded()
    assert hash_password("same", CHEAPEST, entropy) != hash_password("same", CHEAPEST, entropy)


def test_composed_and_decomposed_letters_are_the_same_password_and_nothing_else_is_folded() -> None:
    encoded = hash_password("caf\u00e9", CHEAPEST, Seeded())
    verify_password(encoded, "cafe\u0301")
    for other in ("cafe", "CAF\u00c9", "caf\u00e9\u200b", "\uff43af\u00e9"):
        with pytest.raises(Mismatch):
            verify_password(encoded, other)


def test_no_password_matches_the_dummy_hash_which_costs_the_same() -> None:
    dummy = dummy_hash(CHEAPEST)
    for password in ("", "hunter2", "\x00" * 32):
        with pytest.raises(Mismatch):
            verify_password(dummy, password)
    real = hash_password("hunter2", CHEAPEST, Seeded())
    assert dummy.split("$")[:4] == real.split("$")[:4]
    assert [len(part) for part in dummy.split("$")] == [len(part) for part in real.split("$")]
    assert not needs_rehash(dummy_hash(OWASP_LOGIN), OWASP_LOGIN)


@pytest.mark.parametrize(
    "encoded",
    ["", "hunter2", "$argon2id$", "$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA", REFERENCE[:-30] + "!", "$argon2id$é"],
)
def test_what_is_no_argon2id_hash_is_refused_without_being_shown(encoded: str) -> None:
    with pytest.raises(ValueError, match="not an argon2id hash") as refused:
        verify_password(encoded, "hunter2")
    assert refused.value.__cause__ is None


def test_a_hash_with_other_parameters_needs_a_new_one() -> None:
    encoded = hash_password("p", CHEAPEST, Seeded())
    assert not needs_rehash(encoded, CHEAPEST)
    assert needs_rehash(encoded, RFC_9106_LOW_MEMORY)
    assert needs_rehash(encoded, replace(CHEAPEST, salt_bytes=32))
    assert needs_rehash("not a hash", CHEAPEST)


def test_a_salt_that_is_too_short_is_an_error() -> None:
    class Short:
        def bytes(self, count: int) -> bytes:
            return bytes(count - 1)

        def fill(self, buffer: bytearray) -> None:
            buffer[:] = self.bytes(len(buffer))

    with pytest.raises(OSError, match="too few"):
        hash_password("p", CHEAPEST, Short())
