"""Headers in the audit log, over the API."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kit import Vault

from strongroom.audit.headers import HEADERS_MAX

PATH = "sys/config/auditing/request-headers"


def recorded(vault: Vault, **headers: str) -> list[Any]:
    """The headers in the records of a request that sent ``headers``."""
    before = len(vault.device.records)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    assert vault.get("sys/mounts", headers=sent).status == 200
    return [record["request"].get("headers") for record in vault.device.records[before:]]


def test_without_being_asked_no_header_is_recorded(vault: Vault) -> None:
    assert recorded(vault, x_correlation_id="7", user_agent="curl") == [None, None]


def test_a_header_is_recorded_from_the_next_request_on_in_both_records_and_until_it_is_deleted(vault: Vault) -> None:
    assert vault.post(f"{PATH}/X-Correlation-Id").status == 204
    assert recorded(vault, x_correlation_id="7", user_agent="curl") == [{"x-correlation-id": ["7"]}] * 2
    assert recorded(vault, user_agent="curl") == [None, None]
    assert vault.delete(f"{PATH}/x-correlation-ID").status == 204
    assert recorded(vault, x_correlation_id="7") == [None, None]


def test_a_hashed_header_is_found_by_the_hash_of_its_value_and_never_stands_in_clear(vault: Vault) -> None:
    assert vault.post(f"{PATH}/x-session", {"hmac": True}).status == 204
    found = recorded(vault, x_session="canary-7f3a")
    wanted = vault.post("sys/audit-hash/memory", {"input": "canary-7f3a"}).data["hash"]
    assert found == [{"x-session": [wanted]}] * 2
    assert "canary-7f3a" not in vault.device.text


def test_refused_requests_have_their_headers_too(vault: Vault) -> None:
    vault.post(f"{PATH}/x-team")
    assert vault.get("sys/mounts", token=None, headers={"x-team": "red"}).status == 403
    assert [record["request"]["headers"] for record in vault.device.records[-2:]] == [{"x-team": ["red"]}] * 2


def test_it_survives_a_seal(vault: Vault) -> None:
    vault.post(f"{PATH}/x-team")
    vault.post("sys/seal")
    vault.unseal()
    assert recorded(vault, x_team="red") == [{"x-team": ["red"]}] * 2


@pytest.mark.parametrize("name", ["X-Vault-Token", "authorization", "Proxy-Authorization", "Cookie"])
def test_a_header_with_a_credential_is_only_recorded_as_a_hash(vault: Vault, name: str) -> None:
    refused = vault.post(f"{PATH}/{name}", {"hmac": False})
    assert refused.status == 400
    assert "hmac=true" in refused.errors[0]
    assert vault.post(f"{PATH}/{name}", {"hmac": True}).status == 204
    recorded(vault, **{name.lower().replace("-", "_"): "canary-91c2"}) if name != "X-Vault-Token" else recorded(vault)
    assert "canary-91c2" not in vault.device.text
    assert vault.root not in vault.device.text
    assert name.lower() in vault.device.records[-1]["request"]["headers"]


def test_what_is_recorded_can_be_read_and_listed_as_clients_of_vault_expect(vault: Vault) -> None:
    vault.post(f"{PATH}/X-Forwarded-For", {"hmac": True})
    vault.post(f"{PATH}/x-team", {"hmac": False})
    wanted = {"headers": {"x-forwarded-for": {"hmac": True}, "x-team": {"hmac": False}}}
    listed = vault.get(PATH)
    assert listed.data == wanted
    assert listed.body is not None
    assert listed.body["headers"] == wanted["headers"]
    assert vault.get(f"{PATH}/X-Forwarded-For").data == {"X-Forwarded-For": {"hmac": True}}
    missing = vault.get(f"{PATH}/x-other")
    assert (missing.status, missing.errors) == (400, ["could not find header in config"])


def test_a_second_write_replaces_the_first(vault: Vault) -> None:
    vault.post(f"{PATH}/x-team", {"hmac": True})
    vault.post(f"{PATH}/x-team", {"hmac": False})
    assert recorded(vault, x_team="red") == [{"x-team": ["red"]}] * 2


@pytest.mark.parametrize("name", ["x%20team", "x%C3%A9", "x:y", "a" * 129])
def test_what_names_no_header_is_refused(vault: Vault, name: str) -> None:
    for answer in (vault.post(f"{PATH}/{name}"), vault.delete(f"{PATH}/{name}"), vault.get(f"{PATH}/{name}")):
        assert answer.status == 400, answer


def test_there_is_an_end_to_how_many_are_recorded(vault: Vault) -> None:
    for number in range(HEADERS_MAX):
        assert vault.post(f"{PATH}/x-{number}").status == 204
    assert "delete one first" in vault.post(f"{PATH}/x-one-more").errors[0]
    assert vault.post(f"{PATH}/x-0", {"hmac": True}).status == 204
    vault.delete(f"{PATH}/x-0")
    assert vault.post(f"{PATH}/x-one-more").status == 204


def test_it_needs_sudo(vault: Vault) -> None:
    vault.write_policy("weak", f'path "{PATH}*" {{ capabilities = ["create", "read", "update", "delete"] }}')
    token = vault.token_for("weak")
    for answer in (
        vault.get(PATH, token=token),
        vault.get(f"{PATH}/x-team", token=token),
        vault.post(f"{PATH}/x-team", token=token),
        vault.delete(f"{PATH}/x-team", token=token),
    ):
        assert answer.status == 403
