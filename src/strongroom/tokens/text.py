"""How tokens look: a prefix that scanners can key on, random letters, and a checksum that can be checked offline.

======== ============================================================ =======
kind     form                                                         length
======== ============================================================ =======
service  ``srs.`` + 6 of the time + 28 random letters + 6 of checksum 44
root     ``srs.`` + 22 random letters + 2 of checksum                 28
batch    ``srb.`` + base64url of the sealed entry                     longer
accessor 6 of the time + 24 random letters, no prefix                 30
======== ============================================================ =======

The letters of the time say when a token was made, in steps of 67 milliseconds, and come before all others in the keys of the store: what
is stored of tokens that were made together then lies together, on a few pages instead of one for each row. They are no part of the secret.
Service tokens of 38 and accessors of 24 characters, without the time, are those of older servers, and are as good.

A letter of base62 carries 5.95 bits, so a service token has 166 random bits and a root token 131. Root tokens are 28 characters
long because the one-time pad of ``sys/generate-root`` has that length in every client (CONTRACT 7). The checksum is CRC-32 of all
that stands before it, in base62, the way GitHub's tokens do it: it proves nothing, it only lets a scanner tell a token from
noise.
"""

from __future__ import annotations

import re
import zlib

from strongroom.encoding import base62
from strongroom.logical.ambient import Entropy

SERVICE_PREFIX = "srs."
BATCH_PREFIX = "srb."
ROOT_LENGTH = 28

_TIME = 6
# A step of 2**26 nanoseconds. The letters begin anew every 120 years, first in 2090: nothing but the place in the store depends on them.
_STEP_BITS = 26
_SERVICE_RANDOM, _SERVICE_CHECKSUM = 28, 6
_ROOT_RANDOM, _ROOT_CHECKSUM = 22, 2
_ACCESSOR_RANDOM = 24
_CHECKSUM_BY_LENGTH = {44: _SERVICE_CHECKSUM, 38: _SERVICE_CHECKSUM, ROOT_LENGTH: _ROOT_CHECKSUM}

_DATED_TOKEN = re.compile(r"srs\.([0-9A-Za-z]{6})[0-9A-Za-z]{34}")
_DATED_ACCESSOR = re.compile(r"([0-9A-Za-z]{6})[0-9A-Za-z]{24}")


def new_service_token(entropy: Entropy, now_ns: int) -> str:
    """A fresh service token, made at ``now_ns``."""
    dated = SERVICE_PREFIX + _time_letters(now_ns)
    return _with_checksum(dated + base62.random_text(_SERVICE_RANDOM, entropy), _SERVICE_CHECKSUM)


def new_root_token(entropy: Entropy) -> str:
    """A fresh root token, 28 characters long."""
    return _with_checksum(SERVICE_PREFIX + base62.random_text(_ROOT_RANDOM, entropy), _ROOT_CHECKSUM)


def new_accessor(entropy: Entropy, now_ns: int) -> str:
    """A fresh accessor, made at ``now_ns``: names a token without being one."""
    return _time_letters(now_ns) + base62.random_text(_ACCESSOR_RANDOM, entropy)


def time_in_token(token: str) -> str:
    """The letters of the time in a service token; "" where it has none, as root tokens, chosen ones and those of older servers."""
    dated = _DATED_TOKEN.fullmatch(token)
    return dated[1] if dated else ""


def time_in_accessor(accessor: str) -> str:
    """The letters of the time in an accessor; "" where it has none, as those of older servers."""
    dated = _DATED_ACCESSOR.fullmatch(accessor)
    return dated[1] if dated else ""


def has_valid_checksum(text: str) -> bool:
    """True where ``text`` has the form of a service or root token of ours. Says nothing about whether it was ever issued."""
    if not text.startswith(SERVICE_PREFIX) or not text.isascii():
        return False
    width = _CHECKSUM_BY_LENGTH.get(len(text))
    return width is not None and _with_checksum(text[:-width], width) == text


def _time_letters(now_ns: int) -> str:
    return base62.number(now_ns >> _STEP_BITS, _TIME)


def _with_checksum(body: str, width: int) -> str:
    return body + base62.number(zlib.crc32(body.encode()), width)
