"""Sealing of the copies that are kept for times without the server: AES-256-GCM, bound to what they are a copy of.

``cryptography`` comes with the server, or alone with ``strongroom[offline]``. It is loaded here and nowhere else in what the
command line needs, and only when a copy is made or opened.
"""

from __future__ import annotations

from typing import Any

from strongroom.logical.ambient import Entropy

KEY_BYTES = 32
_NONCE_BYTES = 12


class CannotSeal(Exception):
    """No copy can be made or opened here. The text says what is missing."""


class NotTheCopy(Exception):
    """A copy was changed, exchanged, made for something else, or under another key. Never says which."""


def seal(key: bytes, content: bytes, about: bytes, entropy: Entropy) -> bytes:
    """``content``, sealed and bound to ``about``. Random nonces: good for 2**32 copies under one key."""
    nonce = entropy.bytes(_NONCE_BYTES)
    sealed: bytes = _cipher(key).encrypt(nonce, content, about)
    return nonce + sealed


def unsealed(key: bytes, sealed: bytes, about: bytes) -> bytes:
    """What ``seal`` was given. Raises NotTheCopy."""
    cipher = _cipher(key)
    from cryptography.exceptions import InvalidTag

    try:
        content: bytes = cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
    except (InvalidTag, ValueError):
        raise NotTheCopy from None
    return content


def _cipher(key: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ModuleNotFoundError:
        raise CannotSeal(
            "copies for times without the server need one more package: pip install 'strongroom[offline]'"
        ) from None
    return AESGCM(key)
