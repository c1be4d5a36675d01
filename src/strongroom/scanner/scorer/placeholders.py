"""What shows that a match of a provider's format stands for a secret and is none: documentation, masks, keys typed by hand.

These signs are chosen by hand and not learned: there are hundreds of formats, and no labelled data for most of them.
"""

from __future__ import annotations

import re

_READ = 4096
_FEW = 16

_LEFT_OUT = (
    "parts of it are masked or left out",
    re.compile(rb"\*{3}|\.{3}|[xX]{6}|#{4}|\xe2\x80\xa6|<[a-z_ -]+>|\[[A-Z]+\]|\$\{|\{\{|%s"),
)
_SIGNS = (
    _LEFT_OUT,
    (
        "it names itself an example",
        re.compile(rb"(?i)example|sample|dummy|placeholder|changeme|your[_-]|redacted|insert|replace|fake"),
    ),
    ("one character stands in it again and again", re.compile(rb"(?s)([^=\s-])\1{6}")),
    (
        "it counts or spells the alphabet",
        re.compile(
            rb"(?i)0?12345678|23456789|98765432|abcdefgh|qwertyui|asdfghjk|deadbeefdead|(?:[a-z]\d){2}(?:b2c3d4|c3d4e5)"
        ),
    ),
)
_ARMOUR = re.compile(rb"-----[^\n-]{1,60}-----")
_LEAST_DISTINCT = 7
_LONG = 200
"""From so many bytes on a chance run of characters or a word beside the value means nothing: what is left out still does."""


def placeholder_signs(value: bytes) -> list[str]:
    """In words, each sign that `value` is a placeholder; nothing if it looks like what a provider issues."""
    read = _ARMOUR.sub(b"", value[:_READ])
    signs = _SIGNS if len(value) < _LONG else (_LEFT_OUT,)
    found = [words for words, pattern in signs if pattern.search(read)]
    if len(read) >= _FEW and len(set(read)) < _LEAST_DISTINCT:
        found.append("it is made of very few different characters")
    return found
