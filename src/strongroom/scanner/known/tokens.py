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
_QUOTED = tuple(re.compile(rb"(?<!\\)" + quote + rb"|\n") for quote in (rb'"', rb"'", rb"`"))
_PLAIN_QUOTED = re.compile(rb"(?<!\\)\\*+[\"'`]|\n")
_AFTER_EQUALS = re.compile(rb"^[^=\n]{1,512}=([^\n]{%d,%d})" % (LEAST, LONGEST_LINE), re.MULTILINE)
_AFTER_COLON = re.compile(rb"^[^:\n]{1,512}:([^\n]{%d,%d})" % (LEAST, LONGEST_LINE), re.MULTILINE)
_CELLS = re.compile(rb"[,;|\t\n]")
_TAGGED = re.compile(rb">([^<>\n]{%d,%d})(?=<)" % (LEAST, LONGEST_LINE))
_COMMENT = re.compile(rb"(?<![ \t])[ \t]++(?:#|//|--|;)[ \t]")
_WORDS = re.compile(rb"[A-Za-z0-9_.+\-\x80-\xff]{%d,%d}" % (LEAST, LONGEST_LINE))
_NARROW_WORDS = re.compile(rb"[A-Za-z0-9]{%d,%d}" % (LEAST, LONGEST_LINE))
_SIGN = re.compile(rb"[^A-Za-z0-9_.+%\-\x80-\xff]")
_BRACKETS = b"()[]{}<>\"'`,;."
_BRACKET = re.compile(rb"[()\[\]{}<>\"'`,;]")
_DIGIT = re.compile(rb"[0-9]")
_ENDS = b".,:;!?-_*+"


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
        part = _CURLY.sub(b" ", part)
        found = set(_WORDS.findall(part))
        found.update(_NARROW_WORDS.findall(part))
        found.update([word.strip(_ENDS) for word in found])
        yield _long_enough(found)
        made: set[bytes] = set()
        for word in set(part.split()) - self._cut:
            if len(word) >= LEAST:
                tokens = set(combinations(word))
                if tokens <= self._refused:
                    self._remember(word)
                else:
                    made |= tokens
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


def combinations(word: bytes) -> Iterator[bytes]:
    """What stands in a word between any two of its signs: `user:pa55@ss@host` holds `pa55@ss`.

    Code has many signs and few digits: a word without a digit is cut at its brackets and quotes first, and only a few signs at either end of
    what is left are taken away.
    """
    if _DIGIT.search(word):
        yield from _combined(word)
        return
    yield word.strip(_BRACKETS)
    for inner in _BRACKET.split(word):
        if len(inner) >= LEAST:
            yield from _combined(inner)


def _combined(word: bytes) -> Iterator[bytes]:
    for start in range(0, max(1, len(word) - LEAST), _LONGEST_WORD - 128):
        part = word[start : start + _LONGEST_WORD]
        yield from _spans(part, [found.start() for found in _SIGN.finditer(part)])
        if start + _LONGEST_WORD >= len(word):
            return


def _spans(part: bytes, signs: list[int]) -> Iterator[bytes]:
    starts = [0, *(sign + 1 for sign in signs)]
    ends = [*signs, len(part)]
    last = len(ends)
    within = 1
    if last > 1 and _DIGIT.search(part):
        within = last if last <= _MOST_PIECES else _FEW_PIECES
    for number, start in enumerate(starts):
        near = ends[number : number + within]
        far = ends[max(number + within, last - _OUTER) :] if number < _OUTER else ()
        for end in (*near, *far):
            if end - start >= LEAST:
                yield part[start:end]
    if part[:1] == b"-" and len(part) >= LEAST + 2:
        yield part[2:]  # -pVALUE


def _bounded(part: bytes) -> Iterator[bytes]:
    """What lines, quotes, separators, cells and tags bound, blanks and signs within it."""
    yield from part.split(b"\n")
    for pattern in (_AFTER_EQUALS, _AFTER_COLON):
        for value in pattern.findall(part):
            yield from _trimmed(value)
    if _CURLY.search(part):
        yield from _CURLY.split(part)
    for quoted in (*_QUOTED, _PLAIN_QUOTED):
        yield from quoted.split(part)
    for cell in _CELLS.split(part):
        if b" " in cell:
            yield cell
    yield from _TAGGED.findall(part)


def _trimmed(value: bytes) -> Iterator[bytes]:
    """The rest of a line as a value: as it is, without what closes a statement, and without a comment."""
    for text in {value, _COMMENT.split(value, maxsplit=1)[0]}:
        bare = text.strip()
        yield bare
        closed = bare.rstrip(b",;")
        yield closed
        yield closed.lstrip(b"=>~ \t")  # ==, =>, :=, =~
        yield closed.strip(b"\"'`")
        yield closed.rstrip(b")]}").rstrip()


def _long_enough(tokens: Iterable[bytes]) -> set[bytes]:
    return {token for token in {one.strip() for one in tokens} if LEAST <= len(token) <= LONGEST_LINE}


def _in_sets(tokens: Iterator[bytes]) -> Iterator[set[bytes]]:
    found = {token for token in tokens if len(token) >= LEAST}
    if found:
        yield found
