"""What must hold of every endpoint of every plug, present and future: documented, reachable, and closed to strangers.

The endpoints come from the registries. What needs a value with a meaning has a line in ``tests/declarations/examples.py``.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator
from tests.declarations.catalog import CASES, ROUTERS, Case
from tests.declarations.examples import EXAMPLES, Example, default_captures, example_of, send
from tests.declarations.world import World, stored
from tests.kit import Vault
from tests.processes import Result

from strongroom.logical.operation import Operation
from strongroom.policy.builtin import DEFAULT_TEXT

UNAUTHENTICATED = {
    "GET sys/health",
    "GET sys/init",
    "GET sys/internal/ui/mounts",
    "GET sys/leader",
    "GET sys/seal-status",
    "GET sys/wrapping/lookup",
    "POST auth/approle/login",
    "POST auth/userpass/login/{username}",
    "POST sys/init",
    "POST sys/unseal",
    "POST sys/wrapping/lookup",
    "POST sys/wrapping/rewrap",
    "POST sys/wrapping/unwrap",
}
"""All that is answered without a token (SECURITY row 89). A line is added here by decision, never to make a test pass."""

OPEN_ON_SOME_LISTENERS = {"GET sys/metrics"}
"""All that is answered without a token where the configuration of the listener says so."""

FOR_ANY_TOKEN = {
    "DELETE sys/overrides",
    "GET sys/internal/specs/openapi",
    "GET sys/internal/ui/mounts/{path...}",
    "GET sys/internal/ui/namespaces",
    "GET sys/internal/ui/resultant-acl",
    "GET sys/matrix",
    "GET sys/overrides",
    "GET sys/reuse",
    "GET sys/secrets/critical",
    "GET sys/secrets/expiring",
    "GET sys/secrets/search",
    "LIST sys/overrides",
    "LIST sys/secrets/tree",
    "POST sys/internal/specs/openapi",
    "POST sys/consumers/{name}",
    "POST sys/offline-reads",
    "POST sys/overrides",
    "POST sys/promote",
    "POST sys/secrets/copy",
    "POST sys/secrets/move",
}
"""All that any good token may ask; each shows only what the token may see."""

CAPABILITIES = {
    Operation.READ: "read",
    Operation.UPDATE: "update",
    Operation.PATCH: "patch",
    Operation.DELETE: "delete",
    Operation.LIST: "list",
}
ALL_CAPABILITIES = ("create", "read", "update", "patch", "delete", "list", "sudo")
DENIED = ["permission denied"]
DENIED_BY_POLICY = ["1 error occurred:\n\t* permission denied\n\n"]

every_endpoint = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
every_endpoint_with_token = pytest.mark.parametrize(
    "case", [case for case in CASES if not case.declared.endpoint.unauthenticated], ids=lambda case: case.id
)
every_guarded_endpoint = pytest.mark.parametrize(
    "case",
    [case for case in CASES if not case.declared.endpoint.unauthenticated and not case.declared.endpoint.any_access],
    ids=lambda case: case.id,
)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


# Documented


@every_endpoint
def test_every_endpoint_says_what_it_does_and_what_its_fields_mean(case: Case) -> None:
    declared = case.declared
    assert is_sentence(declared.path.help), "the help of the path must be sentences"
    assert is_sentence(declared.endpoint.summary), "the summary must be a sentence"
    for field in declared.request_type.fields:
        assert is_sentence(field.doc.text), f"the Doc of {field.name!r} must be a sentence"


def is_sentence(text: str) -> bool:
    return len(text) > 4 and text == text.strip() and text.endswith(".")


@pytest.mark.parametrize("mount", ROUTERS)
def test_every_plug_says_what_it_is_for(mount: str) -> None:
    assert is_sentence(ROUTERS[mount].backend.help)


@every_endpoint
def test_every_path_answers_a_call_for_help(world: World, case: Case) -> None:
    vault = world.vault()
    result = vault.get(f"{case.path(default_captures(case))}?help=1")
    assert result.status == 200, result
    assert result.body is not None
    text = " ".join(result.body["help"].split())
    assert case.declared.path.help in text
    assert case.declared.endpoint.summary in text


@pytest.fixture(scope="module")
def document(world: World) -> dict[str, Any]:
    return world.vault().get("sys/internal/specs/openapi").body or {}


def test_the_openapi_document_is_valid(document: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV30SpecValidator(document).iter_errors()] == []


@every_endpoint
def test_every_endpoint_stands_in_the_openapi_document(document: dict[str, Any], case: Case) -> None:
    item = document["paths"]["/" + re.sub(r"\{(\w+)(\.\.\.|\*)?\}", r"{\1}", case.template)]
    operation = item["get" if case.method == "LIST" else case.method.lower()]
    parameters = {parameter["name"] for parameter in [*item.get("parameters", ()), *operation.get("parameters", ())]}
    content = operation.get("requestBody", {}).get("content", {}).values()
    for schema in (body["schema"] for body in content):
        named = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        parameters |= set(named.get("properties", ()))
    assert {field.name for field in case.declared.request_type.fields} <= parameters
    assert case.method != "LIST" or "list" in parameters
    needs_token = not case.declared.endpoint.unauthenticated
    assert bool(operation.get("security", document.get("security"))) is needs_token


# Reachable


@every_endpoint
def test_every_endpoint_has_an_example_that_works(world: World, case: Case) -> None:
    vault = world.vault_for(case)
    example = example_of(case, vault)
    result = send(vault, case, example)
    assert vault.failures == []
    assert example.expects(result.status), (
        f"the example of {case.id!r} is answered with {result.status} {result.errors}: "
        "add or correct its line in EXAMPLES of tests/declarations/examples.py"
    )


def test_every_line_in_the_table_of_examples_belongs_to_an_endpoint() -> None:
    assert sorted(set(EXAMPLES) - {case.id for case in CASES}) == []


@every_endpoint
def test_no_endpoint_is_shadowed_by_another(case: Case) -> None:
    path = case.path(default_captures(case)).removeprefix(case.mount.rstrip("/")).removeprefix("/")
    found, _ = ROUTERS[case.mount].find(path, case.declared.endpoint.operation)
    assert found.path.template == case.declared.path.template
    assert found.endpoint.summary == case.declared.endpoint.summary


# Closed to strangers


def test_only_the_listed_endpoints_are_answered_without_a_token() -> None:
    assert {case.id for case in CASES if case.declared.endpoint.unauthenticated} == UNAUTHENTICATED


def test_only_the_listed_endpoints_are_open_where_the_configuration_says_so() -> None:
    assert {case.id for case in CASES if case.declared.endpoint.open_to is not None} == OPEN_ON_SOME_LISTENERS


def test_only_the_listed_endpoints_are_open_to_any_token() -> None:
    assert {case.id for case in CASES if case.declared.endpoint.any_access} == FOR_ANY_TOKEN


@every_endpoint_with_token
def test_without_a_token_every_endpoint_looks_like_one_that_does_not_exist(world: World, case: Case) -> None:
    vault = world.vault()
    example = Example(captures=default_captures(case))
    before = stored(vault)
    result = send(vault, case, example, token=None)
    nowhere = vault.call(case.method, "no/such/mount", token=None)
    assert (result.status, result.errors) == (403, DENIED)
    assert (result.status, result.raw, result.headers) == (nowhere.status, nowhere.raw, nowhere.headers)
    assert stored(vault) == before


@every_guarded_endpoint
def test_a_token_without_the_capability_is_denied_and_the_denial_is_audited(world: World, case: Case) -> None:
    vault = world.vault()
    example = Example(captures=default_captures(case))
    token = token_that(vault, "default", f'path "{case.path(example.captures)}" {{ capabilities = ["deny"] }}')
    before = stored(vault)
    vault.device.written.clear()
    result = send(vault, case, example, token=token)
    assert (result.status, result.errors) == (403, DENIED_BY_POLICY)
    assert stored(vault) == before
    request, response = vault.device.records
    for record, kind in ((request, "request"), (response, "response")):
        assert record["type"] == kind
        assert record["request"]["path"] == case.path(example.captures)
        assert record["request"]["mount_point"] == case.mount
        assert record["auth"]["policy_results"]["allowed"] is False
        assert "permission denied" in record["error"]
    assert "data" not in response["response"]


@every_guarded_endpoint
def test_the_derived_capability_is_needed_and_suffices(world: World, case: Case) -> None:
    vault = world.vault_for(case)
    example = example_of(case, vault)
    needed = needed_capability(case)
    sudo = ["sudo"] if case.declared.endpoint.sudo else []
    others = [capability for capability in ALL_CAPABILITIES if capability not in {needed, *sudo}]
    assert with_capabilities(vault, case, example, [*others, *sudo]).status == 403, f"{needed} is not asked for"
    if sudo:
        assert with_capabilities(vault, case, example, [needed]).status == 403, "sudo is not asked for"
    granted = with_capabilities(vault, case, example, [needed, *sudo])
    assert granted.status != 403, granted
    assert vault.failures == []


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.declared.endpoint.exists is not None], ids=lambda case: case.id
)
def test_what_is_not_there_yet_needs_create_and_not_update(world: World, case: Case) -> None:
    vault = world.vault_for(case)
    example = example_of(case, vault)
    fresh = Example(example.body, dict.fromkeys(example.captures, "brand-new"))
    assert with_capabilities(vault, case, fresh, ["update"]).status == 403
    assert with_capabilities(vault, case, fresh, ["create"]).status < 300


def needed_capability(case: Case) -> str:
    # What the examples write to is there already, except in the cubbyhole, which is each token's own.
    if case.declared.endpoint.exists is not None and case.mount == "cubbyhole/":
        return "create"
    return CAPABILITIES[case.declared.endpoint.operation]


def with_capabilities(vault: Vault, case: Case, example: Example, capabilities: list[str]) -> Result:
    rule = f'path "{case.path(example.captures)}" {{ capabilities = {quoted(capabilities)} }}'
    return send(vault, case, example, token=token_that(vault, "only-this", rule))


def quoted(words: list[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def token_that(vault: Vault, name: str, rule: str) -> str:
    """A token whose one policy is ``rule``; under the name ``default`` it follows what every token may do."""
    text = DEFAULT_TEXT + rule if name == "default" else rule
    vault.write_policy("under-test", text)
    options: dict[str, Any] = {"no_default_policy": True, "ttl": "1h"}
    return vault.token_for("under-test", **options)
