from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.core.reusing import REFUSED, VALUE, index_all, is_refused, put, vault_of_three
from tests.environments.world import bound, login, vault_with_environments, write
from tests.kit import Vault

from strongroom.core import reuse_index, steps
from strongroom.core.fingerprints import FingerprintIndex
from strongroom.core.reuse import FORMS_MAX, PLACES_AT_ONCE, Guards
from strongroom.crypto.keyed_hash import KeyedHash
from strongroom.environments.forms import forms_in
from strongroom.environments.listed import AREA, HALF
from strongroom.mounts.table import EPOCH_KEY
from strongroom.quotas.guesses import BLOCK_SECONDS, REFUSALS_MAX

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "reuse.json"


@pytest.fixture
def vault() -> Vault:
    return vault_of_three()


@pytest.mark.parametrize("above", ["prod/app", "prod2/app", "stage/app"])
@pytest.mark.parametrize("below", ["dev/app", "dev2/app"])
def test_a_value_from_above_is_refused_below_and_nothing_is_stored(vault: Vault, above: str, below: str) -> None:
    put(vault, above, VALUE)
    assert is_refused(put(vault, below, VALUE))
    shown = below.replace("dev2/", "dev2/data/")
    assert vault.get(shown).status == 404
    assert not is_refused(put(vault, below, VALUE + "x"))


def test_the_refusal_tells_neither_which_nor_where(vault: Vault) -> None:
    put(vault, "stage/one", VALUE)
    put(vault, "prod/secret-path", VALUE + "2")
    one, other = put(vault, "dev/a", VALUE), put(vault, "dev/a", VALUE + "2")
    assert one.raw == other.raw
    for word in ("stage", "prod", "secret-path", VALUE):
        assert word not in one.raw.decode()


