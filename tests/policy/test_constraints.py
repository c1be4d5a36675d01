from __future__ import annotations

from typing import Any

import pytest

from strongroom.logical.operation import Capability
from strongroom.policy.acl import ACL, Question, compile_acl
from strongroom.policy.document import parse_policy

READ, LIST, UPDATE = Capability.READ, Capability.LIST, Capability.UPDATE
WRITES = (Capability.CREATE, Capability.UPDATE, Capability.PATCH)


def acl_of(*texts: str) -> ACL:
    return compile_acl(parse_policy(text) for text in texts)


def allows(acl: ACL, path: str, capability: Capability = READ, **more: Any) -> bool:
    return acl.decide(Question(path=path, capability=capability, now_ns=0, **more)).allowed


@pytest.mark.parametrize(
    ("rules", "body", "allowed"),
    [
        ('allowed_parameters = { "zip" = [] }', {"zip": 1}, True),
        ('allowed_parameters = { "zip" = [] }', {"ZIP": 1}, True),
        ('allowed_parameters = { "zip" = [] }', {"zap": 1}, False),
        ('allowed_parameters = { "zip" = [] }', {}, True),
        ('allowed_parameters = { "zip" = ["a", "b*"] }', {"zip": "bcd"}, True),
        ('allowed_parameters = { "zip" = ["a", "b*"] }', {"zip": "ab"}, False),
        ('allowed_parameters = { "zip" = ["*b*"] }', {"zip": "abc"}, True),
        ('allowed_parameters = { "zip" = ["*b"] }', {"zip": "ab"}, True),
        ('allowed_parameters = { "zip" = ["*b"] }', {"zip": "abc"}, False),
        ('allowed_parameters = { "zip" = ["a*c"] }', {"zip": "abc"}, False),
        ('allowed_parameters = { "zip" = ["*"] }', {"zip": "abc"}, False),
        ('allowed_parameters = { "zip" = ["a"], "*" = [] }', {"zip": "a", "zap": 1}, True),
        ('allowed_parameters = { "zip" = ["a"], "*" = [] }', {"zip": "b", "zap": 1}, False),
        ('allowed_parameters = { "*" = [] }', {"zap": 1}, True),
        ("allowed_parameters = {}", {"zap": 1}, True),
        ('allowed_parameters = { "n" = [1, true, 2.5] }', {"n": 1}, True),
        ('allowed_parameters = { "n" = [1] }', {"n": True}, False),
        ('allowed_parameters = { "n" = [true] }', {"n": 1}, False),
        ('allowed_parameters = { "n" = [1] }', {"n": "1"}, False),
        ('allowed_parameters = { "n" = [["a", 1]] }', {"n": ["a", 1]}, True),
        ('allowed_parameters = { "n" = [["a", 1]] }', {"n": ["a", True]}, False),
        ('allowed_parameters = { "n" = [{ k = "a" }] }', {"n": {"k": "a"}}, True),
        ('allowed_parameters = { "n" = ["a"] }', {"n": ["a"]}, False),
        ('denied_parameters = { "zip" = [] }', {"zip": 1}, False),
        ('denied_parameters = { "zip" = [] }', {"Zip": 1}, False),
        ('denied_parameters = { "zip" = [] }', {"zap": 1}, True),
        ('denied_parameters = { "zip" = ["a*"] }', {"zip": "abc"}, False),
        ('denied_parameters = { "zip" = ["a*"] }', {"zip": "bc"}, True),
        ('denied_parameters = { "zip" = ["*"] }', {"zip": 7}, False),
        ('denied_parameters = { "*" = [] }', {"zip": 1}, False),
        ('denied_parameters = { "*" = [] }', {}, True),
        ('denied_parameters = { "p" = ["admin"] }', {"p": ["user", "admin"]}, False),
        ('denied_parameters = { "p" = ["admin"] }', {"p": "user, admin"}, False),
        ('denied_parameters = { "p" = ["admin"] }', {"p": "user,administrator"}, True),
        ('denied_parameters = { "p" = [false] }', {"p": "false"}, False),
        ('denied_parameters = { "p" = ["false"] }', {"p": False}, False),
        ('denied_parameters = { "p" = [5] }', {"p": "5"}, False),
        ('denied_parameters = { "p" = ["5"] }', {"p": [5]}, False),
        ('denied_parameters = { "p" = [0] }', {"p": False}, True),
        ('denied_parameters = { "p" = ["admin"] }', {"p": "Admin"}, False),
        ('denied_parameters = { "p" = ["Admin"] }', {"p": "admin"}, False),
        ('denied_parameters = { "p" = ["admin"] }', {"p": " admin"}, False),
        ('denied_parameters = { "p" = ["admin*"] }', {"p": ["user", "ADMINS "]}, False),
        ('denied_parameters = { "p" = ["admin"] }', {"p": "user, Admin"}, False),
        ('denied_parameters = { "p" = [true] }', {"p": 1}, False),
        ('denied_parameters = { "p" = [true] }', {"p": "T"}, False),
        ('denied_parameters = { "p" = ["false"] }', {"p": "0"}, False),
        ('denied_parameters = { "p" = [true] }', {"p": "truth"}, True),
        ('denied_parameters = { "p" = [["a"]] }', {"p": ["a"]}, False),
        ('allowed_parameters = { "zip" = [] }\ndenied_parameters = { "zip" = ["a"] }', {"zip": "a"}, False),
        ('required_parameters = ["Name"]', {"name": 1}, True),
        ('required_parameters = ["name"]', {"other": 1}, False),
        ('required_parameters = ["name"]', {}, False),
    ],
)
def test_parameter_rules_hold_for_every_write_and_read(rules: str, body: dict[str, Any], *, allowed: bool) -> None:
    acl = acl_of(f'path "a" {{\ncapabilities = ["create", "update", "patch", "read", "delete"]\n{rules}\n}}')
    assert [allows(acl, "a", capability, body=body) for capability in (*WRITES, READ)] == [allowed] * 4
    assert allows(acl, "a", Capability.DELETE, body=body)


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize(
    ("one", "other", "body", "allowed"),
    [
        ('allowed_parameters = { "a" = [] }', "", {"b": 1}, False),
        ('allowed_parameters = { "a" = [] }', 'allowed_parameters = { "b" = [] }', {"a": 1, "b": 1}, True),
        ('allowed_parameters = { "a" = ["x"] }', 'allowed_parameters = { "a" = ["y"] }', {"a": "x"}, True),
        ('allowed_parameters = { "a" = ["x"] }', 'allowed_parameters = { "a" = ["y"] }', {"a": "z"}, False),
        ('allowed_parameters = { "a" = ["x"] }', 'allowed_parameters = { "a" = [] }', {"a": "z"}, True),
        ('denied_parameters = { "a" = ["x"] }', 'denied_parameters = { "a" = ["y"] }', {"a": "y"}, False),
        ('denied_parameters = { "a" = ["x"] }', 'denied_parameters = { "a" = [] }', {"a": "z"}, False),
        ('required_parameters = ["a"]', 'required_parameters = ["b"]', {"a": 1}, False),
        ('required_parameters = ["a"]', 'required_parameters = ["b"]', {"a": 1, "b": 1}, True),
    ],
)
def test_restrictions_of_the_same_path_are_merged(
    one: str, other: str, body: dict[str, Any], *, allowed: bool, swap: bool
) -> None:
    texts = [f'path "p" {{\ncapabilities = ["update"]\n{rules}\n}}' for rules in (one, other)]
    assert allows(acl_of(*(reversed(texts) if swap else texts)), "p", UPDATE, body=body) is allowed


