"""Two requests with everything that is recorded of them, literally: what is readable is readable by decision (rows 79 and 82)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.kit import Vault

TIME = "2030-03-17T17:46:40.000000000Z"
PASSWORD = "correct-horse-battery-staple"
Hashed = Callable[[str], str]


@pytest.fixture
def vault() -> Vault:
    vault = Vault()
    vault.mount("secret", "kv", options={"version": "2"})
    assert vault.post("sys/auth/userpass", {"type": "userpass"}).status == 204
    assert vault.post("auth/userpass/users/mia", {"password": PASSWORD}).status == 204
    return vault


def recorded(vault: Vault, request: Callable[[], Any]) -> list[dict[str, Any]]:
    """The records of one request, each without its place in the chain, which must be the next one."""
    first = vault.device.records[-1]["chain"]["sequence"] + 1
    vault.device.written.clear()
    request()
    records = vault.device.records
    assert [record.pop("chain")["sequence"] for record in records] == [first, first + 1]
    return records


def hashed_by(vault: Vault) -> Hashed:
    def hashed(text: str) -> str:
        shown = str(vault.post("sys/audit-hash/memory", {"input": text}).data["hash"])
        assert shown.startswith("hmac-sha256:")
        return shown

    return hashed


def mount_of(vault: Vault, path: str) -> dict[str, str]:
    is_auth = path.startswith("auth/")
    listed = vault.get("sys/auth" if is_auth else "sys/mounts").data[path.removeprefix("auth/")]
    return {
        "mount_point": path,
        "mount_type": listed["type"],
        "mount_accessor": listed["accessor"],
        "mount_class": "auth" if is_auth else "secret",
    }


def test_the_records_of_a_write_hold_every_value_hashed_and_every_name_in_clear(vault: Vault) -> None:
    hashed, mount = hashed_by(vault), mount_of(vault, "secret/")
    accessor = vault.get("auth/token/lookup-self").data["accessor"]
    values = {
        "password": "hunter2",
        "port": 5432,
        "ratio": 1.5,
        "on": True,
        "nothing": None,
        "list": ["a", [7]],
        "deep": {"inner": "b"},
    }
    request, response = recorded(
        vault, lambda: vault.post("secret/data/app", {"data": values, "options": {"cas": 0}, "misspelt": "c"})
    )
    expected: dict[str, Any] = {
        "time": TIME,
        "type": "request",
        "auth": {
            "client_token": hashed(vault.root),
            "accessor": hashed(accessor),
            "display_name": "root",
            "policies": ["root"],
            "token_policies": ["root"],
            "token_type": "service",
            "policy_results": {
                "allowed": True,
                "granting_policies": [{"name": "root", "namespace_id": "root", "type": "acl"}],
            },
        },
        "request": {
            "id": request["request"]["id"],
            "operation": "create",
            **mount,
            "client_token": hashed(vault.root),
            "client_token_accessor": hashed(accessor),
            "namespace": {"id": "root"},
            "path": "secret/data/app",
            "remote_address": "127.0.0.1",
            "remote_port": 0,
            "data": {
                "data": {
                    "password": hashed("hunter2"),
                    "port": hashed("5432"),
                    "ratio": hashed("1.5"),
                    "on": hashed("true"),
                    "nothing": None,
                    "list": [hashed("a"), [hashed("7")]],
                    "deep": {"inner": hashed("b")},
                },
                "options": {"cas": hashed("0")},
                "misspelt": hashed("c"),
            },
        },
    }
    assert request == expected
    assert response == expected | {
        "type": "response",
        "response": {
            **mount,
            "data": {
                "created_time": hashed(TIME),
                "custom_metadata": None,
                "deletion_time": hashed(""),
                "destroyed": hashed("false"),
                "version": hashed("1"),
            },
            "returned_keys": [],
            "warnings": ["Endpoint ignored these unrecognized parameters: [misspelt]"],
        },
    }


def test_a_write_is_a_create_on_record_where_it_makes_something_new_and_else_an_update(vault: Vault) -> None:
    vault.write_policy("writer", 'path "secret/*" { capabilities = ["create", "update", "delete"] }')
    writer = vault.token_for("writer")
    for token, name in (("root", "first"), (writer, "second")):
        seen = [
            [record["request"]["operation"] for record in recorded(vault, ask)]
            for ask in (
                lambda token=token, name=name: vault.post(f"secret/data/{name}", {"data": {"a": 1}}, token=token),
                lambda token=token, name=name: vault.post(f"secret/data/{name}", {"data": {"a": 2}}, token=token),
                lambda token=token, name=name: vault.delete(f"secret/data/{name}", token=token),
            )
        ]
        assert seen == [["create"] * 2, ["update"] * 2, ["delete"] * 2]
    refused = vault.token_for("default")
    assert {
        record["request"]["operation"]
        for record in recorded(vault, lambda: vault.post("secret/data/third", {"data": {}}, token=refused))
    } == {"create"}


def test_the_records_of_a_login_hold_the_proof_the_token_and_its_accessor_hashed(vault: Vault) -> None:
    hashed, mount = hashed_by(vault), mount_of(vault, "auth/userpass/")
    answers = []
    request, response = recorded(
        vault, lambda: answers.append(vault.post("auth/userpass/login/mia", {"password": PASSWORD}, token=None))
    )
    made = answers[0].auth
    expected: dict[str, Any] = {
        "time": TIME,
        "type": "request",
        "auth": {"policy_results": {"allowed": True}},
        "request": {
            "id": request["request"]["id"],
            "operation": "update",
            **mount,
            "namespace": {"id": "root"},
            "path": "auth/userpass/login/mia",
            "remote_address": "127.0.0.1",
            "remote_port": 0,
            "data": {"password": hashed(PASSWORD)},
        },
    }
    token = {
        "client_token": hashed(made["client_token"]),
        "accessor": hashed(made["accessor"]),
        "display_name": "userpass-mia",
        "policies": ["default"],
        "token_policies": ["default"],
        "metadata": {"username": hashed("mia")},
        "token_type": "service",
        "token_ttl": made["lease_duration"],
    }
    assert request == expected
    assert response == expected | {
        "type": "response",
        "auth": token | {"policy_results": {"allowed": True}},
        "response": {**mount, "auth": token},
    }
