from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.logical.errors import InvalidRequest
from strongroom.policy.document import format_policy, parse_policy
from strongroom.policy.rule import CAPABILITY_BITS, PathRule, PolicyDocument

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Property tests judge results; how long an example takes on a busy machine says nothing."""

EVERYTHING = """
# Every key that a rule can have.
name = "dev"
path "/foo/bar" {
  policy = "read"
  capabilities = ["create", "patch"]
  comment = "why"
  allowed_parameters = { "Map" = [{ good = "one" }], int = [1, 2.5], "*" = [] }
  denied_parameters {
    "bool" = [false]
  }
  required_parameters = ["Name", "name", "id"]
  min_wrapping_ttl = 300
  max_wrapping_ttl = "1h"
  pagination_limit = 10
  expiration = "2006-01-02T15:04:05Z"
}
path "stage/*" { policy = "sudo" }
path "no/capabilities" {}
path "denied" { capabilities = ["read", "deny", "list"] }
"""


def test_every_key_of_a_rule_is_read() -> None:
    full, stage, empty, denied = parse_policy(EVERYTHING).rules
    assert full == PathRule(
        path="foo/bar",
        capabilities=frozenset({"read", "list", "create", "patch"}),
        allowed_parameters={"map": ({"good": "one"},), "int": (1, Decimal("2.5")), "*": ()},
        denied_parameters={"bool": (False,)},
        required_parameters=("name", "id"),
        min_wrapping_ttl=300,
        max_wrapping_ttl=3600,
        pagination_limit=10,
        expiration_ns=1_136_214_245 * 10**9,
        comment="why",
    )
    assert stage.path == "stage/*"
    assert stage.capabilities == {"create", "read", "update", "delete", "list", "sudo"}
    assert empty.capabilities == frozenset()
    assert denied.capabilities == {"deny"}


@pytest.mark.parametrize("indent", [None, 2])
def test_the_json_form_means_the_same_as_hcl(indent: int | None) -> None:
    text = json.dumps({"path": {"sys": {"policy": "deny"}, "secret": {"policy": "write"}}}, indent=indent)
    hcl = 'path "sys" { policy = "deny" }\npath "secret" { policy = "write" }'
    assert parse_policy(text) == parse_policy(hcl)
    assert parse_policy('{"path": [{"sys": {"policy": "deny"}}, {"secret": {"policy": "write"}}]}') == parse_policy(hcl)


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", '{"path": {}}', 'name = "x"'])
def test_a_policy_without_rules_is_a_policy(text: str) -> None:
    assert parse_policy(text) == PolicyDocument()


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ('path "a" {\n  capabilites = ["read"]\n}', 2, 3, 'did you mean "capabilities"?'),
        ('path "a" {\n  capabilities = ["read", "updte"]\n}', 2, 27, 'did you mean "update"?'),
        ('{"path": {"a": {\n  "capabilities": ["raed"]}}}', 2, 20, 'did you mean "read"?'),
        ('{"path": {"a": {\n  "capabilites": []}}}', 2, 3, 'did you mean "capabilities"?'),
        ('{"path": {"a": {"capabilities": ["read"]\n  "x": 1}}', 2, 11, "'}'"),
        ("pth {}", 1, 1, 'did you mean "path"?'),
        ("zzz = 1", 1, 1, "expected one of path, name"),
        ('path "a" { capabilities = "read" }', 1, 12, "expected a list of texts"),
        ('path "a" { capabilities = [1] }', 1, 28, "expected a text"),
        ('path "a" { capabilities = ["recover"] }', 1, 28, "not supported"),
        ('path "a" { capabilities = ["root"] }', 1, 28, "unknown capability"),
        ('path "a" { capabilities = ["Read"] }', 1, 28, 'did you mean "read"?'),
        ('path "a" { policy = "wirte" }', 1, 12, 'did you mean "write"?'),
        ('path "a" { policy = 1 }', 1, 12, "expected one of deny, read, write, sudo"),
        ('path "a" { comment = 1 }', 1, 12, "in quotes"),
        ('path "a" { path = 1 }', 1, 12, "unknown key"),
        ('path "a" { control_group = {} }', 1, 12, "control groups"),
        ('path "a" { control_group { factor "x" {} } }', 1, 12, "control groups"),
        ('path "a" { mfa_methods = [] }', 1, 12, "mfa_methods"),
        ('path "a" { list_scan_response_keys_filter_path = "x" }', 1, 12, "filtering"),
        ('path "a" { subscribe_event_types = [] }', 1, 12, "not supported"),
        ('path "a" { allowed_parameters = [] }', 1, 12, "expected an object of lists"),
        ('path "a" { allowed_parameters = { b = 1 } }', 1, 35, "expected a list"),
        ('path "a" { allowed_parameters = { b = []\n B = [] } }', 2, 2, "twice"),
        ('path "a" { denied_parameters = { "*" = [1] } }', 1, 34, "expected []"),
        ('path "a" { denied_parameters {}\n denied_parameters = {} }', 1, 12, "twice"),
        ('path "a" { denied_parameters "x" {} }', 1, 12, "labels"),
        ('path "a" { required_parameters = "x" }', 1, 12, "expected a list of texts"),
        ('path "a" { min_wrapping_ttl = "soon" }', 1, 12, "expected a duration"),
        ('path "a" { min_wrapping_ttl = -1 }', 1, 12, "not negative"),
        ('path "a" { min_wrapping_ttl = 1.5 }', 1, 12, "whole number"),
        ('path "a" { min_wrapping_ttl = 2\n max_wrapping_ttl = 1 }', 1, 1, "cannot be less"),
        ('path "a" { pagination_limit = 0 }', 1, 12, "at least 1"),
        ('path "a" { pagination_limit = true }', 1, 12, "whole number"),
        ('path "a" { expiration = "tomorrow" }', 1, 12, "expected a time"),
        ('path "a" { expiration = "2006-13-02T15:04:05Z" }', 1, 12, "expected a time"),
        ('path "" {}', 1, 1, "expected a path"),
        ('path "/" {}', 1, 1, "expected a path"),
        ('path "a\\n" {}', 1, 1, "control characters"),
        ('path "a/+*" {}', 1, 1, "'+*' is forbidden"),
        ('path "a/{{identity.entity.id/*" {}', 1, 1, "'}}'"),
        ('path "a/identity.entity.id}}/*" {}', 1, 1, "'{{'"),
        ('path "a/{{identity.entity.nmae}}" {}', 1, 1, "identity.entity.id"),
        ('path "a/{{identity.groups.names.x.members}}" {}', 1, 1, "unknown template"),
        (f'path "{"a" * 8193}" {{}}', 1, 1, "8192"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_was_expected(
    text: str, line: int, column: int, expected: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_policy(text)
    (message,) = caught.value.messages
    assert message.startswith("failed to parse policy: ")
    assert f"line {line}, column {column}: " in message
    assert expected in message


def test_an_error_never_quotes_the_policy() -> None:
    for text in [
        'canary = "canary"',
        'path "canary" { canary = 1 }',
        'path "p" { capabilities = ["canary"] }',
        "{canary",
    ]:
        with pytest.raises(InvalidRequest) as caught:
            parse_policy(text)
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None


_ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="{}*+"), min_size=1, max_size=8)
_VALUES = st.one_of(
    st.text(max_size=5),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.decimals(-100, 100, places=2),
    st.lists(st.text(max_size=3), max_size=2),
)
_PARAMETERS = st.none() | st.dictionaries(_ASCII.map(str.lower), st.lists(_VALUES, max_size=3).map(tuple), max_size=3)


@st.composite
def _rules(draw: st.DrawFn) -> PathRule:
    names = draw(st.sets(st.sampled_from(sorted(CAPABILITY_BITS)), max_size=4))
    low, high = sorted(draw(st.tuples(st.integers(0, 99), st.integers(0, 99))))
    return PathRule(
        path="/".join(draw(st.lists(_ASCII | st.just("+"), min_size=1, max_size=3))).lstrip("/")
        + draw(st.sampled_from(["", "/*"]))
        or "a",
        capabilities=frozenset({"deny"} if "deny" in names else names),
        allowed_parameters=draw(_PARAMETERS),
        denied_parameters=draw(_PARAMETERS),
        required_parameters=tuple(draw(st.lists(_ASCII.map(str.lower), unique=True, max_size=2))),
        min_wrapping_ttl=low,
        max_wrapping_ttl=high,
        pagination_limit=draw(st.integers(0, 99)),
        expiration_ns=draw(st.none() | st.integers(0, 4 * 10**18)),
        comment=draw(st.text(max_size=8)),
    )


@unhurried
@given(st.lists(_rules(), max_size=3))
def test_a_document_that_is_written_and_read_again_is_the_same(rules: list[PathRule]) -> None:
    document = PolicyDocument(tuple(rules))
    assert parse_policy(format_policy(document)) == document


_WORDS = [
    "path",
    ' "a/*" ',
    "{",
    "}",
    "[",
    "]",
    "=",
    ":",
    ",",
    "capabilities",
    '"read"',
    "policy",
    "1",
    "-",
    "true",
    "\n",
]
_WORDS += [
    "allowed_parameters",
    "expiration",
    '"2006-01-02T15:04:05Z"',
    "{{identity.entity.id}}",
    '"',
    "#",
    "min_wrapping_ttl",
]


@unhurried
@given(st.text(max_size=50) | st.lists(st.sampled_from(_WORDS), max_size=25).map(" ".join))
def test_any_text_is_a_policy_or_an_invalid_request(text: str) -> None:
    try:
        parse_policy(text)
    except InvalidRequest as error:
        assert "line " in error.messages[0]  # noqa: PT017 -- either outcome is right, and only this one has a text


@pytest.mark.parametrize("unit", ["{", '{"path":', 'path "a" {', "[", 'path "a" {}\n', "x" * 1000 + " "])
def test_huge_and_deep_text_is_read_or_refused(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    try:
        parsed = parse_policy(text)
    except InvalidRequest:
        return
    assert len(parsed.rules) == text.count("path")
