"""What no issuer hands out: words, placeholders, counted and repeated characters.

For keys that only the provider's name beside them marks. As a rule's `checksum` these tell a value that was written by a person from one
that was drawn at random; they prove nothing about where it came from.
"""

from __future__ import annotations

import re
from itertools import pairwise

_WORDS = re.compile(
    rb"example|your|change|replace|placeholder|dummy|sample|fake|secret|token|passw|access|client|api_?key|apikey|"
    rb"test|xxxx|todo|none|null|undefined|insert|here|foobar|abcdef|123456|987654|qwert|default|redacted|removed|"
    rb"localhost|config|string|value|process|environ|https?:"
)
_AGAIN = re.compile(rb"(.)\1{4}")
_HEX = re.compile(rb"[0-9a-fA-F-]+")


def drawn_at_random(value: bytes) -> bool:
    """Mixes digits, capitals and small letters as chance does, with none of the words of placeholders and no long repetition."""
    lowered = value.lower()
    if _AGAIN.search(lowered) or lowered.isdigit():
        return False
    if _HEX.fullmatch(value):
        return (
            not lowered.isalpha() and b"12345678" not in value and b"abcdef" not in lowered and b"01234567" not in value
        )
    return _is_mixed(value) and _WORDS.search(lowered) is None


def _is_mixed(value: bytes) -> bool:
    if any(48 <= byte <= 57 for byte in value):
        return True
    turns = sum(before.isupper() != after.isupper() for before, after in pairwise(value.decode("latin-1")))
    return turns > len(value) / 4
