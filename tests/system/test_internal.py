"""What clients ask before they ask: which mount lies under a path."""

from __future__ import annotations

import pytest
from tests.kit import Vault


@pytest.fixture
def reader(vault: Vault) -> str:
    """A token that may read one secret of ``kv/`` and nothing of ``other/``."""
    vault.mount("kv", options={"version": "2"}, description="d")
    vault.mount("other")
    vault.mount("team/long/kv", options={"version": "1"})
    vault.post("sys/auth/userpass", {"type": "userpass"})
    vault.write_policy("reader", 'path "kv/data/one/secret" { capabilities = ["read"] }')
    return vault.token_for("reader", no_default_policy=True)


@pytest.mark.parametrize("path", ["kv", "kv/", "kv/data/one/secret", "kv/anything", "kv/metadata/x/"])
def test_any_access_below_a_mount_shows_the_mount(vault: Vault, reader: str, path: str) -> None:
    data = vault.get(f"sys/internal/ui/mounts/{path}", token=reader).data
    assert (data["path"], data["type"], data["options"]) == ("kv/", "kv", {"version": "2"})
    assert {"accessor", "uuid", "config", "description"} <= set(data)


@pytest.mark.usefixtures("reader")
def test_the_version_is_a_text_and_options_are_null_where_there_are_none(vault: Vault) -> None:
    assert vault.get("sys/internal/ui/mounts/other/a").data["options"] is None
    assert vault.get("sys/internal/ui/mounts/team/long/kv/a").data["options"] == {"version": "1"}


def test_the_path_of_a_method_is_said_as_its_own_list_says_it(vault: Vault) -> None:
    assert vault.get("sys/internal/ui/mounts/auth/token/lookup").data["path"] == "token/"


@pytest.mark.parametrize(
    "path",
    [
        "other",
        "other/a",
        "other/a/b/c",
        "team/long/kv/a",
        "team/long/kv",
        "nosuch",
        "nosuch/a/b",
        "team",
        "cubbyhole/a",
    ],
)
def test_no_access_and_no_mount_are_the_same_answer_up_to_the_path_that_was_asked(
    vault: Vault, reader: str, path: str
) -> None:
    result = vault.get(f"sys/internal/ui/mounts/{path}", token=reader)
    assert result.status == 403
    assert result.errors == [
        f'preflight capability check returned 403, please ensure client\'s policies grant access to path "{path}/"'
    ]


@pytest.mark.usefixtures("reader")
def test_a_stranger_asks_in_vain(vault: Vault) -> None:
    for path in ("kv/a", "nosuch/a"):
        for token in (None, "nonsense"):
            result = vault.get(f"sys/internal/ui/mounts/{path}", token=token)
            assert (result.status, result.errors) == (403, ["permission denied"])


def test_the_visible_mounts_are_those_with_some_access(vault: Vault, reader: str) -> None:
    data = vault.get("sys/internal/ui/mounts", token=reader).data
    assert (list(data["secret"]), list(data["auth"])) == (["kv/"], [])
    assert data["secret"]["kv/"]["options"] == {"version": "2"}
    everything = vault.get("sys/internal/ui/mounts").data
    assert sorted(everything["secret"]) == ["cubbyhole/", "kv/", "other/", "sys/", "team/long/kv/"]
    assert sorted(everything["auth"]) == ["token/", "userpass/"]


def test_without_a_good_token_only_what_is_shown_to_anybody_is_listed(vault: Vault, reader: str) -> None:
    assert vault.get("sys/internal/ui/mounts", token=None).data == {"auth": {}, "secret": {}}
    assert vault.get("sys/internal/ui/mounts", token="nonsense").data == {"auth": {}, "secret": {}}
    vault.post("auth/token/roles/r", {"token_bound_cidrs": "10.0.0.0/8"})
    bound = vault.post("auth/token/create/r", {}).auth["client_token"]
    assert vault.get("sys/internal/ui/mounts", token=bound).data == {"auth": {}, "secret": {}}
    assert vault.get("sys/internal/ui/mounts", token=bound, address="10.1.1.1").data["secret"] != {}
    vault.post("auth/token/revoke", {"token": reader})
    assert vault.get("sys/internal/ui/mounts", token=reader).data == {"auth": {}, "secret": {}}


def test_the_document_of_the_api_shows_the_mounts_that_the_token_may_see(vault: Vault, reader: str) -> None:
    paths = (vault.get("sys/internal/specs/openapi", token=reader).body or {})["paths"]
    assert any(path.startswith("/kv/") for path in paths)
    assert not any(path.startswith(("/other/", "/sys/", "/team/")) for path in paths)
    assert vault.get("sys/internal/specs/openapi", token=None).status == 403


def test_a_user_interface_learns_whether_the_token_is_root(vault: Vault, reader: str) -> None:
    assert vault.get("sys/internal/ui/resultant-acl").data["root"] is True
    assert vault.get("sys/internal/ui/resultant-acl", token=reader).data["root"] is False
    assert vault.get("sys/internal/ui/resultant-acl", token=None).status == 403


def test_a_user_interface_learns_what_all_policies_of_a_token_come_to(vault: Vault) -> None:
    vault.write_policy(
        "one",
        """
        path "a/*"   { capabilities = ["read", "list"] }
        path "b"     { capabilities = ["deny"] }
        path "c/+/d" { capabilities = ["read"] }
        path "f/*"   { capabilities = [] }
        path "e" {
            capabilities = ["update"]
            allowed_parameters = { "x" = ["1", "2"], "*" = [] }
            denied_parameters = { "y" = [] }
            required_parameters = ["x"]
            min_wrapping_ttl = "1s"
            max_wrapping_ttl = "90s"
        }
        """,
    )
    vault.write_policy("two", 'path "a/*" { capabilities = ["create", "sudo"] }')
    token = vault.token_for("one", "two", no_default_policy=True)
    # As OpenBao 2.7.2 answers.
    assert vault.get("sys/internal/ui/resultant-acl", token=token).data == {
        "root": False,
        "exact_paths": {
            "b": {"capabilities": ["deny"]},
            "e": {
                "capabilities": ["update"],
                "allowed_parameters": {"*": [], "x": ["1", "2"]},
                "denied_parameters": {"y": []},
                "required_parameters": ["x"],
                "min_wrapping_ttl": 1,
                "max_wrapping_ttl": 90,
            },
        },
        "glob_paths": {
            "a/": {"capabilities": ["create", "list", "read", "sudo"]},
            "f/": {"capabilities": ["deny"]},
        },
    }
    assert vault.get("sys/internal/ui/resultant-acl").data == {"root": True}


def test_there_is_one_namespace(vault: Vault) -> None:
    assert vault.get("sys/internal/ui/namespaces").data == {"keys": [""]}
