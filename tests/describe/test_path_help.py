"""What ``?help=1`` says, and to whom."""

from __future__ import annotations

import pytest
from tests.kit import Vault
from tests.processes import Result


def help_of(vault: Vault, path: str, token: str | None = "root") -> Result:
    return vault.get(f"{path}?help=1", token=token)


def text_of(vault: Vault, path: str) -> str:
    answer = help_of(vault, path)
    assert answer.status == 200, answer
    assert answer.body is not None
    assert set(answer.body) == {"help", "see_also", "openapi"}
    return str(answer.body["help"])


@pytest.mark.parametrize("path", ["secret/", "secret", "plain/", "cubbyhole/", "sys/", "auth/token/", "auth/approle"])
def test_help_at_the_root_of_a_mount_describes_it_and_lists_its_paths(vault: Vault, path: str) -> None:
    text = text_of(vault, path)
    assert text.startswith("## DESCRIPTION\n\n")
    assert "\n## PATHS\n" in text


def test_every_path_of_a_mount_stands_in_its_help(vault: Vault) -> None:
    text = text_of(vault, "secret/")
    for template in ("config", "data/{path...}", "metadata/{path...}", "destroy/{path...}"):
        assert f"\n    {template}\n" in text
    answer = help_of(vault, "secret/").body
    assert answer is not None
    assert "/secret/data/{path}" in answer["openapi"]["paths"]


def test_help_of_a_path_names_its_route_its_operations_and_its_fields(vault: Vault) -> None:
    text = text_of(vault, "sys/mounts/some/where/tune")
    assert "Request:        mounts/some/where/tune\n" in text
    assert "Matching Route: mounts/{path...}/tune\n" in text
    assert "\n    update\n        Change settings.\n" in text
    assert "\n    default_lease_ttl (string)\n\n        Default TTL" in text


def test_operations_of_templates_that_look_the_same_are_explained_together(vault: Vault) -> None:
    text = text_of(vault, "secret/metadata/app")
    for operation in ("read", "update", "patch", "delete", "list"):
        assert f"\n    {operation}\n" in text


def test_help_of_a_path_has_its_part_of_the_openapi_document(vault: Vault) -> None:
    answer = help_of(vault, "secret/data/app").body
    assert answer is not None
    assert list(answer["openapi"]["paths"]) == ["/data/{path}"]


def test_help_needs_no_capability_on_the_path_itself(vault: Vault) -> None:
    vault.write_policy("one", 'path "secret/data/one" { capabilities = ["read"] }')
    assert help_of(vault, "secret/config", vault.token_for("one")).status == 200


def test_a_mount_that_a_token_may_not_use_looks_like_one_that_is_not_there(vault: Vault) -> None:
    token = vault.token_for("default")
    there, nowhere = help_of(vault, "secret/data/app", token), help_of(vault, "nowhere/data/app", token)
    assert there.status == nowhere.status == 403
    assert there.errors == nowhere.errors


@pytest.mark.parametrize("path", ["sys/health", "auth/userpass/login/somebody", "secret/", "sys/"])
def test_nobody_without_a_token_gets_help(vault: Vault, path: str) -> None:
    assert help_of(vault, path, None).status == 403


def test_help_of_what_is_not_there_says_so_to_who_may_know(vault: Vault) -> None:
    assert help_of(vault, "nowhere/").status == 404
    assert help_of(vault, "auth/token/nonsense").errors == ["1 error occurred:\n\t* unsupported path\n\n"]


def test_help_of_a_slow_endpoint_does_not_wait_for_the_pool(vault: Vault) -> None:
    assert "Log in." in text_of(vault, "auth/userpass/login/somebody")


def test_help_is_audited_without_its_text(vault: Vault) -> None:
    text_of(vault, "secret/config")
    record = vault.device.records[-1]
    assert record["request"]["operation"] == "help"
    assert "DESCRIPTION" not in vault.device.text
