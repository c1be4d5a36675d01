"""The ACL engine against a second one that was written only to be obviously right (SECURITY INV-6)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from strongroom.logical.operation import Capability
from strongroom.policy.acl import Question, compile_acl
from strongroom.policy.rule import PathRule, PolicyDocument

POLICY_SETS = 100_000
CHUNKS = 4

WORDS = ["a", "b", "ab", "+"]
ENDS = ["", "", "/", "*", "/*", "/a*"]
CAPABILITIES = ["create", "read", "update", "patch", "delete", "list", "sudo"]
VALUES: list[Any] = ["x", "xy", "x*", "*y", 1, True]


# --- the reference ---------------------------------------------------------------------------------------------------


def matches(pattern: str, path: str) -> bool:
    glob = pattern.endswith("*")
    wanted, given = pattern.removesuffix("*").split("/"), path.split("/")
    if glob and len(given) > len(wanted):
        given = [*given[: len(wanted) - 1], "/".join(given[len(wanted) - 1 :])]
    if len(wanted) != len(given):
        return False
    for index, (want, have) in enumerate(zip(wanted, given, strict=True)):
        last_of_glob = glob and index == len(wanted) - 1
        if not (want in ("+", have) or (last_of_glob and have.startswith(want))):
            return False
    return True


def rank(pattern: str) -> tuple[object, ...]:
    wild = [index for index, character in enumerate(pattern) if character in "+*"]
    stem = pattern.removesuffix("*")
    return (wild[0] if wild else 10**9, not pattern.endswith("*"), -stem.split("/").count("+"), len(stem), stem)


def winner(rules: list[PathRule], path: str) -> str | None:
    found = [rule.path for rule in rules if matches(rule.path, path)]
    return max(found, key=rank, default=None)


def is_exact(pattern: str) -> bool:
    return "+" not in pattern and "*" not in pattern


def denied_at(rules: list[PathRule], pattern: str) -> bool:
    return any(rule.path == pattern and "deny" in rule.capabilities for rule in rules)


def deciding_pattern(rules: list[PathRule], path: str, capability: Capability) -> str | None:
    if capability is not Capability.LIST:
        return winner(rules, path)
    bare = path.removesuffix("/")
    first, second = winner(rules, bare + "/"), winner(rules, bare)
    if first is None or second is None or is_exact(first) is is_exact(second):
        if second is not None and (
            first is None or (denied_at(rules, second) and (is_exact(second) or rank(second) > rank(first)))
        ):
            return second
        return first
    return first if is_exact(first) else second


def same(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, str) and isinstance(value, str) and len(pattern) > 1:
        if pattern.endswith("*"):
            return value.startswith(pattern[:-1])
        if pattern.startswith("*"):
            return value.endswith(pattern[1:])
    return type(pattern) is type(value) and pattern == value


def text(value: Any) -> str:
    return str(value).lower()


def read_as(value: Any) -> set[str]:
    word = text(value)
    return {word} | ({"true"} if word in {"t", "1"} else set()) | ({"false"} if word in {"f", "0"} else set())


def wrapping_permitted(merged: list[PathRule], ttl: int | None) -> bool:
    low = min((rule.min_wrapping_ttl for rule in merged if rule.min_wrapping_ttl), default=0)
    high = min((rule.max_wrapping_ttl for rule in merged if rule.max_wrapping_ttl), default=0)
    return not (low or high) or (ttl is not None and low <= ttl and not (high and ttl > high))


def body_permitted(merged: list[PathRule], body: Mapping[str, Any]) -> bool:
    if any(name not in body for rule in merged for name in rule.required_parameters):
        return False
    denied = [item for rule in merged for item in (rule.denied_parameters or {}).items()]
    allowed = [item for rule in merged for item in (rule.allowed_parameters or {}).items()]
    for name, value in body.items():
        for key, values in denied:
            if key == "*" or (
                key == name
                and (
                    not values
                    or any(same(p, value) or any(same(text(p), word) for word in read_as(value)) for p in values)
                )
            ):
                return False
        lists = [values for key, values in allowed if key == name]
        if not allowed or (not lists and any(key == "*" for key, _ in allowed)):
            continue
        if not any(not values or any(same(p, value) for p in values) for values in lists):
            return False
    return True


def expected(rules: list[PathRule], question: Question) -> bool:
    pattern = deciding_pattern(rules, question.path, question.capability)
    merged = [rule for rule in rules if rule.path == pattern]
    if pattern is None or denied_at(rules, pattern):
        return False
    wanted = {question.capability.value} | ({"sudo"} if question.needs_sudo else set())
    if not wanted <= {name for rule in merged for name in rule.capabilities}:
        return False
    if not wrapping_permitted(merged, question.wrap_ttl):
        return False
    if question.capability.value not in {"create", "update", "patch", "read"}:
        return True
    return body_permitted(merged, question.body)


# --- random policies and questions -----------------------------------------------------------------------------------


def random_path(chance: random.Random, words: list[str]) -> str:
    return "/".join(chance.choices(words, k=chance.choice((1, 2, 2, 3, 3, 4))))


def random_parameters(chance: random.Random) -> dict[str, tuple[Any, ...]] | None:
    if chance.random() < 0.6:
        return None
    return {
        name: () if name == "*" else tuple(chance.choices(VALUES, k=chance.choice((0, 1, 2))))
        for name in chance.sample(["p", "q", "*"], k=chance.choice((1, 1, 2)))
    }


def random_rule(chance: random.Random) -> PathRule:
    path = random_path(chance, WORDS) + chance.choice(ENDS)
    path = path.replace("+*", "+/*")
    if chance.random() < 0.2:
        return PathRule(path=path, capabilities=frozenset({"deny"}))
    capabilities = frozenset(chance.choices(CAPABILITIES, k=chance.choice((0, 2, 4, 7))))
    if chance.random() < 0.6:
        return PathRule(path=path, capabilities=capabilities)
    return PathRule(
        path=path,
        capabilities=capabilities,
        allowed_parameters=random_parameters(chance),
        denied_parameters=random_parameters(chance),
        required_parameters=("p",) if chance.random() < 0.2 else (),
        min_wrapping_ttl=chance.choice((0, 0, 0, 10)),
        max_wrapping_ttl=chance.choice((0, 0, 0, 20)),
    )


def random_question(chance: random.Random) -> Question:
    return Question(
        path=random_path(chance, ["a", "b", "ab"]) + chance.choice(("", "", "/")),
        capability=chance.choice((Capability.LIST, *Capability)),
        body={
            name: chance.choice(["x", "xyz", "zy", 1, 2, True, False])
            for name in chance.sample("pqr", k=chance.choice((0, 1, 2)))
        },
        wrap_ttl=chance.choice((None, None, 5, 15, 25)),
        needs_sudo=chance.random() < 0.1,
        now_ns=0,
    )


@pytest.mark.parametrize("seed", range(CHUNKS))
def test_the_engine_decides_as_the_reference_does_over_random_policy_sets(seed: int) -> None:
    chance = random.Random(seed)
    allowed = 0
    for _ in range(POLICY_SETS // CHUNKS):
        documents = [
            PolicyDocument(tuple(random_rule(chance) for _ in range(chance.choice((1, 2, 3)))))
            for _ in range(chance.choice((1, 2, 3)))
        ]
        rules = [rule for document in documents for rule in document.rules]
        acl = compile_acl(documents)
        for _ in range(2):
            question = random_question(chance)
            decision = acl.decide(question)
            assert decision.allowed is expected(rules, question), (rules, question, decision)
            allowed += decision.allowed
    # A comparison in which nearly everything is denied would prove nothing.
    assert allowed > POLICY_SETS // CHUNKS // 20
