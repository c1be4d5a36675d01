"""How a vault begins, opens and closes, over the API."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.kit import Vault

from strongroom import failpoints


def new_vault() -> Vault:
    return Vault(is_unsealed=False)


def initialize(vault: Vault, shares: int = 3, threshold: int = 2) -> dict[str, Any]:
    result = vault.call("PUT", "sys/init", {"secret_shares": shares, "secret_threshold": threshold}, token=None)
    assert result.status == 200, result
    assert result.body is not None
    vault.root = result.body["root_token"]
    vault.shares = result.body["keys"]
    return result.body


def unseal(vault: Vault, key: str) -> dict[str, Any]:
    result = vault.call("PUT", "sys/unseal", {"key": key}, token=None)
    assert result.status == 200, result
    assert result.body is not None
    return result.body


def status(vault: Vault) -> dict[str, Any]:
    body = vault.get("sys/seal-status", token=None).body
    assert body is not None
    return body


def test_a_new_vault_says_that_it_is_not_initialized() -> None:
    vault = new_vault()
    assert vault.get("sys/init", token=None).body == {"initialized": False}
    assert {"initialized": False, "sealed": True, "t": 0, "n": 0, "progress": 0}.items() <= status(vault).items()


def test_initialization_gives_shares_in_both_spellings_and_a_root_token_once() -> None:
    vault = new_vault()
    made = initialize(vault, 5, 3)
    assert set(made) == {"keys", "keys_base64", "root_token"}
    assert [base64.b64decode(key).hex() for key in made["keys_base64"]] == made["keys"]
    assert len(set(made["keys"])) == 5
    assert len(made["root_token"]) == 28
    again = vault.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=None)
    assert (again.status, again.errors) == (400, ["Vault is already initialized"])


@pytest.mark.parametrize(
    "body",
    [
        {"secret_shares": 0, "secret_threshold": 0},
        {"secret_shares": 2, "secret_threshold": 3},
        {"secret_shares": 256, "secret_threshold": 3},
        {"secret_shares": 3, "secret_threshold": 1},
        {"secret_shares": -1, "secret_threshold": 1},
        {"secret_shares": "many"},
        {"pgp_keys": ["key"], "secret_shares": 1, "secret_threshold": 1},
        {"root_token_pgp_key": "key", "secret_shares": 1, "secret_threshold": 1},
    ],
    ids=str,
)
def test_an_initialization_that_makes_no_sense_is_refused_and_nothing_is_made(body: dict[str, Any]) -> None:
    vault = new_vault()
    assert vault.call("PUT", "sys/init", body, token=None).status == 400
    assert vault.get("sys/init", token=None).body == {"initialized": False}


def test_nulls_and_zeros_for_what_is_not_set_are_taken_as_the_command_line_sends_them() -> None:
    vault = new_vault()
    body = {
        "secret_shares": 1,
        "secret_threshold": 1,
        "stored_shares": None,
        "pgp_keys": None,
        "recovery_shares": 0,
        "recovery_threshold": 0,
        "recovery_pgp_keys": None,
        "root_token_pgp_key": "",
    }
    assert vault.call("PUT", "sys/init", body, token=None).status == 200


def test_enough_shares_open_the_vault_in_any_order_and_spelling() -> None:
    vault = new_vault()
    made = initialize(vault)
    first = unseal(vault, made["keys_base64"][2])
    assert (first["sealed"], first["progress"], first["t"], first["n"]) == (True, 1, 2, 3)
    assert first["nonce"]
    second = unseal(vault, made["keys"][0])
    assert (second["sealed"], second["progress"], second["nonce"]) == (False, 0, "")
    assert second["cluster_id"]
    assert vault.get("sys/mounts").status == 200
    assert unseal(vault, made["keys"][0])["sealed"] is False


def test_the_same_share_twice_counts_once() -> None:
    vault = new_vault()
    made = initialize(vault)
    assert unseal(vault, made["keys"][0])["progress"] == 1
    assert unseal(vault, made["keys"][0])["progress"] == 1


def test_shares_that_were_given_can_be_forgotten() -> None:
    vault = new_vault()
    made = initialize(vault)
    unseal(vault, made["keys"][0])
    reset = vault.call("PUT", "sys/unseal", {"reset": True}, token=None)
    assert reset.body is not None
    assert (reset.body["progress"], reset.body["nonce"]) == (0, "")


@pytest.mark.parametrize("key", ["zz", "not base64!", "", "00", "ff" * 5000], ids=lambda key: key[:8])
def test_what_is_no_share_is_refused_without_being_quoted(key: str) -> None:
    vault = new_vault()
    initialize(vault)
    result = vault.call("PUT", "sys/unseal", {"key": key}, token=None)
    assert result.status == 400
    assert key == "" or key not in str(result.errors)
    assert status(vault)["progress"] == 0


def test_wrong_shares_do_not_open_the_vault_and_the_right_ones_still_do() -> None:
    vault, other = new_vault(), Vault(is_unsealed=False)
    made = initialize(vault)
    other.entropy.bytes(1)
    foreign = initialize(other)["keys"]
    unseal(vault, made["keys"][0])
    result = vault.call("PUT", "sys/unseal", {"key": foreign[1]}, token=None)
    assert result.status == 400
    assert status(vault)["sealed"] is True
    assert status(vault)["progress"] == 0
    unseal(vault, made["keys"][0])
    assert unseal(vault, made["keys"][1])["sealed"] is False


def test_sealing_needs_sudo_and_closes_everything_at_once(vault: Vault) -> None:
    vault.write_policy("weak", 'path "sys/seal" { capabilities = ["update"] }')
    assert vault.post("sys/seal", token=vault.token_for("weak")).status == 403
    assert vault.post("sys/seal", token=None).status == 403
    assert vault.post("sys/seal").status == 204
    assert vault.node.unsealed is None
    assert vault.get("auth/token/lookup-self").errors == ["Vault is sealed"]


def test_data_tokens_and_policies_are_there_again_after_a_seal(vault: Vault) -> None:
    vault.mount("kv")
    vault.post("kv/a", {"k": "v"})
    vault.write_policy("reader", 'path "kv/*" { capabilities = ["read"] }')
    token = vault.token_for("reader")
    revoked = vault.token_for("reader")
    vault.post("auth/token/revoke", {"token": revoked})
    vault.post("sys/seal")
    vault.unseal()
    assert vault.get("kv/a", token=token).data == {"k": "v"}
    assert vault.get("kv/a", token=revoked).status == 403


def test_sealing_and_every_refused_seal_are_written_down(vault: Vault) -> None:
    vault.device.written.clear()
    vault.post("sys/seal", token="nonsense")
    vault.post("sys/seal")
    assert [(record["type"], record["request"]["path"]) for record in vault.device.records] == [
        ("request", "sys/seal"),
        ("response", "sys/seal"),
    ] * 2


def test_stepping_down_changes_nothing_on_one_node(vault: Vault) -> None:
    assert vault.post("sys/step-down").status == 204
    assert vault.get("sys/mounts").status == 200


def test_the_first_root_token_and_the_shares_never_stand_in_the_audit_log() -> None:
    vault = new_vault()
    made = initialize(vault)
    unseal(vault, made["keys"][0])
    unseal(vault, made["keys"][1])
    for value in (*made["keys"], *made["keys_base64"], made["root_token"]):
        assert value not in vault.device.text
    assert [record["request"]["path"] for record in vault.device.records if record["type"] == "response"] == [
        "sys/init",
        "sys/unseal",
        "sys/unseal",
    ]


# A vault exists once its shares may leave


def break_the_audit_before_the_answer(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_it() -> None:
        vault.device.is_broken = True

    monkeypatch.setattr(failpoints, "_armed", {"before_audit_response": break_it})


def test_an_initialization_whose_answer_cannot_be_recorded_made_no_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = new_vault()
    with monkeypatch.context() as patched:
        break_the_audit_before_the_answer(vault, patched)
        lost = vault.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=None)
    assert lost.status == 500
    assert vault.get("sys/init", token=None).body == {"initialized": False}
    vault.device.is_broken = False
    initialize(vault, 1, 1)
    vault.unseal()
    assert vault.get("auth/token/lookup-self").status == 200
    assert vault.failures == []


def test_the_same_with_a_seal_that_unseals_by_itself(static_vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = static_vault
    with monkeypatch.context() as patched:
        break_the_audit_before_the_answer(vault, patched)
        assert vault.call("PUT", "sys/init", {}, token=None).status == 500
    assert vault.node.unsealed is None
    assert vault.get("sys/init", token=None).body == {"initialized": False}
    vault.device.is_broken = False
    made = vault.call("PUT", "sys/init", {}, token=None)
    assert made.body is not None
    assert len(made.body["recovery_keys"]) == 5
    vault.root = made.body["root_token"]
    assert vault.get("auth/token/lookup-self").status == 200


# Migration


def test_the_status_says_that_shares_are_wanted_for_a_migration(static_vault: Vault) -> None:
    vault = static_vault
    made = vault.call("PUT", "sys/init", {"recovery_shares": 2, "recovery_threshold": 2}, token=None)
    assert made.body is not None
    configuration = static_vault.configuration.replace('"first"', '"first"\n disabled = "true"')
    back = Vault(store=vault.store, configuration=configuration, is_unsealed=False)
    assert {"type": "shamir", "migration": True, "recovery_seal": False, "t": 2, "n": 2}.items() <= status(back).items()
    first, second = made.body["recovery_keys"]
    refused = back.call("PUT", "sys/unseal", {"key": first}, token=None)
    assert "migrate option not provided and seal migration is pending" in refused.errors[0]
    begun = back.call("PUT", "sys/unseal", {"key": first, "migrate": True}, token=None).body
    assert begun is not None
    assert (begun["progress"], begun["migration"]) == (1, True)
    done = back.call("PUT", "sys/unseal", {"key": second, "migrate": True}, token=None).body
    assert done is not None
    assert (done["sealed"], done["migration"]) == (False, False)
    back.root = made.body["root_token"]
    assert back.get("auth/token/lookup-self").status == 200
    nothing = Vault(store=vault.store, is_unsealed=False).call(
        "PUT", "sys/unseal", {"key": first, "migrate": True}, token=None
    )
    assert nothing.errors == ["can't perform a seal migration, no migration seal found"]
