from __future__ import annotations

from typing import Any

import pytest
from tests.kit import START_NS, Vault


@pytest.fixture
def states() -> dict[str, Vault]:
    sealed = Vault()
    sealed.post("sys/seal")
    return {"active": Vault(), "sealed": sealed, "new": Vault(is_unsealed=False)}


def health(vault: Vault, query: str = "", method: str = "GET") -> tuple[int, dict[str, Any] | None]:
    result = vault.call(method, f"sys/health{query}", token=None)
    return result.status, result.body


AGENT = (
    "?standbycode=299&sealedcode=299&uninitcode=299&drsecondarycode=299&performancestandbycode=299&removedcode=299"
    "&haunhealhty=299"
)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("state", "query", "status"),
    [
        ("active", "", 200),
        ("sealed", "", 503),
        ("new", "", 501),
        ("active", "?activecode=250&sealedcode=251&uninitcode=252", 250),
        ("sealed", "?activecode=250&sealedcode=251&uninitcode=252", 251),
        ("new", "?activecode=250&sealedcode=251&uninitcode=252", 252),
        ("active", "?standbyok=true&perfstandbyok=true", 200),
        ("active", AGENT, 200),
        ("sealed", AGENT, 299),
        ("new", AGENT, 299),
    ],
)
def test_the_state_is_told_by_a_code_that_the_prober_may_choose(
    states: dict[str, Vault], method: str, state: str, query: str, status: int
) -> None:
    answered, body = health(states[state], query, method)
    assert answered == status
    if method == "GET":
        assert body is not None
        assert body["sealed"] is (state != "active")
        assert body["initialized"] is (state != "new")


@pytest.mark.parametrize("code", ["99", "600", "-1", "abc", "1e3", str(10**30)])
def test_a_code_that_is_none_is_refused(states: dict[str, Vault], code: str) -> None:
    for state, name in (("active", "activecode"), ("sealed", "sealedcode"), ("new", "uninitcode")):
        assert health(states[state], f"?{name}={code}")[0] == 400


def test_the_body_has_the_members_that_clients_read(states: dict[str, Vault]) -> None:
    _, active = health(states["active"])
    assert active is not None
    assert active["server_time_utc"] == START_NS // 10**9
    assert active["standby"] is False
    assert active["replication_performance_mode"] == active["replication_dr_mode"] == "disabled"
    assert {"cluster_name", "cluster_id"} <= set(active)
    _, new = health(states["new"])
    assert new is not None
    assert new["standby"] is True
    assert new["replication_performance_mode"] == "unknown"
    assert "cluster_id" not in new


def test_the_version_is_strict_semver_of_at_least_1_14_and_without_a_suffix(states: dict[str, Vault]) -> None:
    for vault in states.values():
        for path in ("sys/health", "sys/seal-status"):
            body = vault.get(path, token=None).body
            assert body is not None
            major, minor, patch = body["version"].split(".")
            assert (int(major), int(minor)) >= (1, 14)
            assert patch.isdecimal()


def test_the_seal_status_has_every_member_of_the_contract(states: dict[str, Vault]) -> None:
    members = {
        "type", "initialized", "sealed", "t", "n", "progress", "nonce", "version", "build_date", "migration",
        "recovery_seal", "storage_type",
    }  # fmt: skip
    assert set(states["new"].get("sys/seal-status", token=None).body or {}) == members
    assert set(states["active"].get("sys/seal-status", token=None).body or {}) == members | {
        "cluster_name",
        "cluster_id",
    }


def test_the_leader_is_this_node_and_nobody_while_it_is_sealed(states: dict[str, Vault]) -> None:
    body = states["active"].get("sys/leader", token=None).body
    assert body is not None
    assert (body["ha_enabled"], body["is_self"]) == (False, True)
    assert set(body) == {
        "ha_enabled", "is_self", "active_time", "leader_address", "leader_cluster_address", "performance_standby",
        "performance_standby_last_remote_wal",
    }  # fmt: skip
    assert states["sealed"].get("sys/leader", token=None).status == 503


def test_the_nodes_are_one(states: dict[str, Vault]) -> None:
    result = states["active"].get("sys/ha-status")
    assert result.body is not None
    assert result.body["nodes"] == result.data["nodes"]
    assert len(result.data["nodes"]) == 1
    assert result.data["nodes"][0]["active_node"] is True
    assert states["active"].get("sys/ha-status", token=None).status == 403


@pytest.mark.parametrize("path", ["sys/health", "sys/seal-status", "sys/leader"])
def test_how_the_server_is_can_be_asked_with_any_namespace(vault: Vault, path: str) -> None:
    assert vault.get(path, token=None, headers={"x-vault-namespace": "team/"}).status == 200
