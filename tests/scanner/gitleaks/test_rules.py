from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
import re2  # type: ignore[import-untyped]  # it has no types

from strongroom.scanner.config import BadConfig, parse_config
from strongroom.scanner.gitleaks.allowlist import Allowlist
from strongroom.scanner.gitleaks.rules import BadGitleaksConfig, GitleaksConfig, parse_gitleaks, with_secret
from strongroom.scanner.seen import Seen

CONFIG = r"""
title = "ours"
[extend]
useDefault = true
disabledRules = ["generic-api-key"]

[[rules]]
id = "acme-key"
description = "Acme service key"
regex = '''(?i)(acme)[_-]key\s*=\s*["']([a-z0-9]{20})["']'''
secretGroup = 2
entropy = 3.1
keywords = ["ACME"]
path = '''\.(?:py|js)$'''
[[rules.allowlists]]
stopwords = ["example"]
[[rules.allowlists]]
condition = "AND"
regexTarget = "line"
regexes = ['''testonly''']
paths = ['''(^|/)tests/''']

[[rules]]
id = "acme-file"
path = '''\.acme$'''

[allowlist]
paths = ['''vendor/''']
commits = ["0123456789abcdef0123456789abcdef01234567"]
"""


def read(text: str) -> GitleaksConfig:
    return parse_gitleaks(tomllib.loads(text))


def test_a_rule_is_read_with_its_group_entropy_and_keywords() -> None:
    (rule,) = read(CONFIG).rules
    assert (rule.id, rule.title, rule.keywords, rule.entropy) == ("acme-key", "Acme service key", ("acme",), 3.1)
    found = re2.compile(rule.pattern).search('ACME_KEY = "abcdefghij0123456789"')
    assert found["secret"] == "abcdefghij0123456789"


def test_the_rest_of_the_configuration_is_read() -> None:
    config = read(CONFIG)
    assert config.uses_default
    assert config.disabled == {"generic-api-key"}
    assert config.left_out == ("acme-file",)


@pytest.mark.parametrize(
    ("seen", "is_allowed"),
    [
        (Seen("acme-key", "a.py", secret=b"abc"), False),
        (Seen("acme-key", "a.txt", secret=b"abc"), True),  # the rule is for other files
        (Seen("acme-key", "vendor/a.py", secret=b"abc"), True),
        (Seen("other", "vendor/a.txt", secret=b"abc"), True),
        (Seen("acme-key", "a.py", secret=b"an-EXAMPLE"), True),
        (Seen("other", "a.py", secret=b"an-example"), False),
        (Seen("acme-key", "tests/a.py", secret=b"abc", text=b"x = 1  # testonly"), True),
        (Seen("acme-key", "src/a.py", secret=b"abc", text=b"x = 1  # testonly"), False),
        (Seen("acme-key", "a.py", secret=b"abc", commit="0123456789abcdef0123456789abcdef01234567"), True),
    ],
)
def test_lists_allow_what_they_say(seen: Seen, is_allowed: bool) -> None:  # noqa: FBT001 -- a row of the table
    assert read(CONFIG).allows(seen) is is_allowed


def test_where_an_object_stands_is_asked_once_it_is_known() -> None:
    config = read(CONFIG)
    assert not config.allows(Seen("acme-key", "<blob 0123456789ab>", secret=b"abc"))
    assert config.allows(Seen("acme-key", "a.txt", secret=b"abc"))


@pytest.mark.parametrize(
    ("target", "seen", "is_allowed"),
    [
        ("match", Seen("r", "a", secret=b"s", match=b"acme_key = s", text=b"# acme_key = s"), True),
        ("match", Seen("r", "a", secret=b"s", match=b"key = s", text=b"# acme_key = s"), False),
        ("line", Seen("r", "a", secret=b"s", match=b"key = s", text=b"# acme_key = s"), True),
        ("secret", Seen("r", "a", secret=b"s", match=b"acme_key = s", text=b"# acme_key = s"), False),
    ],
)
def test_a_list_looks_where_it_says(target: str, seen: Seen, *, is_allowed: bool) -> None:
    config = read(f"[[allowlists]]\nregexTarget = '{target}'\nregexes = ['acme_key']")
    assert config.allows(seen) is is_allowed


def test_a_list_may_be_for_some_rules_and_gitleaks_rule_for_any_key_means_ours_for_such() -> None:
    config = read("[[allowlists]]\ntargetRules = ['a', 'generic-api-key']\npaths = ['^tests/']")
    assert [config.allows(Seen(rule, "tests/x")) for rule in ("a", "b", "generic-api-key", "assigned-bare")] == [
        True,
        False,
        True,
        True,
    ]


