from __future__ import annotations

from typing import Any

import pytest
from tests.kit import Vault


@pytest.fixture
def vault() -> Vault:
    vault = Vault()
    vault.mount("test")
    return vault


def write(vault: Vault, name: str, **fields: Any) -> int:
    return vault.post(f"sys/quotas/rate-limit/{name}", fields).status


def test_a_quota_reads_back_with_what_was_not_said(vault: Vault) -> None:
    assert write(vault, "q", rate=100, path="test/*", interval="600", block_interval="600") == 204
    assert vault.get("sys/quotas/rate-limit/q").data == {
        "block_interval": 600,
        "interval": 600,
        "name": "q",
        "path": "test/*",
        "rate": 100,
        "role": "",
        "type": "rate-limit",
    }


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("", ""),
        ("test", "test/"),
        ("/test", "test/"),
        ("test/", "test/"),
        ("test/foo/", "test/foo"),
        ("test/foo*", "test/foo*"),
        ("test/foo*bar", "test/foo*bar"),
        ("cubbyhole", "cubbyhole/"),
        ("sys/mounts", "sys/mounts"),
    ],
)
def test_a_path_reads_back_in_its_one_spelling(vault: Vault, sent: str, shown: str) -> None:
    assert write(vault, "q", rate=1, path=sent) == 204
    assert vault.get("sys/quotas/rate-limit/q").data["path"] == shown


@pytest.mark.parametrize(("sent", "shown"), [(100, 100), ("100", 100), (0.5, 0.5), ("12.5", 12.5), (100.0, 100)])
def test_a_rate_may_be_a_fraction_and_a_text(vault: Vault, sent: Any, shown: float) -> None:
    assert write(vault, "q", rate=sent) == 204
    assert vault.get("sys/quotas/rate-limit/q").data["rate"] == shown


def test_what_was_said_about_inheritance_reads_back(vault: Vault) -> None:
    write(vault, "q", rate=1, inheritable=True)
    assert vault.get("sys/quotas/rate-limit/q").data["inheritable"] is True


@pytest.mark.parametrize(
    "rate", [None, 0, -1, "", "many", "NaN", "Infinity", "1e400", True, [1], {"a": 1}, 2**40, "9" * 400]
)
def test_a_rate_that_is_no_number_above_zero_is_refused(vault: Vault, rate: Any) -> None:
    result = vault.post("sys/quotas/rate-limit/q", {"rate": rate})
    assert result.status == 400
    assert "'rate' is invalid" in result.errors[0]
    assert vault.failures == []


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "/not-exist"},
        {"path": "test/../sys"},
        {"path": "auth/nothing"},
        {"interval": -1},
        {"block_interval": "-3s"},
        {"role": "r"},
        {"role": "r", "path": "test"},
        {"role": "r", "path": "auth/token"},
        {"role": "r", "path": "auth/approle/login"},
        {"role": "r" * 600, "path": "auth/approle"},
    ],
    ids=str,
)
def test_a_quota_that_cannot_be_is_refused(vault: Vault, fields: dict[str, Any]) -> None:
    assert vault.post("sys/auth/approle", {"type": "approle"}).status == 204
    result = vault.post("sys/quotas/rate-limit/q", {"rate": 1, **fields})
    assert result.status == 400
    assert vault.get("sys/quotas/rate-limit/q").status == 404


def test_no_two_quotas_are_about_the_same(vault: Vault) -> None:
    assert write(vault, "one", rate=1, path="test/foo") == 204
    result = vault.post("sys/quotas/rate-limit/two", {"rate": 2, "path": "test/foo/"})
    assert result.status == 400
    assert result.errors == ['quota rule with similar properties exists under the name "one"']
    assert write(vault, "one", rate=3, path="test/foo") == 204
    assert write(vault, "all", rate=1) == 204
    assert write(vault, "all too", rate=1) == 400


def test_quotas_are_listed_and_deleted(vault: Vault) -> None:
    assert vault.list("sys/quotas/rate-limit").status == 404
    write(vault, "b", rate=1)
    write(vault, "a", rate=1, path="test")
    assert vault.list("sys/quotas/rate-limit").data == {"keys": ["a", "b"]}
    assert vault.delete("sys/quotas/rate-limit/b").status == 204
    assert vault.delete("sys/quotas/rate-limit/b").status == 204
    assert vault.list("sys/quotas/rate-limit").data == {"keys": ["a"]}
    assert vault.get("sys/quotas/rate-limit/b").status == 404


def test_writing_replaces_all_of_a_quota(vault: Vault) -> None:
    write(vault, "q", rate=1, path="test", interval=60, block_interval=5)
    write(vault, "q", rate=2)
    data = vault.get("sys/quotas/rate-limit/q").data
    assert (data["path"], data["interval"], data["block_interval"]) == ("", 1, 0)


def test_the_quota_of_an_unmounted_engine_is_gone_and_makes_room(vault: Vault) -> None:
    write(vault, "q", rate=1, path="test")
    assert vault.delete("sys/mounts/test").status == 204
    assert vault.get("sys/quotas/rate-limit/q").status == 404
    assert vault.list("sys/quotas/rate-limit").status == 404
    vault.mount("test")
    assert write(vault, "other", rate=1, path="test") == 204
    assert vault.list("sys/quotas/rate-limit").data == {"keys": ["other"]}


def test_the_number_of_quotas_has_a_bound(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.system.quotas.RULES_MAX", 2)
    assert write(vault, "a", rate=1) == 204
    assert write(vault, "b", rate=1, path="test") == 204
    assert write(vault, "c", rate=1, path="cubbyhole") == 400
    assert write(vault, "a", rate=5) == 204


def test_the_configuration_starts_with_what_vault_exempts(vault: Vault) -> None:
    data = vault.get("sys/quotas/config").data
    assert {"sys/health", "sys/seal-status", "sys/unseal"} <= set(data["rate_limit_exempt_paths"])
    assert data["enable_rate_limit_audit_logging"] is False
    assert data["enable_rate_limit_response_headers"] is False


def test_the_configuration_is_written_as_a_whole(vault: Vault) -> None:
    body = {"rate_limit_exempt_paths": ["sys/foo", "a/*"], "enable_rate_limit_response_headers": True}
    assert vault.post("sys/quotas/config", body).status == 204
    assert vault.get("sys/quotas/config").data["rate_limit_exempt_paths"] == ["sys/foo", "a/*"]
    assert vault.post("sys/quotas/config", {"enable_rate_limit_audit_logging": True}).status == 204
    assert vault.get("sys/quotas/config").data == {
        "enable_rate_limit_audit_logging": True,
        "enable_rate_limit_response_headers": False,
        "rate_limit_exempt_paths": [],
    }


@pytest.mark.parametrize("path", ["a/../b", "a//b", "a\\b", "a\x00b"])
def test_an_exempt_path_that_no_request_can_have_is_refused(vault: Vault, path: str) -> None:
    assert vault.post("sys/quotas/config", {"rate_limit_exempt_paths": [path]}).status == 400
