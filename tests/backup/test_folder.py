from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from tests.backup.origins import filled_vault
from tests.kit import Vault

from strongroom.backup.file import NewFile, remove_if_abandoned
from strongroom.backup.folder import BackupFolder
from strongroom.backup.reading import look
from strongroom.physical.store import Unavailable
from strongroom.system.backups import task_of


@pytest.fixture(scope="module")
def vault() -> Vault:
    return filled_vault(secrets=1)


@pytest.fixture
def folder(tmp_path: Path) -> BackupFolder:
    folder = BackupFolder(tmp_path / "deep" / "backups")
    folder.make_ready()
    return folder


def write(folder: BackupFolder, vault: Vault) -> Path:
    vault.clock.jump(60)
    return folder.write(task_of(vault.node.require(), vault.node.lifecycle.surroundings, lambda: None))[0]


def names(folder: BackupFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def test_the_folder_and_its_files_are_for_the_owner_alone(folder: BackupFolder, vault: Vault) -> None:
    before = os.umask(0)
    try:
        path = write(folder, vault)
    finally:
        os.umask(before)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open("rb") as file:
        assert look(file).manifest.records > 10


def test_a_folder_that_others_may_use_is_refused(folder: BackupFolder) -> None:
    folder.path.chmod(0o750)
    with pytest.raises(Unavailable, match="chmod 700"):
        folder.make_ready()


def test_names_sort_by_time_and_the_oldest_go(folder: BackupFolder, vault: Vault) -> None:
    made = [write(folder, vault) for _ in range(5)]
    identity = vault.node.require().cluster_id
    assert [stored.path for stored in folder.of_vault(identity)] == made
    assert folder.retain(identity, 2, made[-1]) == 3
    assert [stored.path for stored in folder.of_vault(identity)] == made[-2:]


def test_what_is_not_ours_stays(folder: BackupFolder, vault: Vault) -> None:
    other = folder.path / "strongroom-20200101T000000Z-ffffffff-00000000.backup"
    notes = folder.path / "notes.txt"
    odd = folder.path / "strongroom-20200101T000000Z.backup"
    # Such a time there is not: whatever it is, it keeps nobody from making backups.
    identity = vault.node.require().cluster_id
    impossible = folder.path / f"strongroom-20209901T990000Z-{identity[:8]}-00000000.backup"
    for path in (other, notes, odd, impossible):
        path.write_text("x")
    made = [write(folder, vault) for _ in range(2)]
    folder.retain(identity, 1, made[-1])
    folder.make_ready()
    assert {other.name, notes.name, odd.name, impossible.name, made[-1].name} == set(names(folder))


def test_the_newest_stays_though_the_clock_was_set_back(folder: BackupFolder, vault: Vault) -> None:
    made = [write(folder, vault) for _ in range(2)]
    vault.clock.jump(-1000)
    newest = write(folder, vault)
    folder.retain(vault.node.require().cluster_id, 1, newest)
    assert names(folder) == [newest.name]
    assert made[0].name not in names(folder)


def test_what_was_written_by_a_clock_that_was_far_ahead_goes_before_what_was_written_since(
    folder: BackupFolder, vault: Vault
) -> None:
    vault.clock.jump(1000 * 86400)
    ahead = [write(folder, vault) for _ in range(3)]
    vault.clock.jump(-1000 * 86400)
    since = []
    for _ in range(3):
        since.append(write(folder, vault))
        folder.retain(vault.node.require().cluster_id, 3, since[-1])
    assert names(folder) == [path.name for path in since]
    assert not any(path.exists() for path in ahead)


def test_keeping_fewer_than_one_keeps_the_newest(folder: BackupFolder, vault: Vault) -> None:
    newest = write(folder, vault)
    assert folder.retain(vault.node.require().cluster_id, 0, newest) == 0
    assert newest.exists()


def test_what_a_killed_process_left_is_removed_and_what_is_being_written_stays(
    folder: BackupFolder,
) -> None:
    left = folder.path / ".strongroom-20260101T000000Z-00000000-00000000.backup.partial"
    busy = folder.path / ".strongroom-20260101T000000Z-00000000-11111111.backup.partial"
    left.write_bytes(b"half")
    with busy.open("wb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        folder.make_ready()
        assert names(folder) == [busy.name]
    folder.make_ready()
    assert names(folder) == []


def test_a_backup_that_fails_leaves_nothing(folder: BackupFolder) -> None:
    def give_up() -> None:
        raise OSError(28, "No space left on device")

    big = filled_vault(secrets=6)
    task = task_of(big.node.require(), big.node.lifecycle.surroundings, give_up)
    with pytest.raises(OSError, match="No space"):
        folder.write(task)
    assert names(folder) == []


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_text("before")
    with pytest.raises(FileExistsError):
        NewFile(path)
    with NewFile(tmp_path / "new") as file:
        file.write(b"content")
        (tmp_path / "new").write_text("somebody was faster")
        with pytest.raises(FileExistsError):
            file.keep()
    assert path.read_text() == "before"
    assert (tmp_path / "new").read_text() == "somebody was faster"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["new", "there"]


def test_a_file_that_is_being_written_is_not_taken_over(tmp_path: Path) -> None:
    with NewFile(tmp_path / "new") as file, pytest.raises(FileExistsError):
        NewFile(tmp_path / "new")
    assert file.path == tmp_path / "new"
    assert list(tmp_path.iterdir()) == []
    assert remove_if_abandoned(tmp_path / ".new.partial") is False


def test_space_that_shall_stay_free_is_not_taken(tmp_path: Path) -> None:
    with NewFile(tmp_path / "new", spare_bytes=1 << 62) as file, pytest.raises(OSError, match="No space"):
        file.write(b"x")
