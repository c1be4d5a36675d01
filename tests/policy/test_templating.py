from __future__ import annotations

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.logical.operation import Capability
from strongroom.policy.acl import ACL, Question, compile_acl
from strongroom.policy.document import parse_policy
from strongroom.policy.templating import AliasView, GroupView, IdentityView, render

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Property tests judge results; how long an example takes on a busy machine says nothing."""

ALICE = IdentityView(
    id="id-1",
    name="alice",
    metadata={"dept": "red", "a.b": "dotted"},
    aliases={"acc_1": AliasView(id="al-1", name="al", metadata={"scope": "s1"}, custom_metadata={"c": "c1"})},
    groups=(GroupView(id="g-1", name="ops", metadata={"tier": "t1"}),),
)

HOSTILE = ["a/b", "+", "*", "a*", "..", ".", "", "a,b", "a\nb", "\x00", "a\u200bb", "a\u2028b", "/", "\x7f"]


def allows(acl: ACL, path: str, capability: Capability = Capability.READ) -> bool:
    return acl.decide(Question(path=path, capability=capability, now_ns=0)).allowed


def rendered(text: str, identity: IdentityView | None, *others: str) -> ACL:
    return compile_acl(render(parse_policy(each), identity) for each in (text, *others))


@pytest.mark.parametrize(
    ("selector", "value"),
    [
        ("identity.entity.id", "id-1"),
        ("  identity.entity.name  ", "alice"),
        ("identity.entity.metadata.dept", "red"),
        ("identity.entity.metadata.a.b", "dotted"),
        ("identity.entity.aliases.acc_1.id", "al-1"),
        ("identity.entity.aliases.acc_1.name", "al"),
        ("identity.entity.aliases.acc_1.metadata.scope", "s1"),
        ("identity.entity.aliases.acc_1.custom_metadata.c", "c1"),
        ("identity.groups.ids.g-1.name", "ops"),
        ("identity.groups.names.ops.id", "g-1"),
        ("identity.groups.names.ops.metadata.tier", "t1"),
    ],
)
def test_a_template_stands_for_the_value_of_the_identity(selector: str, value: str) -> None:
    document = render(parse_policy(f'path "kv/{{{{{selector}}}}}/x/*" {{ policy = "read" }}'), ALICE)
    assert [rule.path for rule in document.rules] == [f"kv/{value}/x/*"]
    assert not document.is_templated


def test_several_templates_may_stand_in_one_path() -> None:
    document = render(parse_policy('path "{{identity.entity.id}}-{{identity.entity.name}}" {}'), ALICE)
    assert [rule.path for rule in document.rules] == ["id-1-alice"]


def test_a_document_without_templates_needs_no_identity_and_stays_itself() -> None:
    document = parse_policy('path "kv/*" { policy = "read" }')
    assert render(document, None) is document


MISSING = [
    "identity.entity.metadata.none",
    "identity.entity.aliases.other.name",
    "identity.entity.aliases.acc_1.metadata.none",
    "identity.entity.aliases.acc_1.custom_metadata.none",
    "identity.groups.names.dev.id",
    "identity.groups.ids.g-2.name",
    "identity.groups.names.ops.metadata.none",
]


@pytest.mark.parametrize("selector", MISSING)
@pytest.mark.parametrize("identity", [ALICE, None])
def test_a_missing_value_closes_the_whole_policy(selector: str, identity: IdentityView | None) -> None:
    text = f'path "kv/{{{{{selector}}}}}/*" {{ policy = "write" }}\npath "open/*" {{ policy = "write" }}'
    acl = rendered(text, identity)
    for path in ("kv/x/y", "kv//y", "open/x", f"kv/{{{{{selector}}}}}/x"):
        assert not any(allows(acl, path, capability) for capability in Capability)
    assert not acl.has_any_access("", now_ns=0)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_that_could_be_syntax_closes_the_whole_policy(value: str) -> None:
    mallory = IdentityView(id="id-2", aliases={"acc": AliasView(metadata={"scope": value})})
    text = (
        'path "secret/data/{{identity.entity.aliases.acc.metadata.scope}}/*" { policy = "read" }\n'
        'path "auth/token/lookup-self" { policy = "read" }'
    )
    acl = rendered(text, mallory)
    for path in ("secret/data/foreign/x", "secret/data/a/b/x", "secret/data/x", "auth/token/lookup-self"):
        assert not allows(acl, path)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_deny_that_cannot_be_rendered_never_leaves_the_allow_alone(value: str, *, elsewhere: bool) -> None:
    mallory = IdentityView(id="id-2", metadata={"dept": value})
    allow = (
        'path "kv/*" { policy = "write" }\npath "kv/red/exact" { policy = "write" }\npath "other/*" { policy = "read" }'
    )
    deny = 'path "kv/{{identity.entity.metadata.dept}}/*" { policy = "deny" }'
    acl = rendered(deny, mallory, allow) if elsewhere else rendered(f"{allow}\n{deny}", mallory)
    assert not allows(acl, "kv/red/x")
    assert not allows(acl, "kv/red/exact")
    assert not allows(acl, "kv", Capability.LIST)
    assert not acl.has_any_access("kv/", now_ns=0)
    # What the failed policy does not speak about is still granted by the others, and by them alone.
    assert allows(acl, "other/x") is elsewhere


def test_the_bar_of_a_failed_deny_ends_at_the_first_segment_wildcard() -> None:
    acl = rendered('path "kv/+/{{identity.entity.id}}/*" { policy = "deny" }', None, 'path "*" { policy = "read" }')
    assert not allows(acl, "kv/a/b/c")
    assert allows(acl, "other/a")


def test_denies_of_a_failed_policy_stay() -> None:
    failed = 'path "kv/private/*" { policy = "deny" }\npath "kv/{{identity.entity.id}}" { policy = "read" }'
    acl = rendered(failed, None, 'path "kv/*" { policy = "read" }')
    assert allows(acl, "kv/open")
    assert not allows(acl, "kv/private/x")


def test_rules_of_a_failed_policy_keep_their_place_and_lose_what_they_grant() -> None:
    failed = 'path "kv/narrow/*" { capabilities = ["list"] }\npath "kv/{{identity.entity.id}}" { policy = "read" }'
    acl = rendered(failed, None, 'path "kv/*" { policy = "write" }')
    assert not allows(acl, "kv/narrow/x", Capability.UPDATE)
    assert allows(acl, "kv/wide/x", Capability.UPDATE)


_SEGMENTS = st.sampled_from(["a", "b", "+", "{{identity.entity.name}}"])
_PATTERNS = st.builds(
    lambda segments, end: "/".join(segments) + end,
    st.lists(_SEGMENTS, min_size=1, max_size=3),
    st.sampled_from(["", "/*"]),
)
_LITERAL = _PATTERNS.filter(lambda path: "{{" not in path)
_ASKED = st.lists(st.sampled_from(["a", "b", "me"]), min_size=1, max_size=4).map("/".join)


@unhurried
@given(
    st.lists(st.tuples(_LITERAL, st.sampled_from(["read", "list", "deny"])), max_size=4),
    st.lists(_PATTERNS, max_size=2),
    _ASKED,
    st.sampled_from([Capability.READ, Capability.LIST]),
)
def test_a_failed_rendering_of_denies_never_gives_more_than_a_successful_one(
    literal: list[tuple[str, str]], denied: list[str], path: str, capability: Capability
) -> None:
    text = "\n".join(
        f'path "{each}" {{ capabilities = ["{word}"] }}' for each, word in [*literal, *((p, "deny") for p in denied)]
    )
    document = parse_policy(text)
    good = compile_acl([render(document, IdentityView(id="i", name="me"))])
    bad = compile_acl([render(document, IdentityView(id="i", name="*"))])
    assert allows(good, path, capability) or not allows(bad, path, capability)


@unhurried
@given(st.text(max_size=8), _ASKED)
def test_a_value_reaches_one_segment_of_its_own_name_or_nothing(value: str, path: str) -> None:
    acl = rendered('path "kv/{{identity.entity.name}}/*" { policy = "read" }', IdentityView(id="i", name=value))
    if allows(acl, f"kv/{path}"):
        assert path.startswith(f"{value}/")
    assert not allows(acl, f"other/{path}")


@unhurried
@given(st.text(string.ascii_letters + ".{}_- ", max_size=40))
def test_any_path_with_braces_renders_or_closes_without_an_error(middle: str) -> None:
    try:
        document = parse_policy(f'path "kv/{middle}" {{ policy = "read" }}')
    except Exception as error:  # noqa: BLE001 -- whatever it is, it must be this one
        assert type(error).__name__ == "InvalidRequest"  # noqa: PT017 -- either outcome is right
        return
    render(document, ALICE)
    render(document, None)