@pytest.mark.parametrize(
    "spelled",
    [
        f"  {VALUE}\n",
        VALUE.upper(),
        base64.b64encode(VALUE.encode()).decode(),
        base64.b64encode(f"{VALUE}\n".encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode().rstrip("="),
        VALUE.encode().hex(),
        VALUE.encode().hex().upper(),
        {"deep": [{"down": VALUE}]},
        json.dumps({"password": VALUE}),
        f"A=1\nDB_PASSWORD={VALUE}\n",
        f"'{VALUE}'",
        f' "{VALUE}"\n',
        json.dumps(VALUE),
    ],
)
def test_other_spellings_are_the_same_value_both_ways(vault: Vault, spelled: Any) -> None:
    put(vault, "prod2/app", VALUE)
    assert is_refused(put(vault, "dev2/app", spelled))
    vault.delete("prod2/metadata/app")
    put(vault, "prod2/app", spelled)
    assert is_refused(put(vault, "dev2/app", VALUE))


def test_a_patch_is_a_write(vault: Vault) -> None:
    put(vault, "prod2/app", VALUE)
    put(vault, "dev2/app", "something-else")
    assert is_refused(vault.patch("dev2/data/app", {"data": {"other": VALUE}}))
    assert vault.get("dev2/data/app").data["data"] == {"k": "something-else"}


def test_notes_below_hold_no_value_from_above_and_what_the_server_understands_is_none(vault: Vault) -> None:
    put(vault, "prod2/app", VALUE)
    put(vault, "prod2/plain", {"level": "critical", "until": "2027-01-31"})
    put(vault, "dev2/app", "something-else")
    assert is_refused(vault.post("dev2/metadata/app", {"custom_metadata": {"was": f" {VALUE}"}}))
    assert is_refused(vault.patch("dev2/metadata/app", {"custom_metadata": {"was": VALUE}}))
    assert vault.get("dev2/metadata/app").data["custom_metadata"] is None
    understood = {"criticality": "critical", "expires_at": "2027-01-31", "owner": "team"}
    assert vault.post("dev2/metadata/app", {"custom_metadata": understood}).status == 204
    assert is_refused(vault.patch("dev2/metadata/app", {"custom_metadata": {"other": "2027-01-31"}}))


def test_notes_that_were_there_before_do_not_stand_in_the_way(vault: Vault) -> None:
    put(vault, "dev2/app", "something-else")
    vault.post("dev2/metadata/app", {"custom_metadata": {"was": VALUE}})
    put(vault, "prod2/app", VALUE)
    assert vault.patch("dev2/metadata/app", {"custom_metadata": {"owner": "team"}}).status == 204


def test_old_deleted_and_destroyed_versions_count_until_the_secret_is_removed(vault: Vault) -> None:
    put(vault, "prod2/app", VALUE)
    for number in range(12):
        put(vault, "prod2/app", f"newer-value-{number}")
    assert is_refused(put(vault, "dev/a", VALUE)), "pruned"
    vault.delete("prod2/data/app")
    vault.post("prod2/destroy/app", {"versions": [13]})
    assert is_refused(put(vault, "dev/a", "newer-value-11")), "destroyed"
    assert is_refused(put(vault, "dev/a", "newer-value-7"))
    vault.delete("prod2/metadata/app")
    assert not is_refused(put(vault, "dev/a", "newer-value-7"))


def test_what_a_mount_without_versions_held_before_counts_too(vault: Vault) -> None:
    put(vault, "prod/app", VALUE)
    put(vault, "prod/app", "another-value")
    assert is_refused(put(vault, "dev/a", VALUE))
    put(vault, "prod/other", "another-value")
    vault.delete("prod/app")
    assert is_refused(put(vault, "dev/a", "another-value")), "one of two places is left"
    vault.delete("prod/other")
    assert not is_refused(put(vault, "dev/a", "another-value"))


def test_what_goes_up_is_stored_with_a_warning(vault: Vault) -> None:
    put(vault, "dev/app", VALUE)
    up = put(vault, "prod/app", VALUE)
    assert up.status == 200
    assert "less protected" in str(up.body)
    assert is_refused(put(vault, "dev/again", VALUE))


def test_within_an_environment_values_may_be_alike(vault: Vault) -> None:
    for path in ("prod/a", "prod/b", "prod2/a"):
        made = put(vault, path, VALUE)
        assert made.status in {200, 204}
        assert not (made.body or {}).get("warnings")


@pytest.mark.parametrize(("rule", "warnings"), [("warn", 1), ("allow", 0)])
def test_a_lower_environment_can_say_otherwise(vault: Vault, rule: str, warnings: int) -> None:
    put(vault, "prod/app", VALUE)
    write(vault, "dev", reuse=rule)
    made = put(vault, "dev/app", VALUE)
    assert str(made.body).count(REFUSED) == warnings
    assert vault.get("dev/app").data == {"k": VALUE}


def test_short_common_and_shared_values_are_not_compared(vault: Vault) -> None:
    for number, value in enumerate(["short", "production", "https://example.test/api", "twelve-chars"]):
        put(vault, f"prod/{number}", value)
    assert not is_refused(put(vault, "dev/a", "short"))
    assert not is_refused(put(vault, "dev/a", "production"))
    assert is_refused(put(vault, "dev/a", "https://example.test/api"))
    write(vault, "dev", shared_values=["https://example.test/api"])
    assert not is_refused(put(vault, "dev/a", "https://example.test/api"))
    assert is_refused(put(vault, "dev/a", "twelve-chars"))
    write(vault, "dev", reuse_minimum_length=13)
    assert not is_refused(put(vault, "dev/a", "twelve-chars"))


@pytest.mark.parametrize(
    "fields",
    [{"reuse_minimum_length": 7}, {"reuse_minimum_length": 1025}, {"shared_values": ["x" * 513]}],
)
def test_settings_have_limits(vault: Vault, fields: dict[str, Any]) -> None:
    assert write(vault, "dev", **fields).status == 400


def test_a_mount_of_no_environment_is_not_asked_about(vault: Vault) -> None:
    vault.mount("shared")
    put(vault, "prod/app", VALUE)
    assert put(vault, "shared/app", VALUE).status == 204


def test_a_refusal_is_on_record_without_the_value(vault: Vault) -> None:
    put(vault, "prod/app", VALUE)
    assert isinstance(vault.device.written, list)
    vault.device.written.clear()
    put(vault, "dev/app", VALUE)
    assert REFUSED in vault.device.records[1]["error"]
    assert VALUE not in vault.device.text


@pytest.mark.parametrize("known", json.loads(VECTORS.read_text())["values"], ids=lambda known: str(known["value"])[:20])
def test_forms_and_entries_stay_what_they_are(known: dict[str, Any]) -> None:
    key = bytes.fromhex(json.loads(VECTORS.read_text())["key_hex"])
    guards = guards_for(vault_with_environments())
    guards.unsealed = replace(guards.unsealed, fingerprint_key=KeyedHash(key))
    uuid = next(iter(next(one for one in guards.environments if one.name == "prod").mounts))
    FingerprintIndex(key, guards._root, uuid, guards).record("app", 1, {"k": known["value"]})
    news = guards.unsealed.listed.news(guards._root)
    listed = [news[at : at + 2 * HALF].hex() for at in range(0, len(news), 2 * HALF)]
    assert sorted(listed) == sorted(known["entries"])
    assert list(forms_in({"k": known["value"]})) == known["forms"]


def guards_for(vault: Vault) -> Guards:
    """The guards of a transaction that is never committed."""
    unsealed = vault.node.require()
    transaction = unsealed.barrier.transaction()
    epoch = transaction.version(EPOCH_KEY)
    assert epoch is not None
    guards = steps.guards_for(unsealed, transaction, epoch, None, [])
    assert guards is not None
    return guards


# What was there before


def test_what_a_mount_held_before_it_joined_counts_once_it_was_gone_through(vault: Vault) -> None:
    for name, options in (("old", None), ("old2", {"version": "2"})):
        vault.mount(name, options=options)
        for number in range(5):
            put(vault, f"{name}/{number}", f"{name}-value-{number}")
        put(vault, f"{name}/0", f"{name}-newer-value")
    write(vault, "prod", mounts=["prod", "prod2", "old", "old2"])
    assert vault.get("sys/environments/prod").data["indexing"] == ["old/", "old2/"]
    index_all(vault)
    assert vault.get("sys/environments/prod").data["indexing"] == []
    for value in ("old-value-4", "old-newer-value", "old2-value-0", "old2-value-4", "old2-newer-value"):
        assert is_refused(put(vault, "dev/a", value)), value


@pytest.mark.parametrize(
    "old",
    [
        ["core/reuse-turn/all", "core/reuse-turn/3", *(f"core/reuse/{number:064x}" for number in range(5))],
        ["core/reuse-listed/all", "core/reuse-listed/3/end", *(f"core/reuse-listed/3/{part:08x}" for part in range(5))],
    ],
    ids=["format 1", "format 2"],
)
def test_a_vault_that_listed_in_an_older_format_is_gone_through_anew(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, old: list[str]
) -> None:
    monkeypatch.setattr(reuse_index, "ROWS_PER_STEP", 2)
    put(vault, "prod/app", VALUE)
    with vault.node.require().barrier.transaction() as transaction:
        for key in [*transaction.scan(AREA)]:
            transaction.delete(key)
        for key in old:
            transaction.put(key, b"old")
        vault.node.require().barrier.commit(transaction)
    vault.node.seal()
    vault.unseal()
    index_all(vault)
    assert is_refused(put(vault, "dev/a", VALUE))
    with vault.node.require().barrier.transaction() as transaction:
        assert all(transaction.get(key) is None for key in old)


def test_an_environment_that_is_no_longer_the_lowest_is_gone_through(vault: Vault) -> None:
    put(vault, "dev2/app", VALUE)
    vault.mount("sandbox")
    write(vault, "sandbox", rank=50, mounts=["sandbox"])
    write(vault, "dev", rank=60)
    write(vault, "stage", rank=70)
    write(vault, "prod", rank=80)
    index_all(vault)
    assert is_refused(put(vault, "sandbox/app", VALUE))


def test_a_mount_that_goes_up_takes_its_values_along(vault: Vault) -> None:
    put(vault, "dev2/app", VALUE)
    assert write(vault, "prod", mounts=["prod", "prod2", "dev2"]).status == 204
    index_all(vault)
    assert is_refused(put(vault, "dev/app", VALUE))


def test_values_of_a_mount_that_is_gone_are_free(vault: Vault) -> None:
    put(vault, "prod/app", VALUE)
    vault.delete("sys/mounts/prod")
    assert not is_refused(put(vault, "dev/app", VALUE))


def test_an_upgrade_to_versions_is_no_new_write(vault: Vault) -> None:
    put(vault, "dev/app", VALUE)
    put(vault, "prod/app", VALUE)
    assert vault.post("sys/mounts/dev/tune", {"options": {"version": "2"}}).status == 200
    assert vault.get("dev/data/app").data["data"] == {"k": VALUE}
    assert is_refused(vault.post("dev/data/app", {"data": {"k": VALUE}}))


def test_a_value_in_many_places_is_found_above_all_of_those_below(vault: Vault) -> None:
    write(vault, "dev", reuse="allow")
    for number in range(PLACES_AT_ONCE + 3):
        put(vault, f"dev/{number}", VALUE)
    put(vault, "prod/app", VALUE)
    assert is_refused(put(vault, "stage/a", VALUE))
    vault.delete("prod/app")
    assert not is_refused(put(vault, "stage/a", VALUE))


def test_a_value_that_its_mount_had_before_it_joined_counts_once_it_is_written_again(vault: Vault) -> None:
    vault.mount("old")
    put(vault, "old/app", VALUE)
    put(vault, "old/app", "another-value")  # what is gone through afterwards no longer has the first
    write(vault, "prod", mounts=["prod", "prod2", "old"])
    index_all(vault)
    put(vault, "old/app", VALUE)
    assert is_refused(put(vault, "dev/a", VALUE))


# Guessing


def test_a_writer_below_has_few_guesses(vault: Vault) -> None:
    put(vault, "prod/app", VALUE)
    token = bound(vault, "dev")
    for _ in range(REFUSALS_MAX):
        assert is_refused(put(vault, "dev/app", VALUE, token=token))
    for value in (VALUE, "not-a-hit-at-all"):
        blocked = put(vault, "dev/app", value, token=token)
        assert blocked.status == 429
        assert int(blocked.headers["Retry-After"]) > 0
    assert put(vault, "dev/app", "another-token", token=bound(vault, "dev")).status == 204
    vault.clock.jump(2 * BLOCK_SECONDS)
    assert put(vault, "dev/app", "not-a-hit-at-all", token=token).status == 204


@pytest.mark.parametrize("kind", ["service", "batch"])
def test_a_new_token_brings_no_new_guesses(vault: Vault, kind: str) -> None:
    put(vault, "prod/app", VALUE)
    token = bound(vault, "dev")

    def child(parent: str) -> str:
        made = vault.post("auth/token/create", {"type": kind, "policies": ["all"]}, token=parent)
        return str(made.auth["client_token"])

    for _ in range(REFUSALS_MAX):
        assert is_refused(put(vault, "dev/app", VALUE, token=child(token)))
    for one in (token, child(token)):
        assert put(vault, "dev/app", VALUE, token=one).status == 429
    assert is_refused(put(vault, "dev/app", VALUE, token=bound(vault, "dev"))), "others guess for themselves"


@pytest.mark.parametrize("way", ["create-orphan", "create/orphans"])
def test_an_orphan_brings_no_new_guesses_to_whoever_makes_it(vault: Vault, way: str) -> None:
    put(vault, "prod/app", VALUE)
    vault.post("auth/token/roles/orphans", {"orphan": True, "allowed_policies": ["all"]})
    maker = vault.token_for("all")

    def orphan(of: str) -> str:
        made = vault.post(f"auth/token/{way}", {"policies": ["all"]}, token=of)
        assert made.auth["orphan"]
        return str(made.auth["client_token"])

    for number in range(REFUSALS_MAX):
        one = orphan(maker)
        assert is_refused(put(vault, "dev/app", VALUE, token=orphan(one) if number % 2 else one))
    assert put(vault, "dev/app", VALUE, token=orphan(maker)).status == 429
    assert put(vault, "dev/app", VALUE, token=maker).status == 429
    assert is_refused(put(vault, "dev/app", VALUE, token=orphan(vault.root))), (
        "whoever got it of an administrator guesses alone"
    )


def test_a_new_login_brings_no_new_guesses(vault: Vault) -> None:
    put(vault, "prod/app", VALUE)
    logins = [str(login(vault).auth["client_token"]) for _ in range(2)]
    for number in range(REFUSALS_MAX):
        assert is_refused(put(vault, "dev/app", VALUE, token=logins[number % 2]))
    assert put(vault, "dev/app", VALUE, token=str(login(vault).auth["client_token"])).status == 429


def test_a_write_holds_a_bounded_number_of_guesses(vault: Vault) -> None:
    body = {str(number): f"guess-number-{number}" for number in range(FORMS_MAX + 1)}
    assert vault.post("dev/app", body).status == 400
    del body["0"]
    assert vault.post("dev/app", body).status == 204


def test_without_two_environments_nothing_is_listed() -> None:
    vault = Vault()
    vault.mount("prod")
    put(vault, "prod/app", VALUE)
    write(vault, "prod", rank=3, mounts=["prod"])
    put(vault, "prod/app", VALUE + "2")
    with vault.node.require().barrier.transaction() as transaction:
        assert list(transaction.scan("core/reuse")) == []