def test_what_a_list_of_values_allows_is_no_finding_at_all() -> None:
    (rule,) = read(CONFIG).rules
    assert rule.checksum is None
    assert rule.accepts(b"abcdefghij0123456789")
    assert not rule.accepts(b"example0123456789abc")


def test_a_list_without_entries_allows_nothing() -> None:
    assert not Allowlist().allows(Seen("x", "y", secret=b"z"))


@pytest.mark.parametrize(
    ("pattern", "group", "expected"),
    [
        ("abc", 0, "abc"),
        ("a(b)c", 0, "a(?P<secret>b)c"),
        ("(?:a)(b)", 0, "(?:a)(?P<secret>b)"),
        ("a(b)|c", 0, "a(b)|c"),
        (r"\((b)[(](c)", 2, r"\((b)[(](?P<secret>c)"),
        ("(?P<old>b)c", 1, "(?P<secret>b)c"),
        ("[]()]+(x)", 1, "[]()]+(?P<secret>x)"),
        ("(?:(a)|b)c", 0, "(?:(a)|b)c"),
    ],
)
def test_the_secret_s_group_gets_its_name(pattern: str, group: int, expected: str) -> None:
    assert with_secret(pattern, group, "rule x") == expected
    assert re2.compile(expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rules]]\nid = 'a'\nregex = '(?<!x)y'", "rule a: a pattern"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nsecretGroup = 3", "rule a: secretGroup is 3"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nentropy = 'high'", "rule a: entropy"),
        ("[[rules]]\nregex = 'x'", "a rule's id"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\nkeywords = 'x'", "rule a: keywords"),
        ("[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\nregexTarget = 'file'", "rule a: regexTarget"),
        ("rules = 3", "rules: a list of tables"),
        ("[extend]\npath = 'more.toml'", "extend: files"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_rule(text: str, message: str) -> None:
    with pytest.raises(BadGitleaksConfig) as raised:
        read(text)
    assert str(raised.value).startswith(message)


def test_files_that_build_on_others_are_joined_and_not_for_ever() -> None:
    base = tomllib.loads("[[rules]]\nid = 'a'\nregex = 'a'\n[[rules]]\nid = 'b'\nregex = 'b'")
    own = tomllib.loads("[extend]\npath = 'x'\ndisabledRules = ['b']\n[[rules]]\nid = 'a'\nregex = 'aa'")
    assert [rule.pattern for rule in parse_gitleaks(own, lambda _: base).rules] == ["aa"]

    def itself(_: str) -> Mapping[str, Any]:
        return own

    with pytest.raises(BadGitleaksConfig):
        parse_gitleaks(own, itself)


def test_a_rule_that_builds_on_another_changes_what_it_names_and_keeps_the_rest() -> None:
    base = tomllib.loads(
        "[[rules]]\nid = 'a'\nregex = 'a=(x+)'\nkeywords = ['K']\nentropy = 2.0\n[rules.allowlist]\nstopwords = ['xxx']"
    )
    own = tomllib.loads(
        "[extend]\npath = 'x'\n[[rules]]\nid = 'a'\nkeywords = ['l']\nentropy = 1.0\n[[rules.allowlists]]\npaths = ['^t/']"
    )
    config = parse_gitleaks(own, lambda _: base)
    (rule,) = config.rules
    assert (rule.pattern, rule.keywords, rule.entropy, config.left_out) == ("a=(?P<secret>x+)", ("k", "l"), 1.0, ())
    assert [
        config.allows(Seen("a", path, secret=value)) for path, value in (("t/a", b"x"), ("u", b"xxx"), ("u", b"x"))
    ] == [
        True,
        True,
        False,
    ]


def test_a_scan_takes_it_as_its_configuration() -> None:
    config = parse_config(tomllib.loads(CONFIG), ".gitleaks.toml")
    assert [rule.id for rule in config.rules] == ["acme-key"]
    assert config.disable == ("generic-api-key",)
    assert config.ignores[0](Seen("acme-key", "vendor/a.py", 1))
    assert not config.ignores[0](Seen("acme-key", "src/a.py", 1))


def test_an_error_in_it_names_the_file_and_the_rule() -> None:
    with pytest.raises(BadConfig, match=r"^x.toml: rule a: a pattern"):
        parse_config(tomllib.loads("[[rules]]\nid = 'a'\nregex = '(?<!x)y'"), "x.toml")
