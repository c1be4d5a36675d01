"""What userpass needs of a password hash, and argon2id for it."""

from __future__ import annotations

from typing import Protocol

from strongroom.crypto.parameters import OWASP_LOGIN, Argon2Parameters
from strongroom.crypto.passwords import Mismatch, dummy_hash, hash_password, needs_rehash, verify_password
from strongroom.logical.ambient import Entropy
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.secret import Secret

CHARACTERS_MAX = 1024


class Passwords(Protocol):
    """A slow password hash. Every check costs the same, whoever asks and whatever comes of it."""

    def hash(self, password: Secret[str], entropy: Entropy) -> str:
        """The hash to store for ``password``."""
        ...

    def check(self, stored: str | None, password: Secret[str]) -> None:
        """Raise Mismatch unless ``password`` is the one in ``stored``. None is nobody's password: the same work, always Mismatch."""
        ...

    def needs_rehash(self, stored: str) -> bool:
        """Whether ``stored`` was made at another cost than today's."""
        ...


class Argon2Passwords:
    """argon2id at one cost, which is also that of the check of a password that nobody has (SECURITY D-17)."""

    def __init__(self, parameters: Argon2Parameters = OWASP_LOGIN) -> None:
        self._parameters = parameters
        self._nobodys = dummy_hash(parameters)

    def hash(self, password: Secret[str], entropy: Entropy) -> str:
        """The hash to store for ``password``, with a new salt."""
        return hash_password(password.reveal(), self._parameters, entropy)

    def check(self, stored: str | None, password: Secret[str]) -> None:
        """Raise Mismatch unless ``password`` is the one in ``stored``."""
        verify_password(self._nobodys if stored is None else stored, password.reveal())
        if stored is None:
            raise Mismatch

    def needs_rehash(self, stored: str) -> bool:
        """Whether ``stored`` was made at another cost than today's."""
        return needs_rehash(stored, self._parameters)


def check_password(password: Secret[str] | None) -> Secret[str]:
    """``password`` if it can be one. Raises InvalidRequest; that says nothing about any user, so it may say what is wrong."""
    if not password:
        raise InvalidRequest("missing password")
    text = password.reveal()
    if len(text) > CHARACTERS_MAX:
        raise InvalidRequest(f"the password must have at most {CHARACTERS_MAX} characters")
    if "\0" in text:
        raise InvalidRequest("the password must not hold a NUL character")
    return password
