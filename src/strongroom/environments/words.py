"""What else stands in a text than itself: a value in other digits or in an address, and the words that a text consists of. Pure functions.

Nothing here is for ordinary values: it is asked about texts with separators in them alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
_WORDS = re.compile(r"[^\s\"'`{}\[\]()<>;,|&?#\\]+")
_PIECES = re.compile(r"[=:@/]+")
_PEM = "-----BEGIN "


def respelled(text: str) -> Iterator[str]:
    """``text`` as bare hex digits where it is that with ``0x`` before or colons between; the password in it where it is an address."""
    stripped = text.strip()
    digits = _HEX_WRITTEN.fullmatch(stripped)
    if digits is not None:
        bare = digits[1].replace(":", "")
        if bare != stripped:
            yield bare
    elif _ADDRESS.fullmatch(stripped):
        yield from _passwords(stripped)


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
                    yield one.strip(".:!=*~")


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
