"""To seal and to revoke works whatever the audit devices do; what was done is recorded as soon as one is back (SECURITY R-9)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.declarations.catalog import CASES
from tests.kit import MemoryDevice, Vault

from strongroom.audit.devices import DeviceFailed
from strongroom.audit.enabled import Enabled

EMERGENCIES = {
    "DELETE auth/approle/role/{role_name}/secret-id-accessor/destroy",
    "DELETE auth/approle/role/{role_name}/secret-id/destroy",
    "POST auth/approle/role/{role_name}/secret-id-accessor/destroy",
    "POST auth/approle/role/{role_name}/secret-id/destroy",
    "POST auth/token/revoke",
    "POST auth/token/revoke-accessor",
    "POST auth/token/revoke-orphan",
    "POST auth/token/revoke-self",
    "POST sys/leases/revoke",
    "POST sys/leases/revoke-force/{prefix...}",
    "POST sys/leases/revoke-prefix/{prefix...}",
    "POST sys/leases/revoke/{lease_id...}",
    "POST sys/revoke",
    "POST sys/revoke-force/{prefix...}",
    "POST sys/revoke-prefix/{prefix...}",
    "POST sys/revoke/{lease_id...}",
    "POST sys/seal",
}


class NoResponses(MemoryDevice):
    """A device that fails as soon as an answer is to be recorded."""

    def write(self, lines: bytes) -> None:
        if b'"type":"response"' in lines:
            raise DeviceFailed("it takes no responses")
        super().write(lines)


@contextmanager
def swapped_device(vault: Vault, device: MemoryDevice) -> Iterator[None]:
    for one in (device, vault.device):
        vault.node.broker.disable("memory")
        vault.node.broker.enable(Enabled(name="memory", type="memory", device=one, from_configuration=True))
        if one is device:
            yield


@pytest.fixture
def vault() -> Iterator[Vault]:
    vault = Vault()
    vault.device.written.clear()
    yield vault
    assert vault.failures == []


def test_only_sealing_and_revoking_go_on_without_a_record() -> None:
    assert {case.id for case in CASES if case.declared.endpoint.audit_exempt} == EMERGENCIES


def test_a_token_is_revoked_without_an_audit_device_and_that_is_recorded_later(vault: Vault) -> None:
    token = vault.token_for("default")
    vault.device.is_broken = True
    assert vault.post("auth/token/revoke", {"token": token}).status == 204
    assert vault.node.broker.owed == 2
    vault.device.is_broken = False
    assert vault.get("auth/token/lookup-self", token=token).status == 403
    paths = [(record["type"], record["request"]["path"]) for record in vault.device.records]
    assert paths[-4:-2] == [("request", "auth/token/revoke"), ("response", "auth/token/revoke")]
    assert vault.node.broker.owed == 0


@pytest.mark.parametrize("way", ["revoke-self", "revoke-orphan", "revoke-accessor"])
def test_every_way_of_revoking_works_without_an_audit_device(vault: Vault, way: str) -> None:
    made = vault.post("auth/token/create", {"policies": ["default"]}).auth
    token, accessor = made["client_token"], made["accessor"]
    body = {"revoke-self": {}, "revoke-orphan": {"token": token}, "revoke-accessor": {"accessor": accessor}}[way]
    vault.device.is_broken = True
    result = vault.post(f"auth/token/{way}", body, token=token if way == "revoke-self" else "root")
    vault.device.is_broken = False
    assert result.status == 204
    assert vault.get("auth/token/lookup-self", token=token).status == 403


@pytest.mark.parametrize("folder", ["sys/leases/", "sys/"], ids=["today's", "older"])
@pytest.mark.parametrize("is_sync", [True, False])
@pytest.mark.parametrize("way", ["revoke", "revoke/", "revoke-prefix/", "revoke-force/"])
def test_every_way_of_ending_a_lease_works_without_an_audit_device(
    vault: Vault, folder: str, way: str, *, is_sync: bool
) -> None:
    token = vault.token_for("default", ttl="1h")
    lease = f"auth/token/create/{vault.list('sys/leases/lookup/auth/token/create').data['keys'][0]}"
    target = {"revoke": "", "revoke/": lease}.get(way, "auth/token/create")
    vault.device.is_broken = True
    result = vault.post(f"{folder}{way}{target}", {"sync": is_sync, **({} if target else {"lease_id": lease})})
    assert result.status == (204 if is_sync else 202)
    assert vault.node.broker.owed == 2
    vault.device.is_broken = False
    assert vault.get("auth/token/lookup-self", token=token).status == 403
    assert [record["type"] for record in vault.device.records if "revoke" in record["request"]["path"]] == [
        "request",
        "response",
    ]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("way", ["secret-id", "secret-id-accessor"])
def test_a_secret_id_is_taken_back_without_an_audit_device(vault: Vault, way: str, method: str) -> None:
    assert vault.post("sys/auth/approle", {"type": "approle"}).status == 204
    assert vault.post("auth/approle/role/app", {}).status == 204
    role_id = vault.get("auth/approle/role/app/role-id").data["role_id"]
    made = vault.post("auth/approle/role/app/secret-id", {}).data
    field = way.replace("-", "_")
    vault.device.is_broken = True
    target = f"auth/approle/role/app/{way}/destroy"
    query = f"?{field}={made[field]}" if method == "DELETE" else ""
    body = {field: made[field]} if method == "POST" else None
    assert vault.call(method, target + query, body).status == 204
    vault.device.is_broken = False
    login = {"role_id": role_id, "secret_id": made["secret_id"]}
    assert vault.post("auth/approle/login", login, token=None).status == 400
    assert [record["type"] for record in vault.device.records if record["request"]["path"] == target] == [
        "request",
        "response",
    ]


def test_a_vault_is_sealed_without_an_audit_device_and_that_is_recorded_later(vault: Vault) -> None:
    vault.device.is_broken = True
    assert vault.post("sys/seal").status == 204
    assert vault.node.unsealed is None
    vault.device.is_broken = False
    vault.unseal()
    vault.node.broker.settle()
    assert [record["request"]["path"] for record in vault.device.records][:2] == ["sys/seal", "sys/seal"]


def test_who_may_not_revoke_is_not_served_without_an_audit_device(vault: Vault) -> None:
    token, other = vault.token_for("default"), vault.token_for("default")
    vault.device.is_broken = True
    assert vault.post("auth/token/revoke", {"token": other}, token=token).status == 500
    assert vault.post("sys/seal", token=token).status == 500
    assert vault.post("auth/token/revoke", {"token": other}, token=None).status == 500
    vault.device.is_broken = False
    assert vault.get("auth/token/lookup-self", token=other).status == 200
    assert vault.node.broker.owed == 0


def test_a_revocation_whose_answer_alone_is_not_recorded_stays_done(vault: Vault) -> None:
    token = vault.token_for("default")
    with swapped_device(vault, NoResponses()):
        assert vault.post("auth/token/revoke", {"token": token}).status == 204
    assert vault.get("auth/token/lookup-self", token=token).status == 403
