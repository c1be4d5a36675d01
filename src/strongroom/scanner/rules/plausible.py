"""What no issuer hands out: words, placeholders, counted and repeated characters.

For keys that only the provider's name beside them marks. As a rule's `plausible` these tell a value that was written by a person from one
that was drawn at random; they prove nothing about where it came from.
"""

from __future__ import annotations

import base64
import binascii
import re
from itertools import pairwise

_WORDS = re.compile(
    rb"example|change|replace|placeholder|dummy|sample|secret|token|passw|access|client|api[_-]?key|your[_-]|undefined|insert|"
    rb"foobar|abcdef|123456|987654|qwert|default|redacted|removed|localhost|config|string|process|environ|https?:"
)
_SHORT_WORDS = re.compile(rb"your|fake|test|xxxx|todo|none|null|here|value")
"""Words that chance writes into a long value now and then."""
_LONG = 24
_AGAIN = re.compile(rb"(.)\1{5}")
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
    if _WORDS.search(lowered) or (len(value) <= _LONG and _SHORT_WORDS.search(lowered)):
        return False
    return _is_mixed(value)


def _is_mixed(value: bytes) -> bool:
    if any(48 <= byte <= 57 for byte in value):
        return True
    turns = sum(before.isupper() != after.isupper() for before, after in pairwise(value.decode("latin-1")))
    return turns > len(value) / 4


def no_example(value: bytes) -> bool:
    """Not one of the keys that the provider's documentation shows."""
    return b"EXAMPLE" not in value


def key_or_token(value: bytes) -> bool:
    """Drawn at random, with a digit at least: what is assigned to a name that anything can have must look the part."""
    digits = sum(48 <= byte <= 57 for byte in value)
    return digits > 1 and drawn_at_random(value) and (bool(_HEX.fullmatch(value)) or not _STRUCTURED.search(value))


def password_in_url(value: bytes) -> bool:
    """No placeholder, no name of a variable or field, and not one of the passwords of every tutorial."""
    lowered = value.lower()
    if _TUTORIAL.fullmatch(lowered) or _AGAIN.search(lowered) or _REFERENCE.search(value):
        return False
    return _WORDS_OF_PASSWORDS.search(lowered) is None and len(set(value)) > 2


def basic_credentials(value: bytes) -> bool:
    """Base64 of a name, a colon and a password that is no placeholder."""
    try:
        name, colon, password = (
            base64.b64decode(value + b"=" * (-len(value) % 4), validate=True).decode("ascii").partition(":")
        )
    except (ValueError, binascii.Error):
        return False
    if not colon or not (name + password).isprintable() or len(name + password) < 6:
        return False
    return password_in_url(password.encode() or name.encode())


def bearer_token(value: bytes) -> bool:
    """A token, and neither words nor the name of a variable."""
    return drawn_at_random(value) and any(48 <= byte <= 57 for byte in value)


_TUTORIAL = re.compile(
    rb"(?:my|the|some|db|root|user|admin|your|a)?[._-]?(?:pass(?:word|wd|wrd|phrase)?|pwd|pw|secret|token|key|pat|credentials?|api_?key|access_?token)?\d{0,4}[!.]?|"
    rb"user(?:name)?|admin\d{0,4}|root|guest|test(?:ing|er)?\d{0,4}|postgres(?:ql)?|mysql|mongo(?:db)?|redis|rabbitmq|sa|foo|bar|baz|foobar|qux|abc\d{0,4}|"
    rb"(?:123){2}|12345\d{0,5}|localhost|example|changeme|default|demo|dev|prod|docker|sample|dummy|p@ss\w{0,8}|hunter2|letmein\d{0,4}|opensesame|s3cr3t|x{2,}|\.{2,}|\*+|-+|_+|[0-9]{1,5}"
)
_WORDS_OF_PASSWORDS = re.compile(
    rb"passw|example|change.?me|placeholder|[_-]pass$|wrong|your[_-]|[_-]here|redacted|replace|dummy|x-oauth-basic|insert|todo"
)
_REFERENCE = re.compile(rb"^[$%#{<\[(]|[}>\])%]$|^[A-Z]+(?:_[A-Z]+)+$|\$\{|\{\{|%[sd(]|\+|^\w+\.\w+(?:\(\))?$|^:")
_STRUCTURED = re.compile(
    rb"^[0-9.-]+$|^(?:v?[0-9]+\.)+[0-9]+|[a-z]{5,}[-_.][a-z]{5,}|[A-Z]{4,}_[A-Z]{3,}|[a-z]{10,}|\.(?:com|io|org|net)"
)
