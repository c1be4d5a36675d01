"""Which values are worth looking for: what everybody writes would be found everywhere, and what is easily guessed must not be confirmed.

Nothing here shows a value. Reasons are sentences of ours.
"""

from __future__ import annotations

import re

from strongroom.scanner.generic.names import HINTING, TELLING
from strongroom.scanner.known.forms import LEAST
from strongroom.scanner.scorer.shape import form

LARGEST = 1024 * 1024
"""Bytes of the longest value that is looked for."""
GUESSABLE_BITS = 56.0
"""What is easier to guess than this is put into no filter: whoever has a filter and its key may guess as often as he likes."""

_LEAST_DISTINCT = 5
_LEAST_BITS = 30.0
_LEAST_BITS_OF_WORDS = 80.0
_COMMON_WORD = 12
"""Letters of a word that may be in a dictionary, at most."""
_LONGEST_SETTING = 1024
_TELLS = re.compile(rf"(?i){'|'.join(TELLING + HINTING)}")
_WORD = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+")
_PUBLIC_BLOCK = re.compile(
    rb"\s*-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE|(?:RSA |EC )?PUBLIC KEY|SSH2 PUBLIC KEY|CERTIFICATE REQUEST)-----"
    rb".*?-----END \1-----\s*",
    re.DOTALL,
)
_PUBLIC_LINE = re.compile(rb"\s*(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-\S+@openssh\.com) AAAA\S+(?: [^\n]*)?\s*")
_ORDINARY = frozenset(
    {
        "template",
        "number",
        "constant",
        "snake",
        "kebab",
        "camel",
        "small-word",
        "capital-word",
        "name",
        "mail",
        "file",
        "member",
        "mime",
        "path",
        "call",
    }
)
_ADDRESS = re.compile(rb"(?:[a-z][a-z0-9+.-]{1,14}://)?([\w-]+(?:\.[\w-]+)*(?::\d{1,5})?)(?:/[\w./-]*)?")
_PIECE = re.compile(rb"(?P<lower>[a-z]+)|(?P<upper>[A-Z][a-z]*|[A-Z]+)|(?P<digits>[0-9]+)|(?P<other>[^A-Za-z0-9]+)")
_SEPARATORS = frozenset(b" ._-:/@,")


def left_out(name: str, value: bytes) -> str:
    """Why `value`, which stands under `name`, is not looked for; empty if it is."""
    if len(value.strip()) < LEAST:
        return f"shorter than {LEAST} characters"
    if len(value) > LARGEST:
        return f"longer than {LARGEST // 1024} KB"
    if len(set(value)) < _LEAST_DISTINCT:
        return "made of very few different characters"
    if _is_public(value):
        return "a certificate or a public key"
    if len(value) <= _COMMON_WORD and _WORD.fullmatch(value):
        return "an ordinary word"
    return "" if len(value) > _LONGEST_SETTING or _TELLS.search(name) else _ordinary(value)


def is_guessable(value: bytes) -> bool:
    """Whether guessing would find `value` sooner or later."""
    return guess_bits(value) < GUESSABLE_BITS


def guess_bits(value: bytes) -> float:
    """About how many bits a guesser has to try who knows that people use words: a lower estimate, good enough to sort by."""
    if len(value) > 256:
        return 256.0
    bits = 0.0
    seen: set[bytes] = set()
    for found in _PIECE.finditer(value):
        piece = found[0]
        if piece in seen:
            bits += 1
        elif found.lastgroup in {"lower", "upper"}:
            bits += min(4.7 * len(piece), 13 + 4.7 * max(0, len(piece) - _COMMON_WORD))
        elif found.lastgroup == "digits":
            bits += min(3.3 * len(piece), 3.3 * 24)
        else:
            bits += sum(1 if code in _SEPARATORS else 5 for code in set(piece))
        seen.add(piece)
    return bits


def _ordinary(value: bytes) -> str:
    """What a value is that may just be a setting; empty if it is more than that."""
    if b"://" in value and b"@" in value:
        return ""  # an address with a password
    bits = guess_bits(value)
    shape = form(value)
    found = _ADDRESS.fullmatch(value)
    if shape == "url" and bits < _LEAST_BITS_OF_WORDS:
        return "an address"
    if found and (b"." in value or b":" in value) and bits < _LEAST_BITS_OF_WORDS and not _has_random_piece(value):
        return "an address"
    has_digit = any(48 <= code < 58 for code in value)
    if shape in _ORDINARY and bits < _LEAST_BITS_OF_WORDS and not (has_digit and _has_random_piece(value)):
        return "what settings look like"
    return "easily guessed" if bits < _LEAST_BITS else ""


def _has_random_piece(value: bytes) -> bool:
    """Whether a run of letters and digits mixes both as no word does."""
    return any(
        len(piece) >= 12 and guess_bits(piece) >= _LEAST_BITS and any(48 <= code < 58 for code in piece)
        for piece in re.split(rb"[^A-Za-z0-9]+", value)
    )


def _is_public(value: bytes) -> bool:
    end = 0
    while found := _PUBLIC_BLOCK.match(value, end):
        end = found.end()
    if end and not value[end:].strip():
        return True
    return bool(_PUBLIC_LINE.fullmatch(value))
