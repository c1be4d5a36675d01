"""Where ``sys/``, audit and the edge differ from Vault's and OpenBao's."""

from __future__ import annotations

import re

import pytest
from tests.kit import CONFIGURATION, Vault
from tests.pgp import Person

from strongroom.encoding.json import decode_untrusted
from strongroom.logical.errors import InvalidRequest


def test_rekey_and_generate_root_need_a_token_unless_the_configuration_says_otherwise(vault: Vault) -> None:
    asked = ("sys/rekey/init", "sys/generate-root/attempt")
    assert [vault.get(path, token=None).status for path in asked] == [403, 403]
    opened = CONFIGURATION.replace(
        "tls_disable = true",
        "tls_disable = true\n disable_unauthed_rekey_endpoints = false\n disable_unauthed_generate_root_endpoints = false\n",
    )
    lenient = Vault(configuration=opened)
    assert [lenient.get(path, token=None).status for path in asked] == [200, 200]


def test_a_keybase_name_is_refused(vault: Vault) -> None:
    body = {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": ["keybase:ada"]}
    refused = vault.post("sys/rekey/init", body)
    assert refused.status == 400
    assert "export the key" in refused.errors[0]


def test_a_pgp_key_that_cannot_be_used_is_refused_when_the_rekey_begins(vault: Vault) -> None:
    body = {"secret_shares": 1, "secret_threshold": 1, "pgp_keys": [Person("ada").revoked()]}
    refused = vault.post("sys/rekey/init", body)
    assert (refused.status, refused.errors) == (400, ["the PGP key is revoked; send the key that took its place"])


def test_a_wrapping_ttl_above_the_maximum_is_refused(vault: Vault) -> None:
    assert vault.get("sys/mounts", wrap_ttl="768h").status == 200
    assert vault.get("sys/mounts", wrap_ttl="769h").status == 400


def test_the_version_is_one_that_clients_know(vault: Vault) -> None:
    for path in ("sys/seal-status", "sys/health"):
        body = vault.get(path).body
        assert body is not None
        assert re.fullmatch(r"1\.\d+\.\d+", body["version"])


def test_only_the_root_namespace_exists(vault: Vault) -> None:
    assert vault.get("sys/mounts", headers={"x-vault-namespace": "root/"}).status == 200
    assert vault.get("sys/mounts", headers={"x-vault-namespace": "team"}).status == 404


def test_plugins_can_be_listed_but_not_registered(vault: Vault) -> None:
    assert "approle" in vault.get("sys/plugins/catalog").data["auth"]
    assert vault.post("sys/plugins/catalog/secret/mine", {"command": "sh", "sha256": "00"}).status in {404, 405}


def test_unknown_fields_are_pointed_out_everywhere(vault: Vault) -> None:
    answer = vault.post("sys/mounts/other", {"type": "kv", "optoins": {"version": "2"}})
    assert answer.body is not None
    assert answer.body["warnings"] == ["Endpoint ignored these unrecognized parameters: [optoins]"]


def test_the_ttl_of_the_system_is_written_as_0(vault: Vault) -> None:
    assert vault.post("sys/mounts/secret/tune", {"default_lease_ttl": "1h"}).status == 204
    assert vault.post("sys/mounts/secret/tune", {"default_lease_ttl": "system"}).status == 400
    assert vault.post("sys/mounts/secret/tune", {"default_lease_ttl": "0"}).status == 204
    assert vault.get("sys/mounts/secret/tune").data["default_lease_ttl"] == 768 * 3600


def test_help_is_for_tokens_that_may_use_the_mount(vault: Vault) -> None:
    vault.write_policy("elsewhere", 'path "kv/*" { capabilities = ["read"] }')
    token = vault.token_for("elsewhere", no_default_policy=True)
    asked = ("secret/?help=1", "nowhere/?help=1", "kv/?help=1")
    assert [vault.get(path, token=token).status for path in asked] == [403, 403, 200]
    assert vault.get("sys/health?help=1", token=None).status == 403


# Audit


@pytest.mark.parametrize("option", ["log_raw", "prefix"])
def test_what_weakens_an_audit_device_stands_in_the_configuration_file_alone(vault: Vault, option: str) -> None:
    options = {"file_path": "/tmp/audit.log", option: "true"}
    assert vault.post("sys/audit/extra", {"type": "file", "options": options}).status == 400


@pytest.mark.parametrize("path", ["/etc/audit.log", "/tmp/../etc/audit.log", "audit.log", "stdout"])
def test_audit_files_of_the_api_lie_in_the_folders_that_are_allowed(vault: Vault, path: str) -> None:
    assert vault.post("sys/audit/extra", {"type": "file", "options": {"file_path": path}}).status == 400


def test_an_audit_file_cannot_be_open_to_others_or_left_as_it_is(vault: Vault) -> None:
    for mode in ("0000", "0644"):
        options = {"file_path": "/tmp/audit.log", "mode": mode}
        assert vault.post("sys/audit/extra", {"type": "file", "options": options}).status == 400


def test_numbers_and_yes_or_no_are_hashed_like_texts(vault: Vault) -> None:
    vault.post("kv/app", {"pin": 4711, "open": True})
    data = vault.device.records[-1]["request"]["data"]
    assert all(value.startswith("hmac-sha256:") for value in data.values())


def test_the_metadata_of_a_login_is_hashed(vault: Vault) -> None:
    vault.post("auth/userpass/users/ada", {"password": "a long password"})
    token = vault.post("auth/userpass/login/ada", {"password": "a long password"}, token=None).auth["client_token"]
    vault.get("auth/token/lookup-self", token=token)
    assert vault.device.records[-1]["auth"]["metadata"]["username"].startswith("hmac-sha256:")


def test_one_key_hashes_for_every_device(vault: Vault) -> None:
    first = vault.post("sys/audit-hash/memory", {"input": "value"}).data["hash"]
    vault.post("kv/app", {"key": "value"})
    assert vault.device.records[-1]["request"]["data"]["key"] == first


def test_a_response_names_the_keys_that_leave(vault: Vault) -> None:
    vault.post("secret/data/app", {"data": {"user": "ada", "password": "secret"}})
    vault.get("secret/data/app")
    assert vault.device.records[-1]["response"]["returned_keys"] == ["user", "password"]


def test_init_unseal_and_seal_are_audited() -> None:
    vault = Vault(is_unsealed=False)
    made = vault.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=None).body
    assert made is not None
    assert vault.call("PUT", "sys/unseal", {"key": made["keys"][0]}, token=None).status == 200
    vault.call("PUT", "sys/seal", token=made["root_token"])
    paths = [record["request"]["path"] for record in vault.device.records if record["type"] == "response"]
    assert paths == ["sys/init", "sys/unseal", "sys/seal"]
    assert made["keys"][0] not in vault.device.text


