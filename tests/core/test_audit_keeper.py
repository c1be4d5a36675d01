from __future__ import annotations

from pathlib import Path

from tests.evidence.logs import LoggedVault

from strongroom.core.audit_keeper import REMEMBER_SECONDS, AuditKeeper
from strongroom.core.batch import Alarms
from strongroom.system.audit_memory import remembered

QUIET = Alarms(lambda _: None, lambda: None)


def heads(vault: LoggedVault) -> list[int]:
    with vault.vault.node.require().barrier.transaction() as transaction:
        return [kept.head.sequence for kept in remembered(transaction).get("main", ())]


def test_the_keeper_signs_and_has_the_vault_remember(tmp_path: Path) -> None:
    vault = LoggedVault(tmp_path)
    keeper = AuditKeeper(vault.vault.node, lambda _: None, QUIET)
    before = heads(vault)
    vault.work()
    vault.clock.jump(REMEMBER_SECONDS)
    keeper.round()
    (after,) = heads(vault)
    assert [after] > before
    assert after == len(vault.file.read_bytes().splitlines())


def test_a_log_that_lost_its_end_is_warned_of_once(tmp_path: Path) -> None:
    vault = LoggedVault(tmp_path)
    vault.work()
    vault.vault.node.seal()
    lines = vault.file.read_bytes().splitlines(keepends=True)
    vault.file.write_bytes(b"".join(lines[:-3]))
    vault.crash_and_restart()
    warnings: list[str] = []
    keeper = AuditKeeper(vault.vault.node, warnings.append, QUIET)
    keeper.round()
    keeper.round()
    assert len(warnings) == 1
    assert "audit device main" in warnings[0]


def test_a_device_that_fails_is_told_of_once_and_so_is_its_recovery(tmp_path: Path) -> None:
    vault = LoggedVault(tmp_path)
    told: list[str] = []
    keeper = AuditKeeper(vault.vault.node, told.append, QUIET)
    vault.file.unlink()
    vault.file.mkdir()
    for _ in range(3):
        assert vault.vault.get("sys/mounts").status == 500
        keeper.round()
    (failure,) = told
    assert failure.startswith("audit device main: it fails: ")

    vault.file.rmdir()
    assert vault.vault.get("sys/mounts").status == 200
    keeper.round()
    keeper.round()
    assert told[1:] == ["audit device main: it works again"]
