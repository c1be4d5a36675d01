"""A made-up token in the format of a GitHub personal access token, with the checksum that those carry."""

from __future__ import annotations

import zlib

from strongroom.encoding import base62


def made_up_token(number: int) -> bytes:
    """Token `number`: always the same one, and found nowhere else. 30 characters, then the CRC32 of them in base62."""
    letters = base62.number(pow(7, number + 40, 62**30 - 1), 30)
    return f"ghp_{letters}{base62.number(zlib.crc32(letters.encode()), 6)}".encode()