# The edge


@pytest.mark.parametrize("path", ["secret//data/app", "secret/data/../app", "secret/./data/app", "secret%2Fdata/app"])
def test_a_path_that_is_not_canonical_is_refused_and_not_redirected(vault: Vault, path: str) -> None:
    vault.post("secret/data/app", {"data": {"key": "value"}})
    assert vault.get(path).status == 400


def test_the_same_key_twice_is_refused(vault: Vault) -> None:
    assert vault.call("POST", "kv/app", b'{"key":1,"key":2}').status == 400
    assert vault.get("kv/app").status == 404


def test_what_is_no_form_is_refused_and_stands_nowhere(vault: Vault) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = vault.post("kv/app", b"hunter2", headers=form)
    assert answer.status == 400
    assert "hunter2" not in answer.errors[0] + vault.device.text
    assert vault.post("kv/app", b"password=hunter2", headers=form).status == 204
    assert vault.post("kv/app", b'{"password": "hunter2"}', headers=form).status == 204


@pytest.mark.parametrize("body", [b'{"a":1}{"b":2}', b'{"a":1} x', b'{"a":"\\ud800"}'])
def test_what_is_not_one_whole_json_value_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="failed to decode JSON input"):
        decode_untrusted(body)


def test_a_tree_is_listed_folder_by_folder(vault: Vault) -> None:
    assert vault.call("SCAN", "secret/metadata").status == 405
    assert vault.get("secret/metadata?scan=true").status == 400
