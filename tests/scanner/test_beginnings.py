"""The words with which matches begin, read off patterns."""

from __future__ import annotations

from random import Random

import pytest
from tests.scanner.rules.matching import compiled
from tests.scanner.rules.samples import expand

from strongroom.scanner.beginnings import beginnings
from strongroom.scanner.catalogue import ALL_RULES


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"\b(?P<secret>ghp_[A-Z]{36})", ("ghp_",)),
        (r"(?P<name>(?i:PASS|pwd)[\w.]{0,40})=", ("pass", "pwd")),
        (r"(?i)(?:api|app)[_-]?key", ("api-key", "api_key", "apikey", "app-key", "app_key", "appkey")),
        (r"(?:a|b)c(?:d|e)?", ("ac", "bc")),
        (r"a[bc]d+e", ("abd", "acd")),
        (r"(?:ab)+", ("ab",)),
        (r"ab{2}c", ("ab",)),
        (r"\.s3\.amazonaws", (".s3.amazon",)),
        (r"(?:pass|pass(?:wd|word))=", ("pass=", "passwd=", "password=")),
        (r"x?yz", ("xyz", "yz")),
        (r"x*yz", ()),
        (r"[a-z]pass", ()),
        (r"[^a]bc", ()),
        (r".pass", ()),
        (r"(?:|a)", ()),
        (r"\x41bc", ()),
        (r"a", ()),
        (r"(?s)abc", ()),
        (r"\Qabc\E", ()),
        (r"äbc", ()),
        (r"(abc", ()),
        (r"abc)", ()),
        (r"[abc", ()),
    ],
)
def test_words_are_told_where_all_matches_begin_with_one_of_them(pattern: str, words: tuple[str, ...]) -> None:
    assert beginnings(pattern) == words


def test_every_match_of_a_rule_begins_with_one_of_its_words() -> None:
    known = 0
    for rule in ALL_RULES:
        words = tuple(word.encode() for word in beginnings(rule.pattern))
        known += bool(words)
        random = Random(rule.id)
        for text in (expand(template, random).encode() for template in rule.finds if words):
            match = compiled(rule.pattern).search(text)
            assert match[0].lower().startswith(words), (rule.id, text)

    assert known > len(ALL_RULES) * 0.8
