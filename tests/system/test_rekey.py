"""New key shares for old ones, in both spellings, with and without proof that they arrived."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kit import CONFIGURATION, Vault
from tests.processes import Result

SPELLINGS = ["rekey", "rotate/root"]
OPEN = CONFIGURATION.replace("tls_disable = true", "tls_disable = true\n disable_unauthed_rekey_endpoints = false")


@pytest.fixture
def vault() -> Vault:
    """A vault of three shares, two of which are needed."""
    return Vault(shares=3, threshold=2)


def members(result: Result) -> dict[str, Any]:
    assert result.status == 200, result
    assert result.body is not None
    return result.body.get("data") or result.body


def start(vault: Vault, spelling: str = "rekey", **body: Any) -> str:
    return str(
        members(vault.call("PUT", f"sys/{spelling}/init", {"secret_shares": 2, "secret_threshold": 2, **body}))["nonce"]
    )


def agree(vault: Vault, nonce: str, spelling: str = "rekey") -> dict[str, Any]:
    answers = [
        members(vault.call("PUT", f"sys/{spelling}/update", {"key": key, "nonce": nonce})) for key in vault.shares[:2]
    ]
    assert answers[0]["progress"] == 1
    return answers[1]


def opens(vault: Vault, shares: list[str]) -> bool:
    """Whether these shares open the vault after a seal. It is left open either way."""
    good = vault.shares
    vault.post("sys/seal")
    for share in shares:
        vault.call("PUT", "sys/unseal", {"key": share}, token=None)
    is_open = vault.node.unsealed is not None
    if not is_open:
        vault.call("PUT", "sys/unseal", {"reset": True}, token=None)
        for share in good:
            vault.call("PUT", "sys/unseal", {"key": share}, token=None)
    return is_open


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_enough_old_shares_give_new_ones_and_the_old_ones_open_nothing_any_more(vault: Vault, spelling: str) -> None:
    vault.mount("kv")
    vault.post("kv/a", {"k": "v"})
    made = agree(vault, start(vault, spelling), spelling)
    assert (made["complete"], len(made["keys"]), len(made["keys_base64"])) == (True, 2, 2)
    assert made["verification_required"] is False
    old = vault.shares
    vault.shares = made["keys"]
    assert not opens(vault, old[:2])
    assert opens(vault, made["keys"])
    assert vault.get("kv/a").data == {"k": "v"}
    assert not any(key in vault.device.text for key in made["keys"])


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_with_verification_the_old_shares_hold_until_the_new_ones_came_back(vault: Vault, spelling: str) -> None:
    made = agree(vault, start(vault, spelling, require_verification=True), spelling)
    assert made["verification_required"] is True
    nonce = made["verification_nonce"]
    status = members(vault.get(f"sys/{spelling}/verify"))
    assert (status["nonce"], status["progress"], status["t"], status["n"]) == (nonce, 0, 2, 2)
    first = members(vault.call("PUT", f"sys/{spelling}/verify", {"key": made["keys"][0], "nonce": nonce}))
    assert first["progress"] == 1
    last = members(vault.call("PUT", f"sys/{spelling}/verify", {"key": made["keys"][1], "nonce": nonce}))
    assert last["complete"] is True
    old = vault.shares
    vault.shares = made["keys"]
    assert not opens(vault, old[:2])
    assert opens(vault, made["keys"])


def test_a_verification_that_never_ends_leaves_the_old_shares(vault: Vault) -> None:
    made = agree(vault, start(vault, require_verification=True))
    assert opens(vault, vault.shares[:2])
    assert members(vault.get("sys/rekey/init"))["started"] is False, "a seal drops the attempt"
    assert (
        vault.call("PUT", "sys/rekey/verify", {"key": made["keys"][0], "nonce": made["verification_nonce"]}).status
        == 400
    )


def test_a_verification_can_begin_again(vault: Vault) -> None:
    made = agree(vault, start(vault, require_verification=True))
    vault.call("PUT", "sys/rekey/verify", {"key": made["keys"][0], "nonce": made["verification_nonce"]})
    again = vault.delete("sys/rekey/verify")
    assert again.status in (200, 204)
    status = members(vault.get("sys/rekey/verify"))
    assert status["progress"] == 0


def test_a_change_of_shares_is_shown_once_at_a_time_and_can_be_given_up(vault: Vault) -> None:
    assert members(vault.get("sys/rekey/init"))["started"] is False
    nonce = start(vault)
    status = members(vault.get("sys/rekey/init"))
    assert (status["started"], status["nonce"], status["t"], status["n"], status["required"]) == (True, nonce, 2, 2, 2)
    assert vault.call("PUT", "sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1}).status == 400
    assert vault.delete("sys/rekey/init").status == 204
    refused = vault.call("PUT", "sys/rekey/update", {"key": vault.shares[0], "nonce": nonce})
    assert refused.errors == ["no rekey in progress"]
    assert opens(vault, vault.shares[:2])


@pytest.mark.parametrize(
    "body",
    [
        {"secret_shares": 1, "secret_threshold": 2},
        {"secret_shares": 0, "secret_threshold": 0},
        {"secret_shares": 256, "secret_threshold": 2},
        {"secret_shares": "x"},
        {"pgp_keys": ["k"], "secret_shares": 1, "secret_threshold": 1},
        {"backup": True, "secret_shares": 1, "secret_threshold": 1},
    ],
    ids=str,
)
def test_a_change_that_makes_no_sense_is_not_begun(vault: Vault, body: dict[str, Any]) -> None:
    assert vault.call("PUT", "sys/rekey/init", body).status == 400
    assert members(vault.get("sys/rekey/init"))["started"] is False


def test_wrong_shares_change_nothing(vault: Vault) -> None:
    nonce = start(vault)
    assert vault.call("PUT", "sys/rekey/update", {"key": vault.shares[0], "nonce": "other"}).status == 400
    assert vault.call("PUT", "sys/rekey/update", {"key": "", "nonce": nonce}).status == 400
    members(vault.call("PUT", "sys/rekey/update", {"key": vault.shares[0], "nonce": nonce}))
    forged = "00" * 32 + vault.shares[1][-2:]
    assert vault.call("PUT", "sys/rekey/update", {"key": forged, "nonce": nonce}).status == 400
    assert opens(vault, vault.shares[:2])


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_without_a_token_nobody_takes_part_or_gets_in_the_way(vault: Vault, spelling: str) -> None:
    """SECURITY row 91."""
    nonce = start(vault)
    for token in (None, vault.token_for("default")):
        for method, path in (
            ("GET", "init"),
            ("PUT", "init"),
            ("DELETE", "init"),
            ("PUT", "update"),
            ("PUT", "verify"),
        ):
            assert (
                vault.call(method, f"sys/{spelling}/{path}", {} if method == "PUT" else None, token=token).status == 403
            )
    assert agree(vault, nonce)["complete"] is True


def test_the_older_spelling_needs_no_token_where_the_configuration_says_so() -> None:
    vault = Vault(configuration=OPEN)
    begun = vault.call("PUT", "sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1}, token=None)
    assert begun.body is not None
    made = vault.call("PUT", "sys/rekey/update", {"key": vault.shares[0], "nonce": begun.body["nonce"]}, token=None)
    assert made.body is not None
    assert made.body["complete"] is True
    assert vault.call("PUT", "sys/rotate/root/init", {}, token=None).status == 403


def test_there_are_no_recovery_shares_to_change_where_people_unseal(vault: Vault) -> None:
    for spelling in ("rekey-recovery-key", "rotate/recovery"):
        assert vault.call("PUT", f"sys/{spelling}/init", {"secret_shares": 1, "secret_threshold": 1}).status == 400


def test_there_are_no_backups(vault: Vault) -> None:
    for path in ("rekey/backup", "rekey/recovery-key-backup", "rotate/root/backup", "rotate/recovery/backup"):
        assert vault.get(f"sys/{path}").errors == ["no backed-up keys found"]
        assert vault.delete(f"sys/{path}").status == 204


def test_a_change_begins_only_where_it_is_said_how_many_shares_there_shall_be(vault: Vault) -> None:
    refused = vault.post("sys/rekey/init")
    assert (refused.status, refused.errors) == (400, ["invalid seal configuration: shares must be at least one"])
    state = vault.get("sys/rekey/init").body
    assert state is not None
    assert state["started"] is False