@pytest.mark.parametrize(
    ("rules", "ttl", "allowed"),
    [
        ("min_wrapping_ttl = 60", None, False),
        ("min_wrapping_ttl = 60", 59, False),
        ("min_wrapping_ttl = 60", 60, True),
        ('max_wrapping_ttl = "1m"', None, False),
        ('max_wrapping_ttl = "1m"', 61, False),
        ('max_wrapping_ttl = "1m"', 60, True),
        ("min_wrapping_ttl = 10\nmax_wrapping_ttl = 20", 15, True),
        ("min_wrapping_ttl = 10\nmax_wrapping_ttl = 20", 21, False),
        ("", None, True),
        ("", 10**9, True),
    ],
)
def test_wrapping_ttls_are_enforced(rules: str, ttl: int | None, *, allowed: bool) -> None:
    acl = acl_of(f'path "a" {{\ncapabilities = ["read"]\n{rules}\n}}')
    assert allows(acl, "a", READ, wrap_ttl=ttl) is allowed


def test_the_lowest_wrapping_ttl_that_is_set_wins() -> None:
    texts = [f'path "a" {{\npolicy = "read"\nmax_wrapping_ttl = {ttl}\n}}' for ttl in (90, 30)]
    assert not allows(acl_of(*texts, 'path "a" { policy = "read" }'), "a", wrap_ttl=31)
    assert allows(acl_of(*texts), "a", wrap_ttl=30)


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        ({}, 10),
        ({"limit": 0}, 10),
        ({"limit": "0"}, 10),
        ({"limit": "max"}, 10),
        ({"limit": 3}, 3),
        ({"limit": "10"}, 10),
        ({"limit": 11}, None),
        ({"limit": -1}, None),
        ({"limit": "-1"}, None),
        ({"limit": "9e9"}, None),
        ({"limit": "010"}, None),
        ({"limit": "1&limit=999"}, None),
        ({"limit": ["1", "999"]}, None),
        ({"limit": True}, None),
        ({"limit": "１"}, None),
        ({"limit": 10**30}, None),
        ({"limit": "9" * 5000}, None),
    ],
)
def test_no_limit_escapes_the_pagination_limit(body: dict[str, Any], limit: int | None) -> None:
    acl = acl_of('path "a/*" {\ncapabilities = ["list", "read"]\npagination_limit = 10\n}')
    decision = acl.decide(Question(path="a", capability=LIST, body=body, now_ns=0))
    assert (decision.allowed, decision.pagination_limit) == (limit is not None, limit)
    assert acl.decide(Question(path="a/x", capability=READ, body=body, now_ns=0)).pagination_limit is None


def test_a_required_limit_must_be_given() -> None:
    acl = acl_of('path "a/*" {\ncapabilities = ["list"]\npagination_limit = 10\nrequired_parameters = ["limit"]\n}')
    assert not allows(acl, "a", LIST)
    assert allows(acl, "a", LIST, body={"limit": "5"})
