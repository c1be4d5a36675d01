"""How text is cut into words, which words are known, and how natural a run of letters looks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

LONGEST_WORD = 24

_WORD = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]")
_READ = 96
"""Bytes whose naturalness is looked at."""
_SHORTEST = 3
_MOST_REMEMBERED = 20_000

NO_LETTERS = 10
"""What `naturalness` says of a value without letters."""


def words(text: bytes, most: int = 12) -> list[str]:
    """The first `most` words of a name or a phrase, in lower case: cut at capitals, digits, and everything that is no letter."""
    return [word.decode("latin-1").lower() for word in _WORD.findall(text)[:most] if len(word) <= LONGEST_WORD]


class Vocabulary:
    """Words that many projects use, and how likely three letters follow each other in them.

    `trigrams` maps three lower-case letters (`^` before the first and `$` after the last of a word) to a number from 0, as good as
    never, to 9, very often.
    """

    def __init__(self, known: Iterable[str], trigrams: Mapping[bytes, int]) -> None:
        self._known = frozenset(known)
        self._trigrams = dict(trigrams)
        self._natural: dict[bytes, int] = {}

    def known(self) -> list[str]:
        """The known words, in order."""
        return sorted(self._known)

    def coverage(self, found: Iterable[str], letters: int) -> int:
        """How much of `letters` letters the words of `found` that are known make up, in quarters; 9 without letters."""
        if not letters:
            return 9
        known = self._known
        return 4 * sum(len(word) for word in found if len(word) >= _SHORTEST and word in known) // letters

    def naturalness(self, value: bytes) -> int:
        """How much the letters of `value` look like words, from 0 to 9; `NO_LETTERS` without any."""
        total = count = 0
        natural = self._natural
        for word in _WORD.findall(value[:_READ]):
            size = len(word)
            if size >= _SHORTEST:  # letters between digits are no words
                known = natural.get(word)
                total += self._sum(word) if known is None else known
            count += size
        return total // count if count else NO_LETTERS

    def _sum(self, word: bytes) -> int:
        """How likely the letters of `word` follow each other, all together."""
        likely = self._trigrams.get
        padded = b"^" + word.lower() + b"$"
        total = sum([likely(padded[at : at + 3], 0) for at in range(len(word))])
        if len(self._natural) >= _MOST_REMEMBERED:
            self._natural.clear()
        self._natural[word] = total
        return total
