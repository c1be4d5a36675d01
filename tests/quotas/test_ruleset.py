from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.quotas.counts import Counts
from strongroom.quotas.gate import Gate
from strongroom.quotas.rule import Config, Rule
from strongroom.quotas.ruleset import QuotaExceeded, Ruleset, client_of, compile_rules
from strongroom.telemetry.labels import QuotaScope

MOUNTS = {"u-kv": "kv/", "u-deep": "team/a/kv/", "u-user": "auth/userpass/", "u-sys": "sys/"}


def compiled(*rules: Rule, config: Config | None = None, counts: Counts | None = None) -> Ruleset:
    made = compile_rules(rules, config or Config(), MOUNTS, counts or Counts(clients_max=64))
    assert made is not None
    return made


def rule(name: str, **fields: Any) -> Rule:
    return Rule(name=name, rate=1, interval=60, **fields)


def name_for(rules: Ruleset, path: str) -> str:
    limiter, _ = rules.find(path)
    return limiter.rule.name if limiter else ""


SOME = (
    rule("all"),
    rule("mount", mount="u-kv"),
    rule("exact", mount="u-kv", below="a/b"),
    rule("short", mount="u-kv", below="a/*"),
    rule("long", mount="u-kv", below="a/b*"),
)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("kv/a/b", "exact"),
        ("kv/a/b/c", "long"),
        ("kv/a/bc", "long"),
        ("kv/a/c", "short"),
        ("kv/a", "mount"),
        ("kv", "mount"),
        ("kv/b", "mount"),
        ("kvx/a/b", "all"),
        ("sys/mounts", "all"),
    ],
)
def test_the_most_specific_rule_is_the_one_that_counts(path: str, name: str) -> None:
    assert name_for(compiled(*SOME), path) == name


def test_without_a_rule_for_everything_the_rest_is_free() -> None:
    rules = compiled(*SOME[1:])
    assert name_for(rules, "sys/mounts") == ""
    assert name_for(rules, "team/a/kv/x") == ""


def test_a_mount_with_several_segments_has_its_rules() -> None:
    rules = compiled(rule("deep", mount="u-deep"))
    assert name_for(rules, "team/a/kv/x/y") == "deep"
    assert name_for(rules, "team/a/x") == ""


def test_capitals_do_not_lead_around_a_rule_where_they_mean_the_same() -> None:
    rules = compiled(rule("bob", mount="u-user", below="login/bob"), rule("policy", mount="u-sys", below="policies/*"))
    assert name_for(rules, "auth/userpass/login/BOB") == "bob"
    assert name_for(rules, "sys/policies/acl/X") == "policy"


def test_capitals_are_told_apart_in_names_of_secrets() -> None:
    assert name_for(compiled(rule("one", mount="u-kv", below="app")), "kv/APP") == ""


def test_rules_of_a_mount_that_is_gone_hold_for_nothing() -> None:
    assert compile_rules([rule("gone", mount="u-gone")], Config(), MOUNTS, Counts()) is None


def test_what_is_exempt_is_never_counted() -> None:
    rules = compiled(rule("all"), config=Config(exempt_paths=("sys/health", "open*", "tree/")))
    gate = Gate(rules, 100.0)
    for path in ("sys/health", "sys/health/below", "open", "opened/x", "tree/leaf"):
        for _ in range(3):
            gate.begin()
            gate.admit(path, "192.0.2.1")
            assert gate.grant is None
    gate.admit("sys/healthy", "192.0.2.1")
    with pytest.raises(QuotaExceeded):
        gate.admit("sys/healthy", "192.0.2.1")


def test_counts_go_on_when_other_rules_change_and_begin_anew_with_other_numbers() -> None:
    counts = Counts(clients_max=64)
    first = compiled(rule("all"), counts=counts)
    Gate(first, 100.0).admit("x", "192.0.2.1")
    second = compiled(rule("all"), rule("mount", mount="u-kv"), counts=counts)
    with pytest.raises(QuotaExceeded):
        Gate(second, 101.0).admit("x", "192.0.2.1")
    third = compiled(Rule(name="all", rate=2, interval=60), counts=counts)
    Gate(third, 102.0).admit("x", "192.0.2.1")


def test_a_refusal_says_what_it_is_about_and_when_to_come_back() -> None:
    gate = Gate(compiled(rule("mount", mount="u-kv")), 100.0)
    gate.admit("kv/a", "192.0.2.1")
    with pytest.raises(QuotaExceeded) as caught:
        gate.admit("kv/a", "192.0.2.1")
    assert caught.value.scope is QuotaScope.MOUNT
    assert caught.value.retry_after_seconds == 60
    assert caught.value.messages == ('request path "kv/a": rate limit quota exceeded',)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "", True),
        ("not an address:", "not an address:", True),
    ],
)
def test_an_ipv6_client_is_its_network_of_64_bits(one: str, other: str, *, same: bool) -> None:
    assert (client_of(one) == client_of(other)) is same


@given(
    st.lists(st.text("ab/*", max_size=4), unique=True, max_size=6),
    st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=4),
)
def test_the_tables_find_what_reading_all_rules_would_find(belows: list[str], segments: list[str]) -> None:
    rules = [rule(str(number), mount="u-kv", below=below.rstrip("/")) for number, below in enumerate(belows)]
    distinct = list({one.below: one for one in rules}.values())
    path = "/".join(segments)
    made = compile_rules(distinct, Config(), MOUNTS, Counts())
    found = name_for(made, f"kv/{path}") if made else ""
    exact = [one.name for one in distinct if one.below and not one.below.endswith("*") and one.below == path]
    globs = [one for one in distinct if one.below.endswith("*") and path.startswith(one.below[:-1])]
    whole = [one.name for one in distinct if not one.below]
    longest = [max(globs, key=lambda one: len(one.below)).name] if globs else []
    assert found == [*exact, *longest, *whole, ""][0]
