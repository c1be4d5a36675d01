"""What changes something, on a server of its own names: kv, secrets, auth, policies, tokens, leases, wrapping."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine


def data(line: CommandLine, *words: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(line.value(*words, "-format=json"))["data"]
    return found


def test_a_secret_goes_through_all_its_versions(quick: CommandLine) -> None:
    quick.value("kv", "put", "-mount=secret", "life", "a=1")
    quick.value("kv", "patch", "secret/life", "b=2")
    quick.value("kv", "patch", "-method=rw", "-remove-data=a", "secret/life", "c=3")
    assert data(quick, "kv", "get", "secret/life")["data"] == {"b": "2", "c": "3"}
    quick.value("kv", "delete", "secret/life")
    assert quick("kv", "get", "-field=b", "secret/life").exit_code == 2
    quick.value("kv", "undelete", "-versions=3", "secret/life")
    quick.value("kv", "destroy", "-versions=1", "secret/life")
    assert quick("kv", "rollback", "-version=1", "secret/life").exit_code == 2
    quick.value("kv", "rollback", "-version=2", "secret/life")
    assert data(quick, "kv", "get", "secret/life")["data"] == {"a": "1", "b": "2"}
    assert quick("kv", "put", "-cas=1", "secret/life", "a=2").exit_code == 2
    quick.value("kv", "put", "-cas=4", "secret/life", "a=2")
    quick.value("kv", "metadata", "put", "-custom-metadata=owner=ana", "-max-versions=9", "secret/life")
    quick.value("kv", "metadata", "patch", "-custom-metadata=team=x", "-cas-required", "secret/life")
    metadata = data(quick, "kv", "metadata", "get", "secret/life")
    assert (metadata["custom_metadata"], metadata["max_versions"]) == ({"owner": "ana", "team": "x"}, 9)
    assert metadata["cas_required"] is True
    quick.value("kv", "metadata", "patch", "-remove-custom-metadata=owner", "-cas-required=false", "secret/life")
    assert data(quick, "kv", "metadata", "get", "secret/life")["custom_metadata"] == {"team": "x"}
    quick.value("kv", "metadata", "delete", "secret/life")
    assert quick("kv", "get", "secret/life").exit_code == 2


def test_numbers_survive_a_patch_by_reading_and_writing(quick: CommandLine) -> None:
    quick.value("kv", "put", "secret/numbers", "-", stdin='{"n": 123456789, "f": 0.5}')
    quick.value("kv", "patch", "-method=rw", "secret/numbers", "x=y")
    assert data(quick, "kv", "get", "secret/numbers")["data"] == {"n": 123456789, "f": 0.5, "x": "y"}


def test_a_store_is_mounted_tuned_moved_upgraded_and_removed(quick: CommandLine) -> None:
    quick.value("secrets", "enable", "-path=store", "-version=1", "-description=mine", "kv")
    quick.value("kv", "put", "store/a", "x=1")
    quick.value("secrets", "tune", "-default-lease-ttl=1h", "-description=ours", "store/")
    moved = quick.value("secrets", "move", "store", "moved")
    assert "Success! Finished moving secrets engine store/ to moved/" in moved
    mounts = json.loads(quick.value("secrets", "list", "-format=json"))
    assert mounts["moved/"]["description"] == "ours"
    assert mounts["moved/"]["config"]["default_lease_ttl"] == 3600
    quick.value("kv", "enable-versioning", "moved")
    quick.value("secrets", "disable", "moved")
    assert "moved/" not in json.loads(quick.value("secrets", "list", "-format=json"))


def test_an_auth_method_is_enabled_tuned_moved_and_removed(quick: CommandLine) -> None:
    quick.value("auth", "enable", "-path=people", "-token-type=batch", "userpass")
    quick.value("auth", "tune", "-max-lease-ttl=2h", "people")
    assert json.loads(quick.value("auth", "list", "-format=json"))["people/"]["config"]["max_lease_ttl"] == 7200
    quick.value("auth", "move", "auth/people", "auth/persons")
    assert quick.value("auth", "help", "persons").startswith("Usage: strongroom login -method=userpass")
    quick.value("auth", "disable", "persons")
    assert quick("auth", "help", "persons").exit_code == 1


def test_a_policy_is_written_read_formatted_and_deleted(quick: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "app.hcl"
    file.write_text('path "secret/data/app" { capabilities=["read"] }')
    quick.value("policy", "fmt", str(file))
    assert file.read_text() == 'path "secret/data/app" {\n  capabilities = ["read"]\n}\n'
    quick.value("policy", "write", "app", str(file))
    quick.value("policy", "write", "piped", "-", stdin=file.read_text())
    assert quick.value("policy", "read", "app") == file.read_text().strip()
    assert {"app", "piped"} <= set(quick.value("policy", "list").splitlines())
    quick.value("policy", "delete", "app")
    assert quick("policy", "read", "app").exit_code == 2
    file.write_text("path {")
    assert quick("policy", "fmt", str(file)).exit_code == 1
    assert quick("policy", "write", "empty", "-", stdin=" \n").exit_code == 1


def test_a_token_is_created_looked_up_renewed_and_revoked(quick: CommandLine) -> None:
    made = json.loads(quick.value("token", "create", "-policy=default", "-ttl=1h", "-format=json"))["auth"]
    token, accessor = made["client_token"], made["accessor"]
    assert data(quick, "token", "lookup", token)["accessor"] == accessor
    assert json.loads(quick("token", "lookup", "-format=json", "-", stdin=token).out)["data"]["id"] == token
    assert data(quick, "token", "lookup", "-accessor", accessor)["id"] == ""
    assert "token_duration       2h" in quick.value("token", "renew", "-increment=2h", token)
    quick.value("token", "renew", "-accessor", accessor)
    assert quick.value("token", "capabilities", token, "sys/nothing") == "deny"
    assert quick.value("token", "capabilities", "-accessor", accessor, "auth/token/lookup-self") == "read"
    assert quick("token", "renew", VAULT_TOKEN=token).exit_code == 0
    assert quick("token", "revoke", "-self", VAULT_TOKEN=token).exit_code == 0
    assert quick("token", "lookup", token).exit_code == 2


def test_a_wrapped_answer_opens_once(quick: CommandLine) -> None:
    quick.value("kv", "put", "secret/wrapped", "a=1")
    wrapping = quick.value("kv", "get", "-wrap-ttl=60s", "-format=json", "secret/wrapped")
    token = json.loads(wrapping)["wrap_info"]["token"]
    assert json.loads(quick("unwrap", "-format=json", "-", stdin=token).out)["data"]["data"] == {"a": "1"}
    assert quick("unwrap", token).exit_code == 2
    token = json.loads(quick.value("read", "-wrap-ttl=1m", "-format=json", "secret/data/wrapped"))["wrap_info"]["token"]
    assert quick("unwrap", "-format=json", VAULT_TOKEN=token).exit_code == 0


def test_a_request_can_be_shown_as_curl_without_token_or_value_in_its_arguments(quick: CommandLine) -> None:
    shown = quick.value("kv", "put", "-output-curl-string", "secret/curl", "password=it's")
    command, _, document = shown.partition("\n")
    assert command.endswith(f"{quick.environ['VAULT_ADDR']}/v1/secret/data/curl <<'JSON'")
    assert '-H "X-Vault-Token: $VAULT_TOKEN"' in command
    assert "root" not in command
    assert json.loads(document.removesuffix("\nJSON"))["data"] == {"password": "it's"}
    assert quick("kv", "get", "secret/curl").exit_code == 2


@pytest.mark.parametrize("words", [["kv", "get", "secret/x"], ["status"], ["token", "lookup"], ["read", "x"]])
def test_settings_that_make_no_sense_are_a_local_error(quick: CommandLine, words: list[str]) -> None:
    done = quick(*words, VAULT_ADDR="CANARY")
    assert (done.exit_code, done.out) == (1, "")
    assert "CANARY" not in done.err


def test_our_own_headers_go_out_and_vaults_are_refused(quick: CommandLine) -> None:
    assert quick("status", "-header=X-Team=a").exit_code == 0
    assert "X-Vault-" in quick("status", "-header=X-Vault-Token=CANARY").err


def test_the_format_can_stand_in_the_environment(quick: CommandLine) -> None:
    assert json.loads(quick("status", STRONGROOM_FORMAT="json", VAULT_FORMAT="yaml").out)["sealed"] is False


def test_a_missing_server_installation_is_explained(quick: CommandLine) -> None:
    assert quick("server").err == "Must specify at least one config path using -config\n"


def test_the_version_is_printed(quick: CommandLine) -> None:
    assert quick.value("version").startswith("Strongroom v")


def test_an_operator_sees_who_still_runs_an_old_version(quick: CommandLine) -> None:
    quick.value("kv", "put", "secret/rotated", "a=1")
    quick.value("kv", "put", "secret/rotated", "a=2")
    for name, version in (("lagging", 1), ("current", 2)):
        quick.value(
            "write", f"sys/consumers/{name}", "kind=agent", "host=node", f"secrets=secret/data/rotated@{version}"
        )
    listed = quick.value("consumer", "list", "-secret=secret/rotated").splitlines()
    assert [line.split()[0] for line in listed[2:]] == ["current", "lagging"]
    lagging = json.loads(quick.value("consumer", "list", "-secret=secret/rotated", "-older-than=2", "-format=json"))
    assert [one["versions"] for one in lagging["lagging"]["consumers"]] == [[1]]
    assert list(lagging) == ["lagging"]
    assert "secret/data/rotated    1" in quick.value("consumer", "read", "lagging")
    assert {"current", "lagging"} <= {line.split()[0] for line in quick.value("consumer", "list").splitlines()}
    quick.value("consumer", "delete", "lagging")
    assert quick("consumer", "read", "lagging").exit_code == 2
    assert quick("consumer", "list", "-older-than=2").exit_code == 1
    assert quick("consumer", "list", "-secret=secret/rotated", "-older-than=2").exit_code == 2
