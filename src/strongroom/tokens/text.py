"""How tokens look: a prefix that scanners can key on, random letters, and a checksum that can be checked offline.

======== ============================================== =======
kind     form                                           length
======== ============================================== =======
service  ``srs.`` + 28 random letters + 6 of checksum   38
root     ``srs.`` + 22 random letters + 2 of checksum   28
batch    ``srb.`` + base64url of the sealed entry       longer
accessor 24 random letters, no prefix                   24
======== ============================================== =======

A letter of base62 carries 5.95 bits, so a service token has 166 random bits and a root token 131. Root tokens are 28 characters
long because the one-time pad of ``sys/generate-root`` has that length in every client (CONTRACT 7). The checksum is CRC-32 of all
that stands before it, in base62, the way GitHub's tokens do it: it proves nothing, it only lets a scanner tell a token from
noise.
"""

from __future__ import annotations

import zlib

from strongroom.encoding import base62
from strongroom.logical.ambient import Entropy

SERVICE_PREFIX = "srs."
BATCH_PREFIX = "srb."
ROOT_LENGTH = 28

_SERVICE_RANDOM, _SERVICE_CHECKSUM = 28, 6
_ROOT_RANDOM, _ROOT_CHECKSUM = 22, 2
_ACCESSOR_RANDOM = 24


def new_service_token(entropy: Entropy) -> str:
    """A fresh service token."""
    return _with_checksum(SERVICE_PREFIX + base62.random_text(_SERVICE_RANDOM, entropy), _SERVICE_CHECKSUM)


def new_root_token(entropy: Entropy) -> str:
    """A fresh root token, 28 characters long."""
    return _with_checksum(SERVICE_PREFIX + base62.random_text(_ROOT_RANDOM, entropy), _ROOT_CHECKSUM)


def new_accessor(entropy: Entropy) -> str:
    """A fresh accessor: names a token without being one."""
    return base62.random_text(_ACCESSOR_RANDOM, entropy)


def has_valid_checksum(text: str) -> bool:
    """True where ``text`` has the form of a service or root token of ours. Says nothing about whether it was ever issued."""
    if not text.startswith(SERVICE_PREFIX) or not text.isascii():
        return False
    width = {4 + _SERVICE_RANDOM + _SERVICE_CHECKSUM: _SERVICE_CHECKSUM, ROOT_LENGTH: _ROOT_CHECKSUM}.get(len(text))
    return width is not None and _with_checksum(text[:-width], width) == text


def _with_checksum(body: str, width: int) -> str:
    return body + base62.number(zlib.crc32(body.encode()), width)
