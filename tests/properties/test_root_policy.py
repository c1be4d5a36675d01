"""``root`` is no policy: every list of policies, found in the declarations by its name and type, refuses it (SECURITY INV-4)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.declarations.catalog import BODY_METHODS, CASES, Case
from tests.declarations.examples import example_of
from tests.declarations.world import World, lasting

SPELLINGS = (
    "root",
    "ROOT",
    "rOOt",
    " root",
    "root ",
    "\troot\n",
    "root\u00a0",
    "\u3000root",
    "\uff52\uff4f\uff4f\uff54",
    "\uff2f\uff2f".join("rt"),
    "r\u00ba\u1d52t",
    "\u24e1oot",
    "\u24e1\u24de\u24de\u24e3",
)
LISTS = [
    (case, field.name)
    for case in CASES
    if case.method in BODY_METHODS
    for field in case.declared.request_type.fields
    if "policies" in field.name and field.kind.startswith("a list of strings")
]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def test_there_are_lists_of_policies_to_try() -> None:
    assert {"policies", "token_policies", "allowed_policies"} <= {name for _, name in LISTS}


@pytest.mark.parametrize(("case", "name"), LISTS, ids=[f"{case.id} {name}" for case, name in LISTS])
def test_no_list_of_policies_takes_root_in_any_spelling(world: World, case: Case, name: str) -> None:
    vault = world.vault()
    example = example_of(case, vault)
    vault.write_policy("everything", 'path "*" { capabilities = ["create", "read", "update", "patch", "sudo"] }')
    token = vault.token_for("everything")  # a root token may make root tokens, and nobody else
    others = {other: value for other, value in example.body.items() if "policies" not in other}
    before = lasting(vault)
    for spelling in SPELLINGS:
        values: tuple[Any, ...] = ([spelling], ["default", spelling], spelling, f"default,{spelling}")
        for value in values:
            result = vault.call(case.method, case.path(example.captures), {**others, name: value}, token=token)
            assert result.status == 400, f"{value!r} is answered with {result}"
            assert lasting(vault) == before
    assert vault.failures == []
