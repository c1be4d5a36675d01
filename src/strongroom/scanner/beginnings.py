"""How matches of a pattern can begin: the words of which one stands at the start of each, where the pattern says so.

With them the exact stage need not search: it tries where such a word stands, and there RE2 needs no automaton, which it would have to build state by state.
A pattern that begins otherwise, or with what is not understood here, has no such words, and is searched for.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_MOST = 48
LONGEST = 10
"""Characters of a word, at most."""
_SHORTEST = 2
_OPENING = re.compile(r"\((?:\?(?:P<\w+>|i?:)|(?!\?))")
_REPEATED = re.compile(r"(?:(?P<maybe>\?)|(?P<any>\*|\{0,[0-9]*\})|(?P<some>\+|\{[0-9]+(?:,[0-9]*)?\}))\??")
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPED = re.compile(r"\\(?:(?P<border>[bBAz])|[dDsSwWnrtfv]|x[0-9a-fA-F]{2}|(?P<sign>[!-/:-@\[-`{-~]))")
_STEP = re.compile(
    r"(?P<opens>\()|(?P<ends>[|)])|\\.|\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]|[^\\\[()|]+", re.DOTALL
)
"""A parenthesis, the sign between alternatives, or what may stand between those."""
_FEW = re.compile(r"\[([A-Za-z0-9_. ]{1,4}-?)\]")


class _Start(NamedTuple):
    """The beginning of what a part of a pattern matches, and whether that is all of it."""

    text: str
    is_whole: bool


_UNKNOWN = {_Start("", is_whole=False)}
_NOTHING = {_Start("", is_whole=True)}


class _Unread(Exception):
    """The pattern has something that is not understood here."""


def beginnings(pattern: str) -> tuple[str, ...]:
    """Words in lower case, with one of which, in any case, every match of `pattern` begins; none if that cannot be told."""
    try:
        starts, end = _alternatives(pattern, len("(?i)") if pattern.startswith("(?i)") else 0)
    except _Unread:
        return ()
    words = {start.text[:LONGEST].lower() for start in starts}
    if end < len(pattern) or any(len(word) < _SHORTEST for word in words):
        return ()
    return tuple(sorted(word for word in words if not any(word != other and word.startswith(other) for other in words)))


def _alternatives(pattern: str, position: int) -> tuple[set[_Start], int]:
    """The starts of what stands from `position` to the parenthesis that closes it, or to the end."""
    found: set[_Start] = set()
    while True:
        starts, position = _sequence(pattern, position)
        found |= starts
        if pattern[position : position + 1] != "|":
            return found, position
        position += 1


def _sequence(pattern: str, position: int) -> tuple[set[_Start], int]:
    starts = _NOTHING
    while position < len(pattern) and pattern[position] not in "|)":
        if not any(start.is_whole and len(start.text) < LONGEST for start in starts):
            return starts, _end_of_sequence(pattern, position)
        unit, position = _unit(pattern, position)
        unit, position = _repeated(unit, pattern, position)
        longer = {start for start in starts if start.is_whole and len(start.text) < LONGEST}
        joined = {_Start(start.text + more.text, more.is_whole) for start in longer for more in unit}
        joined |= {start._replace(is_whole=False) for start in starts - longer}
        # Too many words would take longer to look for than they save.
        starts = joined if len(joined) <= _MOST else {start._replace(is_whole=False) for start in starts}
    return starts, position


def _end_of_sequence(pattern: str, position: int) -> int:
    """Where the alternative ends that `position` is in: what stands up to there changes no beginning any more."""
    depth = 0
    while found := _STEP.match(pattern, position):
        if found["opens"]:
            depth += 1
        elif found["ends"]:
            if not depth:
                return position
            depth -= found["ends"] == ")"
        position = found.end()
    return position


def _unit(pattern: str, position: int) -> tuple[set[_Start], int]:
    """The starts of the character, class, border or group at `position`, and where it ends."""
    character = pattern[position]
    if character == "\\":
        return _escaped(pattern, position)
    if character == "[":
        return _class(pattern, position)
    if character == "(":
        opening = _OPENING.match(pattern, position)
        if opening is None:
            raise _Unread
        starts, end = _alternatives(pattern, opening.end())
        if end >= len(pattern):
            raise _Unread
        return starts, end + 1
    if character in "*+?" or not character.isascii():
        raise _Unread
    if character in "^$":
        return _NOTHING, position + 1
    return (_UNKNOWN if character == "." else {_Start(character, is_whole=True)}), position + 1


def _escaped(pattern: str, position: int) -> tuple[set[_Start], int]:
    found = _ESCAPED.match(pattern, position)
    if found is None:
        raise _Unread
    if found["border"]:
        return _NOTHING, found.end()
    return ({_Start(found["sign"], is_whole=True)} if found["sign"] else _UNKNOWN), found.end()


def _class(pattern: str, position: int) -> tuple[set[_Start], int]:
    found = _CLASS.match(pattern, position)
    if found is None:
        raise _Unread
    few = _FEW.fullmatch(found[0])
    return ({_Start(character, is_whole=True) for character in few[1]} if few else _UNKNOWN), found.end()


def _repeated(unit: set[_Start], pattern: str, position: int) -> tuple[set[_Start], int]:
    """The starts of what stands once, as often as the quantifier at `position` says."""
    found = _REPEATED.match(pattern, position)
    if found is None:
        return unit, position
    if found["maybe"]:
        return unit | _NOTHING, found.end()
    more = {start._replace(is_whole=False) for start in unit}
    return (more | _NOTHING if found["any"] else more), found.end()
