"""Audit devices over the API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.kit import CONFIGURATION, Vault


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder in which the configuration allows audit files."""
    path = tmp_path / "allowed"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def vault(folder: Path) -> Vault:
    return Vault(configuration=CONFIGURATION + f'audit_paths_allowed = ["{folder}"]\n')


def enable(vault: Vault, name: str = "file", **options: Any) -> Any:
    return vault.call("PUT", f"sys/audit/{name}", {"type": "file", "description": "d", "options": options})


def test_an_enabled_device_is_listed_and_gets_every_record_from_then_on(vault: Vault, folder: Path) -> None:
    assert enable(vault, file_path=f"{folder}/a.log").status == 204
    listed = vault.get("sys/audit")
    assert listed.data["file/"] == {
        "type": "file",
        "description": "d",
        "options": {"file_path": f"{folder}/a.log"},
        "path": "file/",
        "local": False,
    }
    assert listed.body is not None
    assert listed.body["file/"] == listed.data["file/"]
    records = [json.loads(line) for line in (folder / "a.log").read_text(encoding="utf-8").splitlines()]
    paths = [record["request"]["path"] for record in records if "request" in record]
    assert paths.count("sys/audit") == 2
    assert (folder / "a.log").stat().st_mode & 0o777 == 0o600


def test_a_disabled_device_gets_nothing_any_more_and_is_gone_after_a_seal(vault: Vault, folder: Path) -> None:
    enable(vault, file_path=f"{folder}/a.log")
    vault.get("sys/mounts")
    assert vault.delete("sys/audit/file").status == 204
    vault.get("sys/auth")
    size = (folder / "a.log").stat().st_size
    vault.get("sys/mounts")
    assert (folder / "a.log").stat().st_size == size
    assert "file/" not in vault.get("sys/audit").data
    vault.post("sys/seal")
    vault.unseal()
    assert "file/" not in vault.get("sys/audit").data


def test_an_enabled_device_is_enabled_again_after_a_seal(vault: Vault, folder: Path) -> None:
    enable(vault, file_path=f"{folder}/a.log")
    vault.post("sys/seal")
    vault.unseal()
    vault.get("sys/policies/acl/default")
    assert "sys/policies/acl/default" in (folder / "a.log").read_text(encoding="utf-8")


def test_without_the_setting_no_device_is_enabled_over_the_api(folder: Path) -> None:
    vault = Vault(configuration=CONFIGURATION.replace("unsafe_allow_api_audit_creation = true", ""))
    result = enable(vault, file_path=f"{folder}/a.log")
    assert result.status == 400
    assert "configuration file" in result.errors[0]
    assert not (folder / "a.log").exists()


HOSTILE: list[dict[str, Any]] = [
    {"file_path": "/etc/cron.d/x"},
    {"path": "/etc/cron.d/x"},
    {"file_path": "FOLDER/../outside.log"},
    {"path": "FOLDER/../outside.log"},
    {"file_path": "FOLDER/./a.log"},
    {"file_path": "relative.log"},
    {"file_path": "FOLDER"},
    {"file_path": "FOLDER/"},
    {"file_path": "FOLDER/link/a.log"},
    {"file_path": "FOLDER/file-link"},
    {"file_path": "FOLDER/a.log", "path": "/etc/cron.d/x"},
    {"file_path": "FOLDER/a.log", "mode": "0777"},
    {"file_path": "FOLDER/a.log", "mode": "0755"},
    {"file_path": "FOLDER/a.log", "mode": "4600"},
    {"file_path": "FOLDER/a.log", "prefix": "#!/bin/sh\n"},
    {"file_path": "FOLDER/a.log", "prefix": "x"},
    {"file_path": "FOLDER/a.log", "log_raw": "true"},
    {"file_path": "FOLDER/a.log", "format": "jsonx"},
    {"file_path": "FOLDER/a.log", "unknown": "x"},
    {"file_path": "FOLDER/a\n.log"},
    {"file_path": ""},
    {},
]


@pytest.mark.parametrize("options", HOSTILE, ids=str)
def test_a_device_writes_where_the_configuration_allows_and_how_it_allows(
    vault: Vault, folder: Path, options: dict[str, Any]
) -> None:
    """SECURITY row 95."""
    outside = folder.parent / "outside"
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "file-link").symlink_to(outside / "target.log")
    result = enable(vault, **{name: value.replace("FOLDER", str(folder)) for name, value in options.items()})
    assert result.status == 400, result
    assert list(outside.iterdir()) == []
    assert not (folder.parent / "outside.log").exists()
    assert "file/" not in vault.get("sys/audit").data
    assert vault.get("sys/mounts").status == 200


@pytest.mark.parametrize("kind", ["", "syslog", "socket", "nosuch", "file\0"], ids=ascii)
def test_an_unknown_type_of_device_is_refused(vault: Vault, kind: str) -> None:
    assert vault.call("PUT", "sys/audit/x", {"type": kind, "options": {}}).status == 400


@pytest.mark.parametrize("name", ["file", "file/in"])
def test_a_name_in_use_is_refused(vault: Vault, folder: Path, name: str) -> None:
    enable(vault, file_path=f"{folder}/a.log")
    result = enable(vault, name, file_path=f"{folder}/b.log")
    assert result.status == 400
    assert "already in use" in result.errors[0]
    assert not (folder / "b.log").exists()


def test_a_device_of_the_configuration_stays(vault: Vault) -> None:
    assert vault.delete("sys/audit/memory").status == 400
    assert "memory/" in vault.get("sys/audit").data


def test_what_is_not_there_is_disabled_already(vault: Vault) -> None:
    assert vault.delete("sys/audit/nosuch").status == 204


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_audit_devices_need_sudo(vault: Vault, method: str) -> None:
    vault.write_policy("weak", 'path "sys/audit*" { capabilities = ["create", "read", "update", "delete"] }')
    path = "sys/audit" if method == "GET" else "sys/audit/x"
    result = vault.call(method, path, {"type": "file"} if method == "PUT" else None, token=vault.token_for("weak"))
    assert result.status == 403


def test_the_hash_of_a_value_is_the_one_in_the_records(vault: Vault) -> None:
    vault.mount("kv")
    vault.post("kv/a", {"password": "hunter2"})
    result = vault.post("sys/audit-hash/memory", {"input": "hunter2"})
    assert result.data["hash"].startswith("hmac-sha256:")
    assert result.body is not None
    assert result.body["hash"] == result.data["hash"]
    assert result.data["hash"] in vault.device.text
    assert "hunter2" not in vault.device.text


@pytest.mark.parametrize(
    ("path", "body"), [("nosuch", {"input": "x"}), ("memory", {}), ("memory", {"input": {"a": 1}})], ids=str
)
def test_what_cannot_be_hashed_is_refused(vault: Vault, path: str, body: dict[str, Any]) -> None:
    assert vault.post(f"sys/audit-hash/{path}", body).status == 400


def test_tuned_keys_stand_in_clear_and_all_others_do_not(vault: Vault) -> None:
    vault.mount("kv", config={"audit_non_hmac_request_keys": ["user"], "audit_non_hmac_response_keys": ["user"]})
    vault.post("kv/a", {"user": "alice-in-clear", "password": "hunter2"})
    vault.get("kv/a")
    assert vault.device.text.count("alice-in-clear") == 3, "two records repeat the request, one has the response"
    assert "hunter2" not in vault.device.text
