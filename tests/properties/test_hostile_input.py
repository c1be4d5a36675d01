"""Whatever is sent, the answer is a success or a refusal; never a failure, never an echo, never half a change (rows 80, 112)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.declarations.catalog import BODY_METHODS, CASES, Case
from tests.declarations.examples import Example, default_captures, example_of
from tests.declarations.world import World, lasting
from tests.kit import Vault
from tests.processes import Result
from tests.properties.hostile import BIG, BODIES, CANARY, NAMES, values

from strongroom.encoding import json

WITH_BODY = [case for case in CASES if case.method in BODY_METHODS]
FIELDS = [(case, field.name) for case in CASES for field in case.declared.request_type.fields if not field.in_path]
unhurried = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@settings(unhurried, max_examples=1000)
@given(data=st.data())
def test_any_value_anywhere_is_answered_or_refused_whole(world: World, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES), label="endpoint")
    names = [field.name for field in case.declared.request_type.fields]
    sent = data.draw(st.dictionaries(st.sampled_from([*names, "unheard_of"]), values, max_size=4), label="body")
    captures = default_captures(case)
    for name in captures:
        if data.draw(st.integers(0, 3)) == 0:
            captures[name] = data.draw(st.sampled_from(NAMES), label=name)
    vault = world.vault()
    before = lasting(vault)
    result = send(vault, case, Example(sent, captures))
    check(world, vault, result, before)


@pytest.mark.parametrize(("case", "name"), FIELDS, ids=[f"{case.id} {name}" for case, name in FIELDS])
def test_a_big_value_in_any_field_is_answered_or_refused_whole(world: World, case: Case, name: str) -> None:
    for value in BIG.values() if case.method in BODY_METHODS else ["x" * 10_000, "9" * 4_000, "1h" * 1_000]:
        vault = world.vault()
        example = Example({name: value}, default_captures(case))
        before = lasting(vault)
        check(world, vault, send(vault, case, example), before)


@pytest.mark.parametrize("case", WITH_BODY, ids=lambda case: case.id)
def test_a_body_that_can_be_read_in_two_ways_is_refused(world: World, case: Case) -> None:
    vault = world.vault()
    before = lasting(vault)
    path = case.path(default_captures(case))
    for name, content in BODIES.items():
        result = vault.call(case.method, path, content)
        assert result.status in {400, 413}, f"{name} is answered with {result}"
        check(world, vault, result, before)


@pytest.mark.parametrize("case", [case for case in CASES if case.captures], ids=lambda case: case.id)
def test_a_hostile_name_in_a_path_is_answered_or_refused_whole(world: World, case: Case) -> None:
    for name in NAMES:
        vault = world.vault()
        example = replace(example_of(case, vault), captures=dict.fromkeys(case.captures, name))
        before = lasting(vault)
        check(world, vault, send(vault, case, example), before)


def send(vault: Vault, case: Case, example: Example) -> Result:
    """The request with numbers exactly as they are, its path encoded as a client would."""
    path = quote(case.path(example.captures))
    if case.method in BODY_METHODS:
        return vault.call(case.method, path, json.encode(example.body), wrap_ttl=example.wrap_ttl)
    query = "&".join(f"{quote(name)}={quote(as_text(value))}" for name, value in example.body.items())
    return vault.call(case.method, f"{path}?{query}")


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.encode(value).decode()


def check(world: World, vault: Vault, result: Result, before: Any) -> None:
    if vault.node.unsealed is None:  # the request was the one that seals
        return
    assert vault.failures == []
    assert result.status < 500
    if result.status >= 400:
        assert CANARY not in result.raw.decode() or result.errors[0].startswith(KNOWN_TEXTS)
        assert lasting(vault) == before, "a refused request changed something"
    elif any(before.get(key) != record for key, record in lasting(vault).items() if key.startswith(KEPT_TWICE)):
        world.fresh()


KNOWN_TEXTS = (
    "plugin not found in the catalog: ",
    "preflight capability check returned 403, ",
    "no handler for route ",
)
"""Errors whose texts clients match, with the name that was asked for."""
KEPT_TWICE = ("seal/", "barrier/keyring")
"""Records that the process also keeps in memory: once they change, the shared vault cannot be rewound any more."""
