from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.logical.operation import Capability
from strongroom.policy.acl import ACL, Question, compile_acl
from strongroom.policy.document import parse_policy
from strongroom.policy.rule import CAPABILITY_BITS, PathRule, PolicyDocument

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Property tests judge results; how long an example takes on a busy machine says nothing."""

READ, LIST, UPDATE = Capability.READ, Capability.LIST, Capability.UPDATE


def acl_of(*texts: str) -> ACL:
    return compile_acl(parse_policy(text) for text in texts)


def allows(acl: ACL, path: str, capability: Capability = READ, **more: Any) -> bool:
    return acl.decide(Question(path=path, capability=capability, **{"now_ns": 0, **more})).allowed


def test_without_a_rule_nothing_is_allowed_and_nothing_is_named() -> None:
    decision = acl_of('path "a" { capabilities = ["read"] }').decide(Question(path="b", capability=READ, now_ns=0))
    assert (decision.allowed, decision.is_root, decision.reasons) == (False, False, ())


def test_root_may_do_everything_and_no_document_makes_root() -> None:
    root = compile_acl([], is_root=True)
    decision = root.decide(Question(path="sys/raw/x", capability=UPDATE, needs_sudo=True, now_ns=0))
    assert (decision.allowed, decision.is_root) == (True, True)
    assert root.capabilities("any", now_ns=0) == ("root",)
    assert root.has_any_access("kv/", now_ns=0)
    assert not acl_of('path "*" { policy = "sudo" }').decide(Question(path="a", capability=READ, now_ns=0)).is_root


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("/a/b", "a/b", True),
        ("a/b*", "a/b", True),
        ("a/b*", "a/bc/d", True),
        ("a/b*", "a/", False),
        ("*", "anything/at/all", True),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/+", "a", False),
        ("+/b", "a/b", True),
        ("+", "a", True),
        ("a/+/c", "a/b/c", True),
        ("a/+/c*", "a/b/cd/e", True),
        ("a/+/*", "a/b/c/d", True),
        ("a/+/*", "a/b", False),
        ("a/+/c/*", "a/b/d/x", False),
        ("a/b+", "a/b+", True),
        ("a/b+", "a/bc", False),
        ("a/+b", "a/xb", False),
        ("a/*/c", "a/b/c", False),
        ("a/*/c", "a/*/c", True),
        ("A/b", "a/b", False),
    ],
)
def test_a_pattern_matches_what_it_stands_for(pattern: str, path: str, *, matches: bool) -> None:
    assert allows(acl_of(f'path "{pattern}" {{ capabilities = ["read"] }}'), path) is matches


@pytest.mark.parametrize(
    ("higher", "lower", "path"),
    [
        pytest.param("a/b", "a/*", "a/b", id="an exact path before every pattern"),
        pytest.param("a/b", "a/+", "a/b", id="an exact path before a segment wildcard"),
        pytest.param("a/b*", "a/*", "a/bc", id="criterion 1: the later glob"),
        pytest.param("a/b*", "a/+", "a/bc", id="criterion 1: the later glob before the earlier plus"),
        pytest.param("a/b/+/d", "a/+/c/d", "a/b/c/d", id="criterion 1: the later plus"),
        pytest.param("a/+", "a/*", "a/b", id="criterion 2: no glob at the end"),
        pytest.param("a/+/+", "a/+/c*", "a/b/c", id="criterion 2: before the count of pluses"),
        pytest.param("a/*", "a/+/+/foo/*", "a/b/c/foo/x", id="criterion 3: fewer pluses, the documentation's example"),
        pytest.param("a/+/c/d", "a/+/+/d", "a/b/c/d", id="criterion 3: fewer pluses"),
        pytest.param("a/+/cd*", "a/+/c*", "a/b/cde", id="criterion 4: the longer"),
        pytest.param(
            "a/+/!!!/+", "a/+/+/d", "a/b/!!!/d", id="criterion 4: the longer, although smaller in the order of text"
        ),
        pytest.param("+/+/c/+", "+/+/+/d", "a/b/c/d", id="criterion 5: the greater in the order of text"),
    ],
)
def test_one_rule_decides_by_priority_whichever_way_they_are_written(higher: str, lower: str, path: str) -> None:
    yes, no = 'capabilities = ["read"]', 'capabilities = ["deny"]'
    for first, second in [(higher, lower), (lower, higher)]:
        for granting in (higher, lower):
            rules = [f'path "{each}" {{ {yes if each == granting else no} }}' for each in (first, second)]
            for acl in (acl_of(*rules), acl_of("\n".join(rules))):
                decision = acl.decide(Question(path=path, capability=READ, now_ns=0))
                assert decision.allowed is (granting == higher)
                assert decision.reasons == (higher,)


def test_the_same_path_in_several_policies_adds_up_and_a_deny_takes_all_away() -> None:
    read, update = 'path "a" { capabilities = ["read"] }', 'path "a" { capabilities = ["update"] }'
    assert acl_of(read, update).capabilities("a", now_ns=0) == ("read", "update")
    deny = 'path "a" { capabilities = ["deny"] }'
    for texts in [(read, update, deny), (deny, read, update), (read, deny, update)]:
        assert acl_of(*texts).capabilities("a", now_ns=0) == ("deny",)
        assert not any(allows(acl_of(*texts), "a", capability) for capability in Capability)


def test_asking_for_deny_is_never_allowed() -> None:
    assert not allows(acl_of('path "*" { policy = "sudo" }'), "a", Capability.DENY)
    assert not allows(acl_of('path "*" { policy = "deny" }'), "a", Capability.DENY)


def test_a_root_protected_path_needs_sudo_besides_the_capability() -> None:
    acl = acl_of(
        'path "a" { capabilities = ["read"] }\npath "b" { policy = "sudo" }\npath "c" { capabilities = ["sudo"] }'
    )
    assert [allows(acl, path, needs_sudo=True) for path in "abc"] == [False, True, False]


ROW_2 = """
path "foo/metadata/*" { capabilities = ["list"] }
path "foo/metadata/private/*" { capabilities = ["deny"] }
path "foo/metadata/private/granted/*" { capabilities = ["list"] }
"""


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("foo/metadata", True),
        ("foo/metadata/test", True),
        ("foo/metadata/private", False),
        ("foo/metadata/private/internal", False),
        ("foo/metadata/private/granted", True),
    ],
)
def test_a_narrower_deny_beats_a_wider_list_with_and_without_the_slash(path: str, slash: str, *, allowed: bool) -> None:
    assert allows(acl_of(ROW_2), path + slash, LIST) is allowed


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ({"a/b": "list"}, True),
        ({"a/b/": "list"}, True),
        ({"a/b": "list", "a/b/": "deny"}, False),
        ({"a/b": "deny", "a/b/": "list"}, False),
        ({"a/*": "list", "a/b": "deny"}, False),
        ({"a/*": "list", "a/b/": "deny"}, False),
        ({"a/*": "list", "a/+": "deny"}, False),
        ({"a/*": "deny", "a/+": "list"}, False),
        ({"a/*": "deny", "a/b": "list"}, True),
        ({"a/b/*": "deny", "a/+": "list"}, False),
        ({"a/b*": "list", "a/+": "deny"}, True),
    ],
)
def test_a_list_asks_about_both_spellings_and_deny_beats_allow(
    rules: dict[str, str], slash: str, *, allowed: bool
) -> None:
    text = "\n".join(f'path "{path}" {{ capabilities = ["{word}"] }}' for path, word in rules.items())
    assert allows(acl_of(text), "a/b" + slash, LIST) is allowed


def test_only_a_list_looks_past_the_trailing_slash() -> None:
    acl = acl_of('path "a/b" { policy = "write" }')
    assert allows(acl, "a/b/", LIST)
    assert not allows(acl, "a/b/", READ)


def test_an_expired_rule_is_gone_at_its_instant_and_back_before_it() -> None:
    acl = acl_of(
        'path "a" {\npolicy = "read"\nexpiration = "1970-01-01T00:00:10Z"\n}\n'
        'path "a" {\ncapabilities = ["update"]\nexpiration = "1970-01-01T00:00:20Z"\n}\n'
        'path "b" { policy = "read" }'
    )
    second = 10**9
    seen = [acl.capabilities("a", now_ns=now * second) for now in (9, 10, 19, 20, 9)]
    assert seen == [("list", "read", "update"), ("update",), ("update",), ("deny",), ("list", "read", "update")]
    assert not allows(acl, "a", READ, now_ns=10 * second)
    assert not acl.has_any_access("a", now_ns=20 * second)
    assert allows(acl, "b", READ, now_ns=20 * second)


def test_capabilities_are_sorted_and_see_folders_as_a_list_does() -> None:
    acl = acl_of(
        'path "dev/*" { policy = "write" }\npath "x" { capabilities = ["sudo", "scan", "patch"] }\npath "none" {}'
    )
    assert acl.capabilities("dev", now_ns=0) == ("deny",)
    assert acl.capabilities("dev/", now_ns=0) == ("create", "delete", "list", "read", "update")
    assert acl.capabilities("/x", now_ns=0) == ("patch", "scan", "sudo")
    assert acl.capabilities("x/", now_ns=0) == ("patch", "scan", "sudo")
    assert acl.capabilities("none", now_ns=0) == ("deny",)
    assert acl.capabilities("elsewhere", now_ns=0) == ("deny",)


@pytest.mark.parametrize(
    ("rules", "access"),
    [
        ({"kv/data/a": "read"}, True),
        ({"kv/*": "read"}, True),
        ({"k*": "read"}, True),
        ({"kv/a*": "read"}, True),
        ({"kv": "list"}, True),
        ({"kv/": "list"}, True),
        ({"+/data": "read"}, True),
        ({"+/+/x": "read"}, True),
        ({"+/*": "read"}, True),
        ({"kv/+": "read"}, True),
        ({"kv2/a": "read"}, False),
        ({"+": "read"}, True),
        ({"other/+/x": "read"}, False),
        ({"kv/*": "deny"}, False),
        ({"kv/a": "deny"}, False),
        ({"*": "read", "kv/*": "deny"}, False),
        ({"*": "deny", "kv/a": "read"}, True),
        ({"kv/*": "deny", "kv/a/*": "read"}, True),
        ({"kv/*": "deny", "+/data": "read"}, False),
        ({"kv/*": "deny", "kv/+/x": "read"}, True),
        ({}, False),
    ],
)
def test_access_to_a_mount_is_any_grant_on_it_or_below_it(rules: dict[str, str], *, access: bool) -> None:
    text = "\n".join(f'path "{path}" {{ capabilities = ["{word}"] }}' for path, word in rules.items())
    assert acl_of(text).has_any_access("kv/", now_ns=0) is access


def test_a_document_whose_templates_were_never_filled_in_grants_nothing() -> None:
    acl = acl_of('path "kv/*" { policy = "read" }\npath "kv/{{identity.entity.id}}/*" { policy = "deny" }')
    assert not allows(acl, "kv/a")
    assert not allows(acl, "kv/", LIST)
    assert acl.capabilities("kv/a", now_ns=0) == ("deny",)
    assert not acl.has_any_access("kv/", now_ns=0)


_PATHS = st.lists(st.sampled_from(["a", "b", "+", "ab"]), min_size=1, max_size=3).map("/".join)
_PATTERNS = st.builds(lambda path, end: path + end, _PATHS, st.sampled_from(["", "/", "/*"]))
_RULES = st.builds(
    lambda path, names: PathRule(path=path, capabilities=frozenset({"deny"} if "deny" in names else names)),
    _PATTERNS,
    st.sets(st.sampled_from(sorted(CAPABILITY_BITS)), max_size=3),
)
_ASKED = st.builds(
    lambda path, slash: path + slash,
    st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "/"]),
)


@unhurried
@given(st.lists(_RULES, max_size=6), _PATTERNS, st.integers(0, 6), _ASKED, st.sampled_from(list(Capability)))
def test_adding_a_deny_never_widens_access(
    rules: list[PathRule], denied: str, at: int, path: str, capability: Capability
) -> None:
    more = [*rules[:at], PathRule(path=denied, capabilities=frozenset({"deny"})), *rules[at:]]
    narrow, wide = (compile_acl([PolicyDocument(tuple(each))]) for each in (more, rules))
    assert allows(wide, path, capability) or not allows(narrow, path, capability)
    assert wide.has_any_access(path, now_ns=0) or not narrow.has_any_access(path, now_ns=0)


@unhurried
@given(st.lists(_RULES, max_size=6), st.permutations(range(6)), _ASKED, st.sampled_from(list(Capability)))
def test_the_order_and_the_grouping_of_rules_never_matter(
    rules: list[PathRule], order: list[int], path: str, capability: Capability
) -> None:
    one = compile_acl([PolicyDocument(tuple(rules))])
    shuffled = compile_acl(PolicyDocument((rules[index],)) for index in order if index < len(rules))
    assert allows(one, path, capability) is allows(shuffled, path, capability)


@unhurried
@given(
    st.lists(_RULES, max_size=6),
    _ASKED,
    st.sampled_from(["a/", "b/", "ab/", "a/b/"]),
    st.sampled_from(list(Capability)),
)
def test_whoever_may_do_anything_below_a_mount_has_access_to_it(
    rules: list[PathRule], path: str, mount: str, capability: Capability
) -> None:
    acl = compile_acl([PolicyDocument(tuple(rules))])
    if allows(acl, mount + path, capability):
        assert acl.has_any_access(mount, now_ns=0)


def test_a_path_that_is_asked_again_is_judged_alike_and_little_is_remembered() -> None:
    acl = acl_of('path "a/*" { capabilities = ["read"] }  path "a/b" { capabilities = ["deny"] }')
    for _ in range(2):
        assert [allows(acl, path) for path in ("a/x", "a/b", "c", "a/" + "y" * 1000)] == [True, False, False, True]
    table = acl.in_force(0)
    for number in range(5000):
        assert table.find(f"a/{number}") is not None
    assert table.remembered <= 4096


def test_what_was_remembered_ends_with_the_rule_that_ended() -> None:
    acl = acl_of('path "a/*" { capabilities = ["read"] expiration = "2020-01-01T00:00:00Z" }')
    at = 1_577_836_800 * 10**9
    assert [allows(acl, "a/x", now_ns=now) for now in (at - 1, at - 1, at, at + 1)] == [True, True, False, False]
