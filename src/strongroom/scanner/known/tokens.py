"""From bytes to tokens: all strings in a text that could be a whole value.

A value ends where something else begins: at a quote, a separator, a blank, a line. What that is differs by language, so a text is cut in several
ways, and every piece that is long enough counts. Pieces are sets: what stands in a text a thousand times is one token. Where a token
stands is looked up only for those that turn out to be ours.

Time and memory are linear in the text: each way reads it once, and the ways to combine the pieces of a word are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from strongroom.scanner.known.blocks import LARGEST, blocks
from strongroom.scanner.known.forms import LEAST

SLICE = 256 * 1024
"""Bytes of a text that are cut at once."""
LONGEST_LINE = 4096
"""Bytes of the longest token of one line."""
_OVERLAP = 2 * LONGEST_LINE
_LONGEST_WORD = 512
"""Bytes of a word that is combined from pieces; of a longer one, so many at a time."""
_MOST_PIECES = 12
"""Pieces of a word, with a digit somewhere, of which every combination is a token."""
_FEW_PIECES = 3
"""Where there are more, so many pieces of a token."""
_OUTER = 3
"""In any word, what is between one of so many first signs and one of so many last signs."""
_REMEMBERED = 200_000

_RUNS = re.compile(rb"[\t\x20-\x7e]{%d,}" % LEAST)
_CURLY = re.compile(rb"\xe2\x80[\x98-\x9f]|\xc2[\xab\xbb\xa0]")
_QUOTES = (b'"', b"'", b"`")
_QUOTED = {quote: re.compile(rb"(?<!\\)" + quote) for quote in _QUOTES}
_ANY_QUOTE = re.compile(rb"[\"'`]")
_PLAIN_QUOTED = re.compile(rb"(?<!\\)\\*+[\"'`]")
_TO_CELLS = bytes.maketrans(b",;|\t", b"\n\n\n\n")
_LONGEST_NAME = 512
"""Bytes of a line before what it assigns."""
_TAGGED = re.compile(rb">([^<>\n]{%d,%d})(?=<)" % (LEAST, LONGEST_LINE))
_COMMENT = re.compile(rb"(?<![ \t])[ \t]++(?:#|//|--|;)[ \t]")
_COMMENTS = (b"#", b"//", b"--", b";")
_LETTER = b"A-Za-z0-9_.+\\-\x80-\xff"
_WORDS = re.compile(rb"[" + _LETTER + rb"]{%d,%d}" % (LEAST, LONGEST_LINE))
_NARROW_WORDS = re.compile(rb"[A-Za-z0-9]{%d,%d}" % (LEAST, LONGEST_LINE))
_SIGN = re.compile(rb"[^A-Za-z0-9_.+%\-\x80-\xff]")
_BRACKETS = b"()[]{}<>\"'`,;."
_BRACKET = re.compile(rb"[()\[\]{}<>\"'`,;]")
_DIGIT = re.compile(rb"[0-9]")
_PAIRS = re.compile(rb"(?<![0-9A-Za-z])[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){7,}(?![0-9A-Za-z])")
"""Bytes in hex with colons: more signs than are combined."""
_ENDS = b".,:;!?-_*+"


def _blanks_but(kept: re.Pattern[bytes]) -> bytes:
    """The table that turns all bytes into blanks but those of words."""
    return bytes(code if kept.fullmatch(bytes([code]) * LEAST) else 32 for code in range(256))


_TO_WORDS = _blanks_but(_WORDS)
_TO_NARROW_WORDS = _blanks_but(_NARROW_WORDS)


class Tokeniser:
    """Cuts texts. Words of which nothing but tokens in `refused` can be made are not cut again; so it is for one scan."""

    def __init__(self, refused: AbstractSet[bytes] = frozenset()) -> None:
        self._refused = refused
        self._cut: set[bytes] = set()

    def tokens(self, data: bytes, *, is_text: bool = True) -> Iterator[set[bytes]]:
        """The tokens of `data`, in sets of a bounded size; those of a set may be in another, too."""
        if len(data) <= LARGEST and (whole := data.strip()):
            yield {whole}
        if is_text:
            yield from _in_sets(blocks(data))
        else:
            data = b"\n".join(_RUNS.findall(data))
        for part in slices(data):
            yield _long_enough(_bounded(part))
            yield from self._words(part)

    def _words(self, part: bytes) -> Iterator[set[bytes]]:
        """Words between blanks, and what they are made of."""
        if b"\xe2\x80" in part or b"\xc2" in part:
            part = _CURLY.sub(b" ", part)
        plain = _all_of(_WORDS, _TO_WORDS, part)
        found = plain | _all_of(_NARROW_WORDS, _TO_NARROW_WORDS, part)
        found.update([word.strip(_ENDS) for word in found])
        found.update([word.strip(b".") for word in plain])
        yield _long_enough(found)
        made: set[bytes] = {word[2:] for word in plain if word[:1] == b"-"}  # -pVALUE
        made = {word for word in made if len(word) >= LEAST}
        # What is a word by any measure was said by now; of the others there are few.
        for word in set(part.split()) - self._cut - plain:
            if len(word) >= LEAST:
                tokens = combinations(word)
                if all(token in self._refused for token in tokens):
                    self._remember(word)
                else:
                    made.update(tokens)
        yield made

    def _remember(self, word: bytes) -> None:
        if len(word) <= _LONGEST_WORD:
            if len(self._cut) >= _REMEMBERED:
                self._cut.clear()
            self._cut.add(word)


def slices(data: bytes) -> Iterator[bytes]:
    """`data` in parts that end with a line; where a line is too long for that, they overlap by more than a token."""
    start, size = 0, len(data)
    while size - start > SLICE:
        end = data.rfind(b"\n", start + SLICE // 2, start + SLICE)
        if end < 0:
            yield data[start : start + SLICE]
            start += SLICE - _OVERLAP
        else:
            yield data[start:end]
            start = end + 1
    if start < size:
        yield data[start:] if start else data


def _all_of(words: re.Pattern[bytes], table: bytes, part: bytes) -> set[bytes]:
    """The matches of `words`, which `table` leaves between blanks."""
    found = {word for word in set(part.translate(table).split()) if len(word) >= LEAST}
    for word in [word for word in found if len(word) > LONGEST_LINE]:
        found.remove(word)
        found.update(words.findall(word))
    return found


def combinations(word: bytes) -> list[bytes]:
    """What stands in a word between any two of its signs: `user:pa55@ss@host` holds `pa55@ss`.

    Code has many signs and few digits: a word without a digit is cut at its brackets and quotes first, and only a few signs at either end of
    what is left are taken away.
    """
    found: list[bytes] = []
    if _DIGIT.search(word):
        _combine(word, found)
        if word.count(b":") >= LEAST - 1:
            found += _PAIRS.findall(word)
        return found
    found.append(word.strip(_BRACKETS))
    for inner in _BRACKET.split(word):
        if len(inner) >= LEAST:
            _combine(inner, found)
    return found


def _combine(word: bytes, found: list[bytes]) -> None:
    for start in range(0, max(1, len(word) - LEAST), _LONGEST_WORD - 128):
        part = word[start : start + _LONGEST_WORD]
        signs = [sign.start() for sign in _SIGN.finditer(part)]
        if signs:
            _spans(part, signs, found)
        else:
            found.append(part)
        if part[:1] == b"-" and len(part) >= LEAST + 2:
            found.append(part[2:])  # -pVALUE
        if start + _LONGEST_WORD >= len(word):
            return


def _spans(part: bytes, signs: list[int], found: list[bytes]) -> None:
    starts = [0, *[sign + 1 for sign in signs]]
    ends = [*signs, len(part)]
    last = len(ends)
    within = 1
    if _DIGIT.search(part):
        within = last if last <= _MOST_PIECES else _FEW_PIECES
    for number, start in enumerate(starts):
        near = number + within
        found += [part[start:end] for end in ends[number:near] if end - start >= LEAST]
        if number < _OUTER:
            found += [part[start:end] for end in ends[max(near, last - _OUTER) :] if end - start >= LEAST]


def _bounded(part: bytes) -> set[bytes]:
    """What lines, quotes, separators, cells and tags bound, blanks and signs within it."""
    lines = set(part.split(b"\n"))
    found = set(lines)
    for sign in (b"=", b":"):
        found |= _trimmed({line for line in lines if sign in line}, sign)
    if _CURLY.search(part):
        found.update(_CURLY.split(part))
    quoted: set[bytes] = set()
    for quote in _QUOTES:
        if quote in part:
            held = [line for line in lines if quote in line]
            quoted.update(held)
            for line in held:
                found.update(_QUOTED[quote].split(line) if b"\\" in line else line.split(quote))
    for line in quoted:
        found.update((_PLAIN_QUOTED if b"\\" in line else _ANY_QUOTE).split(line))
    found.update([cell for cell in set(part.translate(_TO_CELLS).split(b"\n")) if b" " in cell])
    if b"<" in part:
        found.update(_TAGGED.findall(part))
    return found


def _trimmed(lines: set[bytes], sign: bytes) -> set[bytes]:
    """The rest of each line behind `sign` as a value: as it is, without what closes a statement, and without a comment."""
    texts = set()
    for line in lines:
        at = line.find(sign)
        if 0 < at <= _LONGEST_NAME and len(line) - at > LEAST:
            value = line[at + 1 : at + 1 + LONGEST_LINE]
            texts.add(value.strip())
            for comment in _COMMENTS:
                if comment in value:
                    texts.add(_COMMENT.split(value, maxsplit=1)[0].strip())
                    break
    closed = {text.rstrip(b",;") for text in texts}
    texts |= closed
    texts.update([text.lstrip(b"=>~ \t") for text in closed])  # ==, =>, :=, =~
    texts.update([text.strip(b"\"'`") for text in closed])
    texts.update([text.rstrip(b")]}").rstrip() for text in closed])
    return texts


def _long_enough(tokens: Iterable[bytes]) -> set[bytes]:
    return {token for token in set(map(bytes.strip, tokens)) if LEAST <= len(token) <= LONGEST_LINE}


def _in_sets(tokens: Iterator[bytes]) -> Iterator[set[bytes]]:
    found = {token for token in tokens if len(token) >= LEAST}
    if found:
        yield found
