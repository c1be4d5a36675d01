from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.kit import JumpingClock, Vault

from strongroom.backup.reading import look
from strongroom.core.backup_keeper import JITTER, RETRY_SECONDS, BackupKeeper
from strongroom.logical.instant import NANOSECONDS
from strongroom.physical.sqlite import SqliteStore
from strongroom.telemetry.exposition import prometheus_text

HOUR = 3600.0


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def vault(tmp_path: Path, folder: Path, clock: JumpingClock) -> Vault:
    configuration = (
        f'storage "sqlite" {{ path = "{tmp_path}/data" }}\nlistener "tcp" {{ tls_disable = true }}\n'
        f'backup {{\n path = "{folder}"\n interval = "1h"\n keep = 3\n}}\n'
    )
    return Vault(store=SqliteStore(tmp_path / "data"), configuration=configuration, clock=clock)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def keeper(vault: Vault, said: list[str]) -> BackupKeeper:
    return BackupKeeper(vault.node, said.append, vault.failures.append)


def backups(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.backup"))


def test_a_backup_is_made_at_once_and_then_once_in_an_interval(
    vault: Vault, keeper: BackupKeeper, folder: Path, clock: JumpingClock
) -> None:
    for rounds in range(1, 4):
        keeper.round()
        keeper.round()
        assert len(backups(folder)) == rounds
        clock.jump(HOUR - 5)
        keeper.round()
        assert len(backups(folder)) == rounds
        clock.jump(HOUR * JITTER + 10)
    status = vault.get("sys/storage/backup").data
    assert (status["enabled"], status["interval"], status["keep"], status["failure"]) == (True, 3600, 3, "")
    assert status["last_success"] < status["next"]
    assert status["bytes"] == backups(folder)[-1].stat().st_size
    with backups(folder)[-1].open("rb") as file:
        assert look(file).header.vault == vault.node.require().cluster_id


def test_only_so_many_stay(keeper: BackupKeeper, folder: Path, clock: JumpingClock) -> None:
    seen: list[Path] = []
    for _ in range(6):
        keeper.round()
        seen.append(backups(folder)[-1])
        clock.jump(2 * HOUR)
    assert backups(folder) == seen[-3:]


def test_a_restart_does_not_make_another_before_it_is_time(
    vault: Vault, keeper: BackupKeeper, folder: Path, clock: JumpingClock, said: list[str]
) -> None:
    keeper.round()
    vault.node.backups.scheduled = type(vault.node.backups.scheduled)()
    clock.jump(HOUR / 2)
    again = BackupKeeper(vault.node, said.append, vault.failures.append)
    again.round()
    assert len(backups(folder)) == 1
    clock.jump(HOUR)
    again.round()
    assert len(backups(folder)) == 2


def test_a_sealed_vault_makes_none(vault: Vault, keeper: BackupKeeper, folder: Path) -> None:
    vault.node.seal()
    keeper.round()
    assert not folder.exists()
    vault.unseal()
    keeper.round()
    assert len(backups(folder)) == 1


def test_a_clock_that_was_set_back_puts_nothing_off_for_long(
    keeper: BackupKeeper, folder: Path, clock: JumpingClock
) -> None:
    keeper.round()
    clock.jump(-10 * HOUR)
    keeper.round()
    assert len(backups(folder)) == 2


def test_a_failure_is_said_once_counted_and_tried_again_later(
    vault: Vault, keeper: BackupKeeper, folder: Path, clock: JumpingClock, said: list[str]
) -> None:
    keeper.round()
    folder.chmod(0o755)
    clock.jump(2 * HOUR)
    keeper.round()
    keeper.round()
    assert len(said) == 1
    assert "the scheduled backup failed" in said[0]
    assert "chmod 700" in said[0]
    status = vault.get("sys/storage/backup").data
    assert "chmod 700" in status["failure"]
    assert status["last_failure"] is not None
    assert len(backups(folder)) == 1
    folder.chmod(0o700)
    clock.jump(RETRY_SECONDS + 1)
    keeper.round()
    assert len(backups(folder)) == 2
    assert vault.get("sys/storage/backup").data["failure"] == ""
    text = prometheus_text(vault.node.telemetry.families())
    assert 'strongroom_scheduled_backups_total{outcome="ok"} 2' in text
    assert 'strongroom_scheduled_backups_total{outcome="failed"} 1' in text
    newest = vault.clock.now_ns() // NANOSECONDS
    assert f"strongroom_newest_backup_timestamp_seconds {newest}" in text
    assert vault.get("sys/mounts").status == 200


def test_a_folder_that_cannot_be_made_is_no_failure_of_the_vault(
    vault: Vault, keeper: BackupKeeper, folder: Path, said: list[str]
) -> None:
    folder.write_text("a file")
    keeper.round()
    assert len(said) == 1
    assert vault.failures == []
    assert folder.read_text() == "a file"


def test_a_backup_that_does_not_read_back_does_not_count_and_removes_none(
    vault: Vault,
    keeper: BackupKeeper,
    folder: Path,
    clock: JumpingClock,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(3):
        keeper.round()
        clock.jump(2 * HOUR)
    before = backups(folder)
    written = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: written(descriptor, bytes(len(content))))
    keeper.round()
    monkeypatch.undo()
    assert backups(folder) == before
    assert "check the disk" in said[0]
    assert sorted(folder.iterdir()) == before
    assert vault.failures == []


def test_without_a_folder_nothing_is_started(tmp_path: Path, said: list[str]) -> None:
    vault = Vault()
    keeper = BackupKeeper(vault.node, said.append, vault.failures.append)
    keeper.start()
    keeper.round()
    keeper.stop()
    assert list(tmp_path.iterdir()) == []
    assert said == []
