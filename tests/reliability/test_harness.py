"""The proofs can fail: each finds the flaw that it is there for, where one is planted."""

from __future__ import annotations

import os
import random
from pathlib import Path

import apsw
import pytest

from reliability.armed import parse
from reliability.audit_log import AuditLog
from reliability.bit_rot import Judge
from reliability.bit_rot import prepare as prepare_rot
from reliability.checker import check_database, check_indexes, open_vault
from reliability.everything import BEGIN, END, PAGE, PROOFS, row, write
from reliability.io_faults import Run, Tally
from reliability.io_faults import prepare as prepare_faults
from reliability.lab import Lab, copy_vault
from reliability.power_loss import Verdicts, lose_power
from reliability.recording_disk import Cut, Delete, Disk, Loss, Sync, Write
from reliability.result import Result, percentile
from strongroom.core import batch
from strongroom.logical.errors import AuditUnavailable
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import Record, Unavailable
from strongroom.system.fingerprint_rows import AREA


@pytest.mark.parametrize(("synchronous", "flaw"), [("NORMAL", "lost"), ("OFF", "corrupt")])
def test_the_loss_of_power_finds_what_weaker_settings_lose(tmp_path: Path, synchronous: str, flaw: str) -> None:
    verdicts = Verdicts()
    lose_power(150, tmp_path, seed=3, verdicts=verdicts, synchronous=synchronous)
    assert getattr(verdicts, flaw) > 0


def test_a_disk_keeps_what_was_synced_and_loses_what_was_not() -> None:
    disk = Disk()
    for operation in (Write("a", 0, b"old"), Sync("a"), Write("a", 0, b"new"), Cut("a", 2), Write("b", 4, b"x")):
        disk.apply(operation)
    chance = random.Random(1)
    assert disk.after(Loss.ALL, chance) == {"a": b"old"}
    assert disk.after(Loss.NONE, chance) == {"a": b"ne", "b": b"\0\0\0\0x"}
    disk.apply(Delete("a", synced=False))
    assert "a" in disk.after(Loss.ALL, chance)
    disk.apply(Delete("a", synced=True))
    assert "a" not in disk.after(Loss.ALL, chance)


def test_a_write_that_is_torn_is_torn_at_a_sector() -> None:
    disk = Disk()
    disk.apply(Write("a", 100, bytes(range(256)) * 8))
    lengths = {len(disk.after(Loss.TORN, random.Random(seed)).get("a", b"")) for seed in range(40)}
    assert lengths == {0, 512, 1024, 1536, 2048, 2148}


def test_the_checker_finds_an_index_that_disagrees(tmp_path: Path) -> None:
    token, key = prepare_faults(tmp_path / "base")
    lab = Lab(tmp_path / "base")
    lab.node.submit_unseal_share(key)
    lab.must("POST", "kv/data/a", {"data": {"x": "one value"}}, token)
    lab.must("POST", "auth/token/create", {"ttl": "1h"}, token)
    unsealed = lab.node.require()
    assert check_indexes(unsealed) == []
    findings = set()
    for prefix in ("core/token/accessor/", "core/token/expiry/", "core/token/lease/", AREA):
        with unsealed.barrier.transaction() as transaction:
            first = next(iter(transaction.scan(prefix)))
            kept = transaction.get(first) or b""
            transaction.delete(first)
            unsealed.barrier.commit(transaction)
        findings |= set(check_indexes(unsealed))
        with unsealed.barrier.transaction() as transaction:
            transaction.put(first, kept)
            unsealed.barrier.commit(transaction)
    lab.close()
    assert findings >= {
        "a token is missing from the index accessor",
        "a token is missing from the index expiry",
        "a token is missing from the index lease",
        "a stored value has no fingerprint",
    }


def test_the_checker_opens_a_store_without_its_audit_log(tmp_path: Path) -> None:
    _, key = prepare_faults(tmp_path / "base")
    node = open_vault(SqliteStore(tmp_path / "base" / "data"), key)
    assert check_indexes(node.require()) == []
    node.close()
    assert check_database(tmp_path / "base" / "data") == []


def test_the_faults_find_an_unknown_outcome_that_is_told_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = prepare_faults(tmp_path / "base")
    tally, chance = Tally(), random.Random(1)
    commit = SqliteStore.commit

    def tells_nothing(self: SqliteStore, *arguments: object, **options: object) -> None:
        try:
            commit(self, *arguments, **options)  # type: ignore[arg-type]  # handed through
        except Exception:  # noqa: BLE001 -- the planted flaw
            self._refusal = None

    monkeypatch.setattr(SqliteStore, "commit", tells_nothing)
    for _ in range(30):
        Run(tmp_path / "base", keys, tally, chance).strike()
    assert tally.lost + tally.wrong > 0


