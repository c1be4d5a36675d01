"""A new root token, if enough holders of shares agree."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from tests.kit import CONFIGURATION, Vault
from tests.processes import Result

from strongroom.physical.store import Conflict, Full

SPELLINGS = ["generate-root", "generate-root-token"]
OPEN = CONFIGURATION.replace(
    "tls_disable = true", "tls_disable = true\n disable_unauthed_generate_root_endpoints = false"
)


@pytest.fixture
def vault() -> Vault:
    """A vault of three shares, two of which are needed."""
    return Vault(shares=3, threshold=2)


def members(result: Result) -> dict[str, Any]:
    """The answer's members, in an envelope or bare."""
    assert result.status == 200, result
    assert result.body is not None
    return result.body.get("data") or result.body


def start(vault: Vault, spelling: str = "generate-root", **body: Any) -> dict[str, Any]:
    return members(vault.call("PUT", f"sys/{spelling}/attempt", body))


def give(vault: Vault, key: str, nonce: str, spelling: str = "generate-root") -> Result:
    return vault.call("PUT", f"sys/{spelling}/update", {"key": key, "nonce": nonce})


def from_under(pad: str, encoded: str) -> str:
    raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    return bytes(left ^ right for left, right in zip(raw, pad.encode(), strict=True)).decode()


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("pad", ["", "A" * 28])
def test_enough_shares_make_a_root_token_under_the_operators_pad(vault: Vault, spelling: str, pad: str) -> None:
    begun = start(vault, spelling, **({"otp": pad} if pad else {}))
    assert (begun["started"], begun["progress"], begun["required"], begun["otp_length"]) == (True, 0, 2, 28)
    assert len(begun["otp"]) == (0 if pad else 28)
    first = members(give(vault, vault.shares[0], begun["nonce"], spelling))
    assert (first["progress"], first["complete"], first["encoded_token"]) == (1, False, "")
    last = members(give(vault, vault.shares[2], begun["nonce"], spelling))
    assert (last["complete"], last["progress"]) == (True, 2)
    assert last["encoded_token"] == last["encoded_root_token"]
    token = from_under(pad or begun["otp"], last["encoded_token"])
    data = vault.get("auth/token/lookup-self", token=token).data
    assert (data["policies"], data["expire_time"], data["orphan"]) == (["root"], None, True)
    assert members(vault.get(f"sys/{spelling}/attempt"))["started"] is False
    assert token not in vault.device.text
    assert (pad or begun["otp"]) not in vault.device.text


def test_an_attempt_is_shown_but_its_pad_never_again(vault: Vault) -> None:
    begun = start(vault)
    shown = members(vault.get("sys/generate-root/attempt"))
    assert shown["nonce"] == begun["nonce"]
    assert shown["otp"] == ""


def test_there_is_one_attempt_at_a_time_and_it_can_be_given_up(vault: Vault) -> None:
    begun = start(vault)
    again = vault.call("PUT", "sys/generate-root/attempt", {})
    assert again.errors == ["root generation already in progress; cancel it first"]
    assert vault.delete("sys/generate-root/attempt").status == 204
    assert vault.delete("sys/generate-root/attempt").status == 204
    assert give(vault, vault.shares[0], begun["nonce"]).errors == ["no root generation in progress"]
    assert start(vault)["nonce"] != begun["nonce"]


@pytest.mark.parametrize("otp", ["short", "A" * 27, "A" * 29, "é" * 28], ids=ascii)
def test_a_pad_of_the_wrong_form_is_refused(vault: Vault, otp: str) -> None:
    result = vault.call("PUT", "sys/generate-root/attempt", {"otp": otp})
    assert result.status == 400
    assert members(vault.get("sys/generate-root/attempt"))["started"] is False


def test_wrong_shares_make_nothing_and_the_attempt_begins_anew(vault: Vault) -> None:
    begun = start(vault)
    for key in ("zz", "", "00" * 33):
        assert give(vault, key, begun["nonce"]).status in (200, 400)
    assert give(vault, vault.shares[0], "other nonce").status == 400
    vault.call("DELETE", "sys/generate-root/attempt")
    begun = start(vault)
    assert members(give(vault, vault.shares[0], begun["nonce"]))["progress"] == 1
    wrong = vault.shares[1][:-2] + vault.shares[0][-2:]
    forged = ("00" * 32) + vault.shares[1][-2:]
    assert wrong
    refused = give(vault, forged, begun["nonce"])
    assert refused.status == 400
    assert members(vault.get("sys/generate-root/attempt"))["progress"] == 0
    members(give(vault, vault.shares[0], begun["nonce"]))
    assert members(give(vault, vault.shares[1], begun["nonce"]))["complete"] is True


