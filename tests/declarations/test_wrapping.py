"""Every answer can be wrapped, and then nothing of it is seen before it is unwrapped, once."""

from __future__ import annotations

import pytest
from tests.declarations.catalog import CASES, Case
from tests.declarations.examples import example_of, send
from tests.declarations.world import STORED_SECRET, World

NOT_WRAPPED_AGAIN = {"POST sys/wrapping/unwrap", "POST sys/wrapping/rewrap"}
"""What hands on something wrapped hands it on as it is."""
LOGINS = ("/login", "/login/{username}")
"""Of the endpoints that need no token, those at whose end there is one."""


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.mark.parametrize("case", [case for case in CASES if case.id not in NOT_WRAPPED_AGAIN], ids=lambda case: case.id)
def test_an_answer_is_wrapped_whole_and_comes_out_whole_once(world: World, case: Case) -> None:
    vault = world.vault_for(case)
    example = example_of(case, vault)
    result = send(vault, case, example, wrap_ttl="5m")
    assert vault.failures == []
    assert example.expects(result.status) or result.status == 200, result
    if result.body is None or result.status >= 400:
        return
    if case.declared.endpoint.unauthenticated and not case.template.endswith(LOGINS):
        assert result.body.get("wrap_info") is None  # a stranger must not fill the store with wrapping tokens
        return
    assert result.body.keys() == {
        "auth",
        "data",
        "lease_duration",
        "lease_id",
        "renewable",
        "request_id",
        "warnings",
        "wrap_info",
    }
    assert result.body["data"] is None
    assert result.body["auth"] is None
    assert STORED_SECRET not in result.raw.decode()
    if vault.node.unsealed is None:
        return
    token = result.body["wrap_info"]["token"]
    unwrapped = vault.post("sys/wrapping/unwrap", {"token": token}, token=None)
    assert unwrapped.status == 200
    assert vault.post("sys/wrapping/unwrap", {"token": token}, token=None).status == 400