def test_the_faults_find_an_answer_without_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = prepare_faults(tmp_path / "base")
    tally, chance = Tally(), random.Random(1)
    finish = batch._finish

    def goes_on(*arguments: object) -> None:
        try:
            finish(*arguments)  # type: ignore[arg-type]  # handed through
        except AuditUnavailable:
            return

    monkeypatch.setattr(batch, "_finish", goes_on)
    for _ in range(40):
        Run(tmp_path / "base", keys, tally, chance).strike()
    assert tally.untold > 0


def test_the_damage_finds_an_older_vault_that_nothing_notices(tmp_path: Path) -> None:
    base = prepare_rot(tmp_path / "base")
    copy_vault(base.folder, tmp_path / "run")
    (tmp_path / "run" / "data" / "strongroom.db-wal").write_bytes(b"")
    judge = Judge(base)
    judge.judge(tmp_path / "run", "the log is gone")
    assert judge.outcomes["refused at the start"] + judge.outcomes["refused at the unsealing"] == 1
    judge._count({"older"}, "nothing was noticed", is_noticed=False)
    judge._count({"wrong"}, "a wrong answer", is_noticed=True)
    assert (judge.unnoticed, judge.silent) == (1, 1)


def test_lines_of_the_audit_log_that_are_no_records_are_told_from_those_that_were_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b'{"type":"response","request":{"id":"one"}}\n{"type":"resp\nnoise\n\n{"type":"respo')
    log = AuditLog(path)
    log.read()
    assert (log.responses, log.torn, log.broken) == ({"one"}, 1, 1)
    with path.open("ab") as file:
        file.write(b'nse","request":{"id":"two"}}\n')
    log.read()
    assert log.responses == {"one", "two"}


@pytest.mark.parametrize("written", ["{", '{"', '{"time":"2026'])
def test_a_record_may_be_cut_off_anywhere(tmp_path: Path, written: str) -> None:
    path = tmp_path / "audit.log"
    path.write_text(f"{written}\n")
    log = AuditLog(path)
    log.read()
    assert (log.torn, log.broken) == (1, 0)


@pytest.mark.parametrize("text", ["before_commit", "nowhere=kill", "before_commit=stop", "before_commit=kill@x"])
def test_a_failpoint_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no failpoint"):
        parse(text)


def test_a_failpoint_happens_at_its_turn_and_goes_on_where_it_is_told_to() -> None:
    actions = parse(
        "before_commit=error@2, after_audit_request=error@2+,rekey_after_swap=error,seal_before_wipe=sleep:0"
    )
    once, lasting, other, waits = actions.values()
    once()
    lasting()
    waits()
    with pytest.raises(apsw.IOError):
        once()
    once()
    for _ in range(2):
        with pytest.raises(AuditUnavailable):
            lasting()
    with pytest.raises(Unavailable):
        other()


def test_a_result_is_good_where_nothing_is_wrong_and_every_bar_is_kept() -> None:
    assert Result("R-0", {"lost": 0, "p95": 1.0}, ("lost",), {"p95": 2.0}).is_good
    assert not Result("R-0", {"lost": 1, "p95": 1.0}, ("lost",), {"p95": 2.0}).is_good
    assert not Result("R-0", {"lost": 0, "p95": 2.0}, ("lost",), {"p95": 2.0}).is_good
    assert not Result("R-0", {"lost": 0}, ("lost",), {}, ["something"]).is_good
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([], 0.5) == 0.0


def test_the_page_takes_a_result_in_the_place_of_its_older_one() -> None:
    import datetime as dt

    result = {"test": "R-1 kill", "n": 3, "lost": 0, "zero": ["lost"], "bars": {"p": 2.0}, "is_good": True, "bad": 0}
    result |= {"findings": []}
    other = row({**result, "test": "R-2 power"}, "command", dt.date(2026, 1, 1))
    page = write([other, row(result, "command", dt.date(2026, 1, 1))], f"before\n{BEGIN}\n{END}\nafter\n")
    again = write([row({**result, "n": 4, "is_good": False}, "command", dt.date(2026, 1, 2))], page)
    assert again.index("R-1 kill") < again.index("R-2 power")
    assert "n 4" in again
    assert "n 3 · lost 0 | lost 0 · p < 2 | 2026-01-01 | `command` |" in again  # that of the other proof
    assert "not reached" in again
    assert again.startswith("before\n")
    assert again.endswith("after\n")


def test_every_proof_has_its_words_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    assert [proof.module for proof in PROOFS if f"`{proof.module}`" not in page] == []


def test_the_fault_of_a_full_disk_needs_no_vault(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "data", reserve_bytes=os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize)
    with pytest.raises(Unavailable, match="no space is left"):
        store.commit({}, {"a": Record(1, b"")}, ())
    store.commit({}, {"a": Record(1, b"")}, (), is_urgent=True)
    store.close()
