"""What else stands in a text than itself: a value in other digits or in an address, and the words that a text consists of. Pure functions.

Nothing here is for ordinary values: it is asked about texts with separators in them alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote, urlsplit

LENGTH_MIN = 8
"""Words with fewer characters are none: as in ``forms``."""
WORDS_MAX = 128
"""So many words of a text are compared."""
CHARACTERS_MAX = 64 * 1024
"""What stands behind them in a longer text is not looked at."""

_HEX_WRITTEN = re.compile(r"(?:0[xX])?([0-9a-fA-F]{2}(?::?[0-9a-fA-F]{2}){7,})")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.*", re.DOTALL)
_SETTING = re.compile(r"\s*(?:export\s+)?[A-Za-z_][\w.-]*\s*[=:]\s*(\S.*)", re.DOTALL)
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(\S.*)")
_PROMISING = (
    r"(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|(?:api|access|account|auth|private|shared)[_-]?key)"
)
_PROMISED = re.compile(rf"{_PROMISING}[\w.-]{{0,40}}[\"']?\s{{0,8}}[=:]\s{{0,8}}[\"']?([^\s\"';&,]{{8,}})")
"""What stands behind a name that promises a secret, anywhere in a text in small letters: in the address of a database, a query, the words of a command."""
_STEMS = ("passw", "passphrase", "pwd", "secret", "token", "credential", "key")
_WORDS = re.compile(r"[^\s\"'`{}\[\]()<>;,|&?#\\]+")
_PIECES = re.compile(r"[=:@/]+")
_AROUND = ".:!=*~"
_PEM = "-----BEGIN "
_STRONG_LENGTH_MIN = 16
_KEY_LENGTH_MIN = 20


def respelled(text: str) -> Iterator[str]:
    """``text`` as bare hex digits where it is that with ``0x`` before or colons between; where it is an address, the password in it, and
    what in its path looks like a key.
    """
    stripped = text.strip()
    digits = _HEX_WRITTEN.fullmatch(stripped)
    if digits is not None:
        bare = digits[1].replace(":", "")
        if bare != stripped:
            yield bare
    elif _ADDRESS.fullmatch(stripped):
        yield from _passwords(stripped)
        yield from filter(_is_key, stripped.partition("://")[2].partition("?")[0].partition("#")[0].split("/")[1:])


def assigned_in(text: str) -> Iterator[str]:
    """What a text, in which it may stand by itself, says a name means: all of the text behind ``NAME=`` where that is no ordinary word, and
    anything behind a name that promises a secret.
    """
    small = text.lower()
    is_promising = any(map(small.__contains__, _STEMS))
    assignment = _ASSIGNMENT.fullmatch(text)
    if assignment is not None:
        value = assignment[2].strip().strip("\"'")
        if _is_strong(value) or (is_promising and re.search(_PROMISING, assignment[1].lower())):
            yield value
        yield from respelled(value)
    if is_promising:
        as_it_stands = text if len(small) == len(text) else small
        for found in islice(_PROMISED.finditer(small), WORDS_MAX):
            value = as_it_stands[slice(*found.span(1))]
            yield value
            if "%" in value:
                yield unquote(value)


def segments_of(text: str) -> list[str]:
    """What lies between the slashes of ``text`` and may be a value by itself, as :func:`words_of` has it where nothing else separates words."""
    found: dict[str, None] = {}
    for segment in text.split("/"):
        if len(segment) >= LENGTH_MIN and any(map(str.isdigit, segment)):
            found[segment] = found[segment.strip(_AROUND)] = None
    found.pop(text, None)
    return [segment for segment in islice(found, WORDS_MAX) if len(segment) >= LENGTH_MIN]


def words_of(text: str) -> Iterator[str]:
    """What may be a value by itself within ``text``, at most ``WORDS_MAX``: what stands behind a name, what percent signs mean, passwords of
    addresses, and words with a digit in them, since names of machines and services are words, too.
    """
    if _PEM in text:
        return
    seen = {text}
    for word in _all_words(text[:CHARACTERS_MAX]):
        if len(word) >= LENGTH_MIN and word not in seen:
            seen.add(word)
            yield word
            if len(seen) > WORDS_MAX:
                return


def _all_words(text: str) -> Iterator[str]:
    readings = [text]
    if "%" in text:
        readings.append(unquote(text))
        yield readings[1]
    for reading in readings:
        setting = _SETTING.fullmatch(reading)
        if setting is not None:
            value = setting[1].strip()
            yield value
            yield value.strip("\"'")
        for word in _WORDS.findall(reading):
            yield from respelled(word)
            pieces = _PIECES.split(word)
            for one in (word, *(pieces if len(pieces) > 1 else ())):
                if any(map(str.isdigit, one)):
                    yield one
                    yield one.strip(_AROUND)


def _passwords(address: str) -> Iterator[str]:
    """The password of an address, as it stands there and as it is meant."""
    try:
        password = urlsplit(address).password
    except ValueError:
        return
    if password:
        yield password
        if "%" in password:
            yield unquote(password)


def _is_strong(value: str) -> bool:
    """Whether ``value`` is more than a word, a number or a version: those are the same in many environments."""
    if not any(map(str.isdigit, value)) or value.upper() == value.lower():
        return False
    return len(value) >= _STRONG_LENGTH_MIN or _has_both_cases(value)


def _is_key(segment: str) -> bool:
    """Whether a part of a path is a key, and no name, number, hash or UUID, which addresses of the same thing have in common."""
    return len(segment) >= _KEY_LENGTH_MIN and any(map(str.isdigit, segment)) and _has_both_cases(segment)


def _has_both_cases(text: str) -> bool:
    return any(map(str.isupper, text)) and any(map(str.islower, text))