def test_somebody_who_is_faster_with_the_store_costs_nobody_a_share(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = start(vault)
    give(vault, vault.shares[0], begun["nonce"])
    with monkeypatch.context() as patched:
        fail_once(vault, patched, Conflict("another was faster"))
        last = members(give(vault, vault.shares[1], begun["nonce"]))
    token = from_under(begun["otp"], last["encoded_token"])
    assert vault.get("auth/token/lookup-self", token=token).data["policies"] == ["root"]
    assert members(vault.get("sys/generate-root/attempt"))["started"] is False


def test_where_no_token_can_be_stored_the_shares_can_be_given_again(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = start(vault)
    give(vault, vault.shares[0], begun["nonce"])
    with monkeypatch.context() as patched:
        fail_once(vault, patched, Full("no space"))
        assert give(vault, vault.shares[1], begun["nonce"]).status == 502
    shown = members(vault.get("sys/generate-root/attempt"))
    assert (shown["started"], shown["progress"], shown["nonce"]) == (True, 0, begun["nonce"])
    assert members(give(vault, vault.shares[1], begun["nonce"]))["complete"] is False
    assert members(give(vault, vault.shares[2], begun["nonce"]))["complete"] is True


@pytest.mark.parametrize("operation", ["generate-root/attempt", "rekey/init"])
def test_what_began_without_anybody_being_told_is_not_in_the_way(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    body = {"secret_shares": 1, "secret_threshold": 1} if operation == "rekey/init" else {}
    with monkeypatch.context() as patched:
        patched.setattr(vault.device, "write", fail_answers(vault.device.write))
        assert vault.call("PUT", f"sys/{operation}", body).status == 500
    assert members(vault.get(f"sys/{operation}"))["started"] is False


def fail_once(vault: Vault, patched: pytest.MonkeyPatch, error: Exception) -> None:
    commit = vault.store.commit

    def fail(*_: Any, **__: Any) -> None:
        patched.setattr(vault.store, "commit", commit)
        raise error

    patched.setattr(vault.store, "commit", fail)


def fail_answers(write: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def fail(lines: bytes) -> None:
        if b'"type":"response"' in lines:
            raise OSError
        write(lines)

    return fail


def test_a_seal_drops_the_attempt(vault: Vault) -> None:
    begun = start(vault)
    give(vault, vault.shares[0], begun["nonce"])
    vault.post("sys/seal")
    vault.unseal()
    assert members(vault.get("sys/generate-root/attempt"))["started"] is False
    assert give(vault, vault.shares[1], begun["nonce"]).errors == ["no root generation in progress"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_without_a_token_nobody_takes_part_or_gets_in_the_way(vault: Vault, spelling: str) -> None:
    """SECURITY row 91."""
    begun = start(vault)
    vault.device.written.clear()
    weak = vault.token_for("default")
    for token in (None, weak):
        for method, path in (("GET", "attempt"), ("PUT", "attempt"), ("DELETE", "attempt"), ("PUT", "update")):
            assert (
                vault.call(method, f"sys/{spelling}/{path}", {} if method == "PUT" else None, token=token).status == 403
            )
    denied = [record for record in vault.device.records if spelling in record["request"]["path"]]
    assert len(denied) == 2 * 4 * 2
    give(vault, vault.shares[0], begun["nonce"])
    assert members(give(vault, vault.shares[1], begun["nonce"]))["complete"] is True


def test_the_older_spelling_needs_no_token_where_the_configuration_says_so() -> None:
    vault = Vault(configuration=OPEN)
    result = vault.call("PUT", "sys/generate-root/attempt", {}, token=None)
    assert result.body is not None
    last = vault.call(
        "PUT", "sys/generate-root/update", {"key": vault.shares[0], "nonce": result.body["nonce"]}, token=None
    )
    assert last.body is not None
    assert last.body["complete"] is True
    assert vault.call("PUT", "sys/generate-root-token/attempt", {}, token=None).status == 403
