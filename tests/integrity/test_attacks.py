"""Whoever has the disk cannot change, exchange, replay, delete or roll back anything unseen (SECURITY R-20)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from tests.integrity.conftest import CONFIGURATION, Disk, inspect, key_of
from tests.kit import SeededEntropy, Vault

from strongroom.barrier.errand import Errand
from strongroom.barrier.store_root import ROOT_KEY
from strongroom.physical.store import Record

MakeVault = Callable[[str], Vault]


def reopened(vault: Vault) -> list[str]:
    """What is said when the vault is sealed and unsealed again."""
    if vault.node.unsealed is not None:
        vault.node.seal()
    return vault.post("sys/unseal", {"key": vault.shares[0]}, token=None).errors


def test_an_untouched_store_is_intact(vault: Vault) -> None:
    assert reopened(vault) == []
    assert inspect(vault) == []
    data = vault.get("sys/integrity").data
    assert data["state"] == "intact"
    assert data["inspection"]["records"] == data["records"] > 10
    assert vault.failures == []


@pytest.mark.parametrize("while_running", [True, False], ids=["running", "sealed"])
@pytest.mark.parametrize("bit", [0, 30, -1])
def test_an_edited_record_is_found_with_its_place(disk: Disk, vault: Vault, *, while_running: bool, bit: int) -> None:
    key = key_of(disk, vault, "kv/a")
    version, value = disk.rows()[key]
    flipped = bytearray(value)
    flipped[bit] ^= 1
    attack(vault, lambda: disk.write(key, Record(version, bytes(flipped))), while_running=while_running)
    assert inspect(vault) == [("record-edited", key)]


def attack(vault: Vault, change: Callable[[], None], *, while_running: bool) -> None:
    if not while_running:
        vault.node.seal()
    change()
    if not while_running:
        vault.unseal()


@pytest.mark.parametrize("while_running", [True, False], ids=["running", "sealed"])
@pytest.mark.parametrize("with_versions", [True, False], ids=["whole rows", "values alone"])
@pytest.mark.parametrize("others", ["kv/b", "other/a"])
def test_swapped_records_are_found_with_their_places(
    disk: Disk, vault: Vault, *, while_running: bool, with_versions: bool, others: str
) -> None:
    first, second = key_of(disk, vault, "kv/a"), key_of(disk, vault, others)
    rows = disk.rows()
    one, other = rows[first], rows[second]

    def swap() -> None:
        disk.write(first, Record(other.version if with_versions else one.version, other.value))
        disk.write(second, Record(one.version if with_versions else other.version, one.value))

    attack(vault, swap, while_running=while_running)
    assert sorted(inspect(vault)) == sorted([("record-moved", first), ("record-moved", second)])


def test_a_record_that_is_copied_over_another_is_found(disk: Disk, vault: Vault) -> None:
    source, target = key_of(disk, vault, "kv/a"), key_of(disk, vault, "other/a")
    disk.write(target, disk.rows()[source])
    assert inspect(vault) == [("record-moved", target)]


@pytest.mark.parametrize("while_running", [True, False], ids=["running", "sealed"])
def test_a_replayed_record_is_found_with_its_place(disk: Disk, vault: Vault, *, while_running: bool) -> None:
    key = key_of(disk, vault, "kv/a")
    old = disk.rows()[key]
    assert vault.post("kv/a", {"value": "new"}).status == 204
    attack(vault, lambda: disk.write(key, old), while_running=while_running)
    assert vault.get("kv/a").data == {"value": "once more"}
    assert inspect(vault) == [("record-replayed", key)]


def test_a_replay_is_found_even_after_it_was_written_over(disk: Disk, vault: Vault) -> None:
    key = key_of(disk, vault, "kv/a")
    old = disk.rows()[key]
    assert vault.post("kv/a", {"value": "new"}).status == 204
    disk.write(key, old)
    assert vault.post("kv/a", {"value": "newer"}).status == 204
    # The writing that was taken away is missing from the set for ever: it is one of this key, but the key has a good one now.
    assert inspect(vault) != []


@pytest.mark.parametrize("while_running", [True, False], ids=["running", "sealed"])
def test_a_deleted_record_is_found(disk: Disk, vault: Vault, *, while_running: bool) -> None:
    key = key_of(disk, vault, "kv/a")
    attack(vault, lambda: disk.write(key, None), while_running=while_running)
    assert inspect(vault) == [("record-deleted", "")]


@pytest.mark.parametrize("while_running", [True, False], ids=["running", "sealed"])
def test_a_deleted_record_that_is_put_back_is_found_with_its_place(
    disk: Disk, vault: Vault, *, while_running: bool
) -> None:
    key = key_of(disk, vault, "kv/a")
    old = disk.rows()[key]
    assert vault.delete("kv/a").status == 204
    attack(vault, lambda: disk.write(key, old), while_running=while_running)
    assert inspect(vault) == [("record-inserted", key)]


@pytest.mark.parametrize("key", ["root/new/record", "zzz", "barrier/other", "seal/other"])
def test_a_foreign_row_is_found_with_its_place(disk: Disk, vault: Vault, key: str) -> None:
    disk.write(key, Record(7, b"\x01" + bytes(60)))
    assert key in {place for _, place in inspect(vault)}


def test_five_replayed_records_are_each_found(disk: Disk, vault: Vault) -> None:
    for number in range(5):
        assert vault.post(f"kv/many/{number}", {"value": "old"}).status == 204
    before = disk.rows()
    for number in range(5):
        assert vault.post(f"kv/many/{number}", {"value": "new"}).status == 204
    changed = [key for key, record in disk.rows().items() if "/many/" in key and before.get(key, record) != record]
    assert len(changed) == 5
    for key in changed:
        disk.write(key, before[key])
    assert sorted(inspect(vault)) == sorted(("record-replayed", key) for key in changed)


def test_more_differences_than_can_be_told_are_still_a_finding(disk: Disk, vault: Vault) -> None:
    for number in range(40):
        assert vault.post(f"kv/many/{number}", {"value": "old"}).status == 204
    for key in [key for key in disk.rows() if "/many/" in key]:
        disk.write(key, None)
    assert ("records-differ", "") in inspect(vault)


@pytest.mark.parametrize("damage", ["missing", "edited", "renumbered"])
def test_a_store_without_its_root_record_is_not_opened(disk: Disk, vault: Vault, damage: str) -> None:
    vault.node.seal()
    now = disk.rows()[ROOT_KEY]
    replacement = {
        "missing": None,
        "edited": Record(now.version, now.value[:-1] + bytes([now.value[-1] ^ 1])),
        "renumbered": Record(now.version + 1, now.value),
    }[damage]
    disk.write(ROOT_KEY, replacement)
    errors = reopened(vault)
    assert "root record" in errors[0]
    assert vault.node.unsealed is None
    assert vault.get("kv/a").status == 503


def test_an_older_root_record_over_newer_records_is_found(disk: Disk, vault: Vault) -> None:
    key_of(disk, vault, "kv/a")
    old = disk.rows()[ROOT_KEY]
    assert vault.post("kv/a", {"value": "new"}).status == 204
    vault.node.seal()
    disk.write(ROOT_KEY, old)
    assert reopened(vault) == []
    assert "root-replayed" in {kind for kind, _ in inspect(vault)}


@pytest.mark.parametrize("damage", ["missing", "edited"])
def test_a_root_record_that_is_damaged_while_the_vault_runs_stops_all_writing(
    disk: Disk, vault: Vault, damage: str
) -> None:
    now = disk.rows()[ROOT_KEY]
    disk.write(ROOT_KEY, None if damage == "missing" else Record(now.version, bytes(len(now.value))))
    assert vault.post("kv/a", {"value": "new"}).status == 502
    assert vault.get("kv/a").data["value"] == "kv/a 2"
    assert {finding.kind.value for finding in vault.node.integrity.findings} == {f"root-{damage}"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("barrier/keyring/0", "keyring"),
        ("barrier/counter/0", "counter"),
        ("seal/config", "seal"),
    ],
)
def test_a_missing_or_edited_row_of_the_keys_is_named(disk: Disk, vault: Vault, row: str, said: str) -> None:
    for version, more in ((1, b""), (0, b" ")):
        vault.node.seal()
        found = disk.rows()[row]
        disk.write(row, Record(found.version + version, found.value + more))
        assert said in reopened(vault)[0]
        disk.write(row, found)
        assert reopened(vault) == []


def test_an_older_keyring_is_not_taken(disk: Disk, vault: Vault) -> None:
    old = disk.rows()["barrier/keyring/0"]
    assert vault.post("sys/rotate").status == 204
    vault.node.seal()
    disk.write("barrier/keyring/0", old)
    assert "keyring" in reopened(vault)[0]


def test_older_shares_cannot_be_put_back(disk: Disk, vault: Vault) -> None:
    old = {key: record for key, record in disk.rows().items() if key.startswith("seal/")}
    old_shares = vault.shares
    start = vault.post("sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1})
    assert start.body is not None
    nonce = start.body["nonce"]
    assert vault.post("sys/rekey/update", {"key": old_shares[0], "nonce": nonce}).status == 200
    vault.node.seal()
    for key, record in old.items():
        disk.write(key, record)
    assert "seal" in reopened(vault)[0]
    assert vault.node.unsealed is None


def test_a_store_that_is_rolled_back_as_a_whole_is_older_than_its_audit_log(disk: Disk, tmp_path_factory: pytest.TempPathFactory, make_vault: MakeVault) -> None:  # fmt: skip
    log = tmp_path_factory.mktemp("audit") / "audit.log"
    vault = make_vault(f'audit "file" "main" {{ options {{ file_path = "{log}" }} }}\n')
    before = disk.rows()
    assert vault.post("kv/a", {"value": "new"}).status == 204
    vault.node.seal()
    disk.put_back(before)
    assert "older" in reopened(vault)[0]
    assert vault.node.unsealed is None
    assert ("rolled-back", "") in {(one.kind.value, one.place) for one in vault.node.integrity.findings}


def test_the_log_of_a_device_that_was_enabled_through_the_api_counts_at_a_start_too(
    disk: Disk, tmp_path_factory: pytest.TempPathFactory, make_vault: MakeVault
) -> None:
    folder = tmp_path_factory.mktemp("audit")
    extra = f'unsafe_allow_api_audit_creation = true\naudit_paths_allowed = ["{folder}"]\n'
    before_start = make_vault(extra)
    options = {"type": "file", "options": {"file_path": str(folder / "audit.log")}}
    assert before_start.post("sys/audit/second", options).status == 204
    before = disk.rows()
    assert before_start.post("kv/a", {"value": "new"}).status == 204
    before_start.node.seal()
    disk.put_back(before)
    # Another process, which knows of no device but what the store tells.
    vault = Vault(
        store=disk.store, configuration=CONFIGURATION + extra, is_unsealed=False, entropy=SeededEntropy("later")
    )
    vault.shares = before_start.shares
    assert "older" in reopened(vault)[0]
    assert vault.node.unsealed is None
    details = [one.detail for one in vault.node.integrity.findings]
    assert any(detail.startswith("audit device second saw") for detail in details), details


def test_a_store_that_is_rolled_back_as_a_whole_is_older_than_its_anchor(
    disk: Disk, tmp_path_factory: pytest.TempPathFactory, make_vault: MakeVault
) -> None:
    anchor = tmp_path_factory.mktemp("elsewhere") / "anchor"
    vault = make_vault(f'integrity_anchor = "{anchor}"\n')
    before = disk.rows()
    assert vault.post("kv/a", {"value": "new"}).status == 204
    vault.node.seal()
    assert anchor.exists()
    after = disk.rows()
    disk.put_back(before)
    assert "older" in reopened(vault)[0]
    disk.put_back(after)
    assert reopened(vault) == []


def test_a_store_that_went_on_after_it_was_rolled_back_is_found_by_its_anchor(
    disk: Disk, tmp_path_factory: pytest.TempPathFactory, make_vault: MakeVault
) -> None:
    folder = tmp_path_factory.mktemp("elsewhere")
    vault = make_vault(f'integrity_anchor = "{folder}/anchor"\n')
    before = disk.rows()
    anchored = [b""]
    for value in ("one way", "the other way"):
        disk.put_back(before)
        vault.node.require().barrier.witness._highest = 0
        assert vault.post("kv/a", {"value": value}).status == 204
        vault.node.seal()
        if not anchored[-1]:
            anchored.append((folder / "anchor").read_bytes())
        (folder / "anchor").write_bytes(anchored[-1])
        errors = reopened(vault)
        assert errors == [] if value == "one way" else "another way" in errors[0]


def test_with_alarm_alone_a_store_that_was_rolled_back_is_opened_and_said_to_be(
    disk: Disk, tmp_path_factory: pytest.TempPathFactory, make_vault: MakeVault
) -> None:
    anchor = tmp_path_factory.mktemp("elsewhere") / "anchor"
    vault = make_vault(f'integrity_anchor = "{anchor}"\non_tamper = "alarm"\n')
    said: list[str] = []
    vault.node.integrity.on_alarm = said.append
    before = disk.rows()
    assert vault.post("kv/a", {"value": "new"}).status == 204
    vault.node.seal()
    disk.put_back(before)
    assert reopened(vault) == []
    assert inspect(vault) == [("rolled-back", "")]
    assert said == ["the store as a whole is older than what was recorded outside of it"]
    assert "strongroom_store_tampering_findings_total 2" in vault.get("sys/metrics?format=prometheus").raw.decode()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"mac": 1}', b"\xff" * 5000])
def test_an_anchor_that_was_edited_keeps_the_vault_shut(
    tmp_path_factory: pytest.TempPathFactory, make_vault: MakeVault, content: bytes
) -> None:
    anchor = tmp_path_factory.mktemp("elsewhere") / "anchor"
    vault = make_vault(f'integrity_anchor = "{anchor}"\n')
    vault.node.seal()
    anchor.write_bytes(content)
    assert "anchor" in reopened(vault)[0]
    assert anchor.read_bytes() == content


def test_a_missing_anchor_is_said_and_made_anew(
    tmp_path_factory: pytest.TempPathFactory, make_vault: MakeVault
) -> None:
    anchor = tmp_path_factory.mktemp("elsewhere") / "anchor"
    vault = make_vault(f'integrity_anchor = "{anchor}"\non_tamper = "seal"\n')
    assert inspect(vault) == [("anchor-missing", "")]
    assert vault.get("sys/integrity").data["state"] == "intact"
    assert anchor.exists()


def test_an_anchor_on_a_disk_that_hangs_keeps_nobody_from_sealing_and_is_an_alarm(
    tmp_path_factory: pytest.TempPathFactory, make_vault: MakeVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = make_vault(f'integrity_anchor = "{tmp_path_factory.mktemp("elsewhere")}/anchor"\n')
    answer, anchor = threading.Event(), vault.node.integrity.anchor
    assert anchor is not None
    monkeypatch.setattr(anchor, "_errand", Errand(seconds=0.05))
    monkeypatch.setattr(anchor, "_content", answer.wait)
    assert vault.post("kv/a", {"value": "new"}).status == 204
    vault.node.seal()
    assert vault.node.unsealed is None
    assert {one.kind.value for one in vault.node.integrity.findings} == {"anchor-missing"}
    assert reopened(vault) == []
    answer.set()


def test_with_seal_a_vault_whose_store_was_tampered_with_is_sealed(disk: Disk, make_vault: MakeVault) -> None:
    vault = make_vault('on_tamper = "seal"\n')
    key = key_of(disk, vault, "kv/a")
    disk.write(key, None)
    from strongroom.core.inspector import Inspector

    Inspector(vault.node, vault.failures.append).round(lambda _seconds: False)
    assert vault.node.unsealed is None
    assert vault.failures == []
