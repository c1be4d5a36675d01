"""What no issuer hands out: words, placeholders, counted and repeated characters.

For keys that only the provider's name beside them marks. As a rule's `checksum` these tell a value that was written by a person from one
that was drawn at random; they prove nothing about where it came from.
"""

from __future__ import annotations

import re

_WORDS = re.compile(
    rb"example|your|change|replace|placeholder|dummy|sample|fake|secret|token|passw|access|client|api_?key|apikey|"
    rb"test|xxxx|todo|none|null|undefined|insert|here|foobar|abcdef|123456|987654|qwert|default|redacted|removed|"
    rb"localhost|config|string|value|process|environ|https?:"
)
_AGAIN = re.compile(rb"(.)\1{4}")
_HEX = re.compile(rb"[0-9a-fA-F-]+")


def drawn_at_random(value: bytes) -> bool:
    """Has digits and letters, none of the words of placeholders, and no character five times in a row."""
    lowered = value.lower()
    if _AGAIN.search(lowered) or not any(48 <= byte <= 57 for byte in value) or lowered.isdigit():
        return False
    if _HEX.fullmatch(value):
        return b"12345678" not in value and b"abcdef" not in lowered and b"01234567" not in value
    return _WORDS.search(lowered) is None
