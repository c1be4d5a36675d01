"""Which literal texts a pattern insists on: its tree is walked, and whatever is not a few letters becomes a gap."""

from __future__ import annotations

import re._constants as constants  # type: ignore[import-not-found]  # typeshed leaves it out
import re._parser as parser  # type: ignore[import-not-found]  # typeshed leaves it out
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

GAP = "\0"
_MOST = 4000


def possible_texts(pattern: str) -> set[str]:
    """Every text that `pattern` can match, in small letters, with a gap for what may be one of many characters."""
    return set(_sequence(parser.parse(pattern)))


def _sequence(nodes: Iterable[Any]) -> list[str]:
    texts = [""]
    for node in nodes:
        choices = sorted(set(_choices(node)))
        if len(texts) * len(choices) > _MOST:
            choices = [GAP]
        texts = sorted({_shortened(before + after) for before, after in product(texts, choices)})
    return texts


def _shortened(text: str) -> str:
    while GAP + GAP in text:
        text = text.replace(GAP + GAP, GAP)
    return text


def _choices(node: Any) -> Iterator[str]:
    kind, value = node
    if kind is constants.LITERAL:
        yield chr(value).lower()
    elif kind is constants.IN:
        yield from _letters(value)
    elif kind is constants.BRANCH:
        for branch in value[1]:
            yield from _sequence(branch)
    elif kind is constants.SUBPATTERN:
        yield from _sequence(value[3])
    elif kind in {constants.MAX_REPEAT, constants.MIN_REPEAT}:
        yield from _repeated(value)
    elif kind is constants.AT:
        yield ""
    else:
        yield GAP


def _letters(members: list[Any]) -> Iterator[str]:
    if len(members) <= 6 and all(kind is constants.LITERAL for kind, _ in members):
        yield from (chr(value).lower() for _, value in members)
    else:
        yield GAP


def _repeated(value: Any) -> Iterator[str]:
    least, most, body = value
    once = _sequence(body)
    if most == 1:
        yield from ([*once, ""] if least == 0 else once)
    elif least == most and len(once) == 1:
        yield once[0] * least
    else:
        yield GAP
        if least == 0:
            yield ""
