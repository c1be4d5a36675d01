"""No record, no answer: what every endpoint does while no audit device can write (SECURITY INV-8)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.declarations.catalog import CASES, Case
from tests.declarations.examples import example_of, send
from tests.declarations.world import PASSWORD, SECRET_ID, STORED_SECRET, World, stored
from tests.kit import MemoryDevice, Vault

from strongroom.audit.devices import DeviceFailed
from strongroom.audit.enabled import Enabled
from strongroom.logical.errors import AuditUnavailable

UNAVAILABLE = ["no audit device could record this request, so nothing was done; check the audit devices"]
UNRECORDED = list(AuditUnavailable(is_late=True).messages)
STATE = (
    "sys/mounts",
    "sys/auth",
    "sys/audit",
    "sys/key-status",
    "sys/seal-status",
    "sys/rekey/init",
    "sys/rotate/root/init",
    "sys/generate-root/attempt",
)
"""Reads that show what a vault keeps in memory, besides its store."""

every_endpoint = pytest.mark.parametrize(
    # Those that must always work have their own tests: test_emergencies.py.
    "case",
    [case for case in CASES if not case.declared.endpoint.audit_exempt],
    ids=lambda case: case.id,
)


class NoResponses(MemoryDevice):
    """A device that fails as soon as an answer is to be recorded."""

    def write(self, lines: bytes) -> None:
        if b'"type":"response"' in lines:
            raise DeviceFailed("it takes no responses")
        super().write(lines)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@every_endpoint
def test_without_an_audit_record_nothing_happens_and_nothing_is_said(world: World, case: Case) -> None:
    vault = world.vault_for(case)
    example = example_of(case, vault)
    before, state = stored(vault), state_of(vault)
    vault.device.is_broken = True
    result = send(vault, case, example)
    vault.device.is_broken = False
    assert (result.status, result.errors) == (500, UNAVAILABLE)
    assert stored(vault) == before
    assert state_of(vault) == state
    assert vault.failures == []


@every_endpoint
def test_without_a_record_of_the_answer_no_secret_leaves_and_no_token_lives(world: World, case: Case) -> None:
    vault = world.vault_for(case)
    example = example_of(case, vault)
    accessors = accessors_of(vault)
    swap_device(vault, NoResponses())
    before = stored(vault)
    result = send(vault, case, example)
    swap_device(vault, vault.device)
    assert result.status == 500
    assert result.errors in (UNAVAILABLE, UNRECORDED)
    assert result.errors == UNRECORDED or stored(vault) == before
    for secret in (STORED_SECRET, PASSWORD, SECRET_ID, vault.root, *vault.shares):
        assert secret not in result.raw.decode()
    assert vault.failures == []
    assert vault.node.unsealed is not None
    assert accessors_of(vault) <= accessors


def test_shares_that_could_not_be_handed_out_are_not_in_effect(world: World) -> None:
    vault = world.fresh()
    case = next(case for case in CASES if case.id == "POST sys/rotate/root/update")
    example = example_of(case, vault)
    swap_device(vault, NoResponses())
    assert send(vault, case, example).status == 500
    swap_device(vault, vault.device)
    vault.node.seal()
    vault.unseal()
    assert vault.node.unsealed is not None


def test_an_answer_that_cannot_be_wrapped_is_refused_before_anything_happens(world: World) -> None:
    vault = world.fresh()
    case = next(case for case in CASES if case.id == "POST sys/rotate/root/update")
    example = example_of(case, vault)
    before = stored(vault)
    assert send(vault, case, example, wrap_ttl="100000h").status == 400
    assert stored(vault) == before


def test_a_sealed_vault_stays_sealed_without_an_audit_record(world: World) -> None:
    vault = world.fresh()
    vault.node.seal()
    vault.device.is_broken = True
    result = vault.post("sys/unseal", {"key": vault.shares[0]}, token=None)
    assert (result.status, result.errors) == (500, UNAVAILABLE)
    assert vault.node.unsealed is None
    vault.device.is_broken = False
    assert vault.post("sys/unseal", {"key": vault.shares[0]}, token=None).status == 200


def test_no_vault_is_made_without_an_audit_record() -> None:
    vault = Vault(is_unsealed=False)
    vault.device.is_broken = True
    result = vault.post("sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=None)
    assert (result.status, result.errors) == (500, UNAVAILABLE)
    assert stored(vault) == {}


@pytest.mark.parametrize("path", ["sys/health", "sys/seal-status", "sys/init"])
def test_a_sealed_vault_answers_probes_without_an_audit_record(world: World, path: str) -> None:
    vault = world.fresh()
    vault.node.seal()
    vault.device.is_broken = True
    assert vault.get(path, token=None).status in {200, 503}


def accessors_of(vault: Vault) -> set[str]:
    """The accessors of all tokens that are good now, asked inside, because the example may have revoked every token there is."""
    unsealed = vault.node.require()
    with unsealed.barrier.transaction() as transaction:
        return set(unsealed.tokens.accessors(transaction))


def swap_device(vault: Vault, device: MemoryDevice) -> None:
    broker = vault.node.broker
    broker.disable("memory")
    broker.enable(Enabled(name="memory", type="memory", device=device, from_configuration=True))


def state_of(vault: Vault) -> list[Any]:
    def shown(path: str) -> Any:
        body = dict(vault.get(path).body or {})
        body.pop("request_id", None)
        return body

    return [shown(path) for path in STATE]
