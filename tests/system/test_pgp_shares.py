"""Shares and root tokens that leave encrypted to their keepers, over the API."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.kit import Vault
from tests.pgp import Person
from tests.processes import Result

STATIC_SHARES = {"recovery_shares": 2, "recovery_threshold": 2}


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return [Person(name) for name in ("ada", "ben", "eve")]


def body_of(result: Result) -> dict[str, Any]:
    assert result.status == 200, result
    assert result.body is not None
    return result.body.get("data") or result.body


def read_all(people: list[Person], messages: list[str]) -> list[str]:
    """The shares in ``messages``, each read by its keeper."""
    return [person.read(base64.b64decode(message)).decode() for person, message in zip(people, messages, strict=True)]


def founded(people: list[Person], shares: int, threshold: int) -> tuple[Vault, dict[str, Any]]:
    vault = Vault(is_unsealed=False)
    wish = {"secret_shares": shares, "secret_threshold": threshold, "pgp_keys": [one.public for one in people]}
    return vault, body_of(vault.call("PUT", "sys/init", wish, token=None))


def test_each_share_of_a_new_vault_is_for_one_keeper_and_nowhere_in_clear(people: list[Person]) -> None:
    vault, made = founded(people, 3, 2)
    assert [base64.b64decode(key).hex() for key in made["keys_base64"]] == made["keys"]
    shares = read_all(people, made["keys_base64"])
    assert len(set(shares)) == 3
    assert [len(bytes.fromhex(share)) for share in shares] == [33] * 3
    for share in shares:
        assert share not in str(made)
        assert share not in vault.device.text
    for share in (shares[2], shares[0]):
        vault.call("PUT", "sys/unseal", {"key": share}, token=None)
    vault.root = made["root_token"]
    assert vault.get("auth/token/lookup-self").status == 200


def test_a_single_keeper_gets_the_single_share(people: list[Person]) -> None:
    vault, made = founded(people[:1], 1, 1)
    (share,) = read_all(people[:1], made["keys_base64"])
    assert body_of(vault.call("PUT", "sys/unseal", {"key": share}, token=None))["sealed"] is False


def test_the_root_token_can_leave_encrypted_too(people: list[Person]) -> None:
    vault = Vault(is_unsealed=False)
    wish = {"secret_shares": 1, "secret_threshold": 1, "root_token_pgp_key": people[1].public}
    made = body_of(vault.call("PUT", "sys/init", wish, token=None))
    vault.shares = made["keys"]
    vault.unseal()
    vault.root = people[1].read(base64.b64decode(made["root_token"])).decode()
    assert vault.get("auth/token/lookup-self").data["policies"] == ["root"]


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"pgp_keys": 1}, "incorrect number of PGP keys"),
        ({"pgp_keys": ["keybase:ada"] * 2}, "Keybase"),
        ({"pgp_keys": ["aGVsbG8="] * 2}, "PGP key 1 of 2 is not one OpenPGP certificate"),
        ({"root_token_pgp_key": "aGVsbG8="}, "the PGP key is not one OpenPGP certificate"),
        ({"recovery_pgp_keys": 2}, "parameters recovery_pgp_keys not applicable to seal type shamir"),
    ],
    ids=str,
)
def test_what_cannot_be_encrypted_makes_no_vault(people: list[Person], wish: dict[str, Any], complaint: str) -> None:
    vault = Vault(is_unsealed=False)
    keys = {
        name: [one.public for one in people[:value]] if isinstance(value, int) else value
        for name, value in wish.items()
    }
    result = vault.call("PUT", "sys/init", {"secret_shares": 2, "secret_threshold": 2, **keys}, token=None)
    assert result.status == 400
    assert complaint in result.errors[0]
    assert vault.failures == []
    assert vault.get("sys/init", token=None).body == {"initialized": False}


def begin(vault: Vault, path: str, people: list[Person], **more: Any) -> dict[str, Any]:
    count = len(people)
    wish = {"secret_shares": count, "secret_threshold": min(2, count), "pgp_keys": [one.public for one in people]}
    return body_of(vault.call("PUT", f"sys/{path}/init", {**wish, **more}))


@pytest.mark.parametrize("path", ["rekey", "rotate/root"])
def test_new_shares_are_for_their_keepers_and_a_backup_keeps_what_they_read(people: list[Person], path: str) -> None:
    vault = Vault()
    begun = begin(vault, path, people, backup=True)
    assert begun["pgp_fingerprints"] == [one.fingerprint for one in people]
    assert begun["backup"] is True
    done = body_of(vault.call("PUT", f"sys/{path}/update", {"key": vault.shares[0], "nonce": begun["nonce"]}))
    assert done["pgp_fingerprints"] == begun["pgp_fingerprints"]
    assert (done["complete"], done["backup"]) == (True, True)
    shares = read_all(people, done["keys_base64"])
    backup = "rekey/backup" if path == "rekey" else "rotate/root/backup"
    kept = body_of(vault.get(f"sys/{backup}"))
    assert kept["nonce"] == begun["nonce"]
    assert kept["keys_base64"] == {
        one.fingerprint: [message] for one, message in zip(people, done["keys_base64"], strict=True)
    }
    assert kept["keys"] == {one.fingerprint: [message] for one, message in zip(people, done["keys"], strict=True)}
    vault.node.seal()
    vault.shares = shares[1:]
    vault.unseal()
    assert vault.get("auth/token/lookup-self").status == 200
    for share in shares:
        assert share not in vault.device.text
    assert vault.delete(f"sys/{backup}").status == 204
    assert vault.get(f"sys/{backup}").errors == ["no backed-up keys found"]
    assert vault.delete(f"sys/{backup}").status == 204


def test_a_backup_holds_two_messages_for_a_keeper_of_two_shares(people: list[Person]) -> None:
    vault = Vault()
    begun = begin(vault, "rekey", [people[0], people[0]], backup=True)
    done = body_of(vault.call("PUT", "sys/rekey/update", {"key": vault.shares[0], "nonce": begun["nonce"]}))
    assert body_of(vault.get("sys/rekey/backup"))["keys"] == {people[0].fingerprint: done["keys"]}


def test_shares_for_keepers_can_be_verified_by_them(people: list[Person]) -> None:
    vault = Vault()
    begun = begin(vault, "rekey", people, require_verification=True)
    done = body_of(vault.call("PUT", "sys/rekey/update", {"key": vault.shares[0], "nonce": begun["nonce"]}))
    for share in read_all(people, done["keys_base64"])[:2]:
        last = vault.call("PUT", "sys/rekey/verify", {"key": share, "nonce": done["verification_nonce"]})
    assert body_of(last)["complete"] is True


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"backup": True}, "cannot request a backup of the new keys without providing PGP keys"),
        ({"pgp_keys": ["aGVsbG8="]}, "incorrect number of PGP keys for rekey"),
        ({"pgp_keys": ["aGVsbG8=", "aGVsbG8="]}, "PGP key 1 of 2 is not one OpenPGP certificate"),
    ],
    ids=str,
)
def test_a_rekey_that_cannot_be_encrypted_does_not_begin(wish: dict[str, Any], complaint: str) -> None:
    vault = Vault()
    result = vault.call("PUT", "sys/rekey/init", {"secret_shares": 2, "secret_threshold": 2, **wish})
    assert result.status == 400
    assert complaint in result.errors[0]
    assert body_of(vault.get("sys/rekey/init"))["started"] is False


def test_recovery_shares_are_for_their_keepers_and_have_a_backup_of_their_own(
    people: list[Person], static_vault: Vault
) -> None:
    vault, two = static_vault, people[:2]
    keys = [one.public for one in two]
    refused = vault.call("PUT", "sys/init", {**STATIC_SHARES, "pgp_keys": keys}, token=None)
    assert refused.errors == ["parameters pgp_keys not applicable to seal type static"]
    made = body_of(vault.call("PUT", "sys/init", {**STATIC_SHARES, "recovery_pgp_keys": keys}, token=None))
    shares = read_all(two, made["recovery_keys_base64"])
    assert made["keys"] == []
    vault.root = made["root_token"]
    begun = begin(vault, "rekey-recovery-key", people, backup=True)
    for share in shares:
        done = body_of(vault.call("PUT", "sys/rekey-recovery-key/update", {"key": share, "nonce": begun["nonce"]}))
    assert len(read_all(people, done["keys_base64"])) == 3
    assert len(body_of(vault.get("sys/rekey/recovery-key-backup"))["keys"]) == 3
    assert vault.get("sys/rekey/backup").status == 400


@pytest.mark.parametrize("path", ["generate-root", "generate-root-token"])
def test_a_generated_root_token_leaves_encrypted(people: list[Person], path: str) -> None:
    vault = Vault()
    begun = body_of(vault.call("PUT", f"sys/{path}/attempt", {"pgp_key": people[2].public}))
    assert (begun["pgp_fingerprint"], begun["otp"]) == (people[2].fingerprint, "")
    done = body_of(vault.call("PUT", f"sys/{path}/update", {"key": vault.shares[0], "nonce": begun["nonce"]}))
    assert done["pgp_fingerprint"] == people[2].fingerprint
    token = people[2].read(base64.b64decode(done["encoded_token"])).decode()
    assert vault.get("auth/token/lookup-self", token=token).data["policies"] == ["root"]
    assert token not in vault.device.text


def test_a_generated_root_token_leaves_in_one_form(people: list[Person]) -> None:
    vault = Vault()
    both = vault.call("PUT", "sys/generate-root/attempt", {"pgp_key": people[0].public, "otp": "A" * 28})
    assert both.errors == ["give an otp or a pgp_key, and not both: the token leaves in one form"]
    bad = vault.call("PUT", "sys/generate-root/attempt", {"pgp_key": people[0].revoked()})
    assert "is revoked" in bad.errors[0]
    assert body_of(vault.get("sys/generate-root/attempt"))["started"] is False
