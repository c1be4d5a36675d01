"""What a client sends is told to nobody: not in an error, not in a record, not in a log (SECURITY INV-9, INV-10, row 80)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest
from tests.declarations.catalog import BODY_METHODS, CASES, Case
from tests.declarations.examples import Example, default_captures, example_of, send
from tests.declarations.world import World
from tests.kit import JumpingClock, Vault
from tests.processes import Result

from strongroom.encoding import json
from strongroom.server.log import Log

CANARY = "canary-7f3a9c41d2"
NUMBER = 731765313306249871
MARKS = (CANARY, CANARY.upper(), str(NUMBER))
SHAPES: dict[str, Any] = {
    "text": CANARY,
    "text in capitals": CANARY.upper(),
    "text with a break": f"{CANARY}\n",
    "pair": f"{CANARY}={CANARY}",
    "address": f"{CANARY}/33",
    "number": NUMBER,
    "negative number": -NUMBER,
    "huge number": int(f"{NUMBER}{NUMBER}"),
    "fraction": Decimal(f"0.{NUMBER}"),
    "list": [CANARY],
    "list of lists": [[CANARY]],
    "list of numbers": [NUMBER],
    "object": {"inner": CANARY},
    "deep object": {"inner": {"inner": [{"inner": CANARY}]}},
    "object with a name": {CANARY: "inner"},
}
"""The canary in every type that JSON has a place for it in."""
NAMES_STAND_IN_CLEAR = {"object with a name"}
"""The names of keys are readable in a record, so that it says what was touched; only values are covered."""

TOLD_BY_CONTRACT = {
    ("POST sys/mounts/{path...}", "type"): "plugin not found in the catalog: ",
    ("POST sys/auth/{path...}", "type"): "plugin not found in the catalog: ",
    ("GET sys/internal/ui/mounts/{path...}", "the path"): "preflight capability check returned 403, ",
}
"""Errors whose texts clients match, name included. They hold a name of a fixed form and never a value."""

every_endpoint = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@every_endpoint
def test_no_value_in_a_body_is_told_to_anybody(world: World, case: Case) -> None:
    vault = world.vault_for(case)
    example = example_of(case, vault)
    for name, shape, value, is_public in bodies(case):
        if case.declared.endpoint.slow is False:
            vault = world.vault()
        vault.device.written.clear()
        result = send_exactly(vault, case, replace(example, body={**example.body, name: value}))
        what = f"{name} as {shape}"
        assert_untold(vault, result, what, TOLD_BY_CONTRACT.get((case.id, name)))
        if not is_public and shape not in NAMES_STAND_IN_CLEAR:
            assert told(vault.device.text) == [], f"{what} stands in the audit log"


def bodies(case: Case) -> Iterator[tuple[str, str, Any, bool]]:
    """Each field, and one that nobody knows, with the canary in each shape; and whether its values may be recorded in clear."""
    fields = {field.name: field.doc.public for field in case.declared.request_type.fields if not field.in_path}
    for name, is_public in (fields | {"unheard_of": False}).items():
        for shape, value in SHAPES.items():
            if case.method in BODY_METHODS:
                yield name, shape, value, is_public
            elif isinstance(value, str):
                yield name, shape, quote(value), is_public


def send_exactly(vault: Vault, case: Case, example: Example, **options: Any) -> Result:
    """The request, with numbers exactly as they are."""
    if case.method in BODY_METHODS:
        return vault.call(case.method, case.path(example.captures), json.encode(example.body), **options)
    return send(vault, case, example, **options)


@every_endpoint
def test_no_header_and_no_parameter_is_told_to_anybody(world: World, case: Case) -> None:
    vault = world.vault()
    example = Example(captures=default_captures(case))
    for name, start in HEADERS.items():
        vault.device.written.clear()
        token = None if name in {"x-vault-token", "authorization"} else vault.token_for("default")
        result = send(vault, case, example, token=token, headers={name: start + CANARY})
        assert_untold(vault, result, name)
        assert told(vault.device.text) == [], f"{name} stands in the audit log"
    path = case.path(example.captures)
    for query in (
        f"unheard_of={CANARY}",
        f"list={CANARY}",
        f"help={CANARY}",
        f"%zz={CANARY}",
        f"a={CANARY}&a={CANARY}",
    ):
        vault.device.written.clear()
        result = vault.call(case.method, f"{path}?{query}", token=None)
        assert_untold(vault, result, query)
        assert told(vault.device.text) == [], f"{query} stands in the audit log"


HEADERS = {
    "x-vault-token": "",
    "authorization": "Bearer ",
    "x-vault-wrap-ttl": "",
    "x-vault-namespace": "",
    "x-vault-request": "",
    "x-vault-mfa": "",
    "x-forwarded-for": "",
    "user-agent": "",
    "content-type": "application/",
    "cookie": "",
}


@pytest.mark.parametrize("case", [case for case in CASES if case.captures], ids=lambda case: case.id)
def test_no_part_of_a_path_is_told_in_an_error(world: World, case: Case) -> None:
    vault = world.vault_for(case)
    prepared = example_of(case, vault)
    for value in (CANARY, CANARY.upper(), f"{CANARY} ", f"-{CANARY}", f"{CANARY}ß", f"{CANARY},root", str(NUMBER)):
        example = replace(prepared, captures=dict.fromkeys(case.captures, value))
        path = quote(case.path(example.captures))
        body = example.body if case.method in BODY_METHODS else None
        result = vault.call(case.method, path, body, wrap_ttl=example.wrap_ttl)
        assert_untold(vault, result, f"{value!r} in the path", TOLD_BY_CONTRACT.get((case.id, "the path")))


def test_the_log_names_the_place_of_a_failure_and_not_its_text() -> None:
    stream = StringIO()
    log = Log(JumpingClock(), stream=stream)
    try:
        int(CANARY)
    except ValueError as failure:
        log.failure(failure)
    assert "ValueError" in stream.getvalue()
    assert told(stream.getvalue()) == []


def assert_untold(vault: Vault, result: Result, what: str, known_text: str | None = None) -> None:
    assert vault.failures == [], f"{what} made the handler fail"
    assert result.status < 500 or result.errors == ["Vault is sealed"], f"{what} is answered with {result}"
    if known_text is not None and result.errors and result.errors[0].startswith(known_text):
        return
    if result.status >= 400:
        assert told(result.raw.decode()) == [], f"{what} stands in the error: {result.errors}"


def told(text: str) -> list[str]:
    """The marks of the canary in ``text``."""
    return [mark for mark in MARKS if mark in text]
