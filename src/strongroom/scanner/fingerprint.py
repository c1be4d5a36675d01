"""What identifies a secret across files, moves and histories: a hash of its content alone.

Plain SHA-256 by default. Whoever reads such a fingerprint can try guesses against it, so for weak secrets in a public baseline there is the keyed
form, HMAC-SHA-256. Both are over a prefix of ours and the value, so that they are no hash of the value that is found elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path

_PREFIX = b"strongroom finding 1\0"
_LEAST_KEY = 16


class BadKey(ValueError):
    """A key that is too short to protect anything."""


@dataclass(frozen=True, slots=True)
class Fingerprinter:
    """Makes fingerprints; keyed if it has a `key`."""

    key: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.key and len(self.key) < _LEAST_KEY:
            raise BadKey(f"a fingerprint key has at least {_LEAST_KEY} bytes")

    @property
    def scheme(self) -> str:
        """The name of how they are made, as a baseline records it."""
        return "hmac-sha256" if self.key else "sha256"

    def fingerprint(self, value: bytes) -> str:
        """The fingerprint of a secret: 64 hexadecimal digits."""
        if self.key:
            return hmac.new(self.key, _PREFIX + value, hashlib.sha256).hexdigest()
        return hashlib.sha256(_PREFIX + value).hexdigest()


def fingerprinter_of(key_file: str) -> Fingerprinter:
    """One with the key in `key_file`; without a name, one without a key. Raises BadKey, also for an empty file, and OSError."""
    if not key_file:
        return Fingerprinter()
    key = Path(key_file).read_bytes().strip()
    if not key:
        # An empty key would be none: fingerprints that are meant to be safe from guesses would not be.
        raise BadKey(f"the fingerprint key file is empty: it holds at least {_LEAST_KEY} bytes")
    return Fingerprinter(key)
