"""What a vault that is sealed, or not there yet, says to every endpoint: that it is sealed, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.declarations.catalog import BODY_METHODS, CASES, Case
from tests.declarations.examples import Example, default_captures, send
from tests.declarations.world import World, stored
from tests.kit import Vault
from tests.properties.hostile import BODIES, CANARY, values

from strongroom.encoding import json

ANSWERS_SEALED = {
    "GET sys/health",
    "GET sys/init",
    "GET sys/metrics",
    "GET sys/seal-status",
    "POST sys/init",
    "POST sys/seal",
    "POST sys/unseal",
}
"""All that exists while the vault is sealed. A line is added here by decision."""

SAYS_503 = {"GET sys/health", "GET sys/metrics"}
"""The probe says by its status that the vault is sealed; the metrics are shown on some listeners alone."""

SEALED = ["Vault is sealed"]
unhurried = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def sealed() -> Vault:
    vault = World().fresh()
    vault.node.seal()
    return vault


@pytest.fixture(scope="module")
def empty() -> Vault:
    """A vault that is not initialized."""
    return Vault(is_unsealed=False)


def test_only_the_listed_endpoints_answer_while_the_vault_is_sealed() -> None:
    assert {case.id for case in CASES if case.declared.endpoint.answers_sealed} == ANSWERS_SEALED


@pytest.mark.parametrize(
    "case", [case for case in CASES if not case.declared.endpoint.answers_sealed], ids=lambda case: case.id
)
@pytest.mark.parametrize("token", ["root", None], ids=["root", "nobody"])
def test_a_sealed_vault_says_so_to_everybody(sealed: Vault, empty: Vault, case: Case, token: str | None) -> None:
    for vault in (sealed, empty):
        before = stored(vault)
        result = send(vault, case, Example({"value": CANARY}, default_captures(case)), token=token)
        assert (result.status, result.errors) == (503, SEALED)
        assert stored(vault) == before
        assert CANARY not in vault.device.text
        vault.device.written.clear()


@settings(unhurried, max_examples=200)
@given(data=st.data())
def test_hostile_values_do_not_disturb_a_sealed_vault(sealed: Vault, empty: Vault, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from([case for case in CASES if case.id in ANSWERS_SEALED]))
    vault = data.draw(st.sampled_from([sealed, empty]))
    names = [field.name for field in case.declared.request_type.fields] or ["unheard_of"]
    body: dict[str, Any] = data.draw(st.dictionaries(st.sampled_from(names), values))
    if vault is empty and case.id == "POST sys/init":
        body["secret_threshold"] = 1000  # so that it is never initialized
    before = stored(vault)
    content = json.encode(body) if case.method in BODY_METHODS else None
    result = vault.call(case.method, case.template, content, token=None)
    assert result.status < 500 or case.id in SAYS_503
    assert CANARY not in result.raw.decode()
    assert CANARY not in vault.device.text
    assert stored(vault) == before
    assert vault.node.unsealed is None
    assert vault.failures == []
    vault.device.written.clear()


@pytest.mark.parametrize("path", ["sys/init", "sys/unseal"])
@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_can_be_read_in_two_ways_is_refused_while_sealed(sealed: Vault, path: str, name: str) -> None:
    assert sealed.call("POST", path, BODIES[name], token=None).status in {400, 413}
