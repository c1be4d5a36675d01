"""Full disks, small and real: a backup or a restore fails whole, and the vault goes on. Only root can make a small file system."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.kit import Vault
from tests.restore.sites import Site

from strongroom.core.backup_keeper import BackupKeeper
from strongroom.physical.sqlite import SqliteStore, has_database

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small file system")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight megabytes."""
    folder = tmp_path / "small"
    folder.mkdir(mode=0o700)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip("no file system can be made here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_restore_that_finds_no_space_leaves_an_empty_folder(tmp_path: Path, small: Path) -> None:
    site = Site(tmp_path / "one")
    vault = site.found()
    for number in range(120):
        assert vault.post(f"kv/s{number}", {"value": "x" * 100_000}).status == 204
    file = site.save(vault)
    target = Site(tmp_path / "two")
    target.data = small / "data"
    target.configure()
    target.shares = site.shares
    done = target.restore(file)
    assert done.exit_code == 1
    assert "no space" in done.err.lower()
    assert not has_database(target.data)
    assert [path for path in target.data.rglob("*") if path.name not in {"lock", "writer-lock"}] == []
    vault.node.close()


def test_a_scheduled_backup_that_finds_no_space_leaves_nothing_and_the_vault_serves(
    tmp_path: Path, small: Path
) -> None:
    configuration = (
        f'storage "sqlite" {{ path = "{tmp_path}/data" }}\nlistener "tcp" {{ tls_disable = true }}\n'
        f'backup {{ path = "{small}/backups" }}\n'
    )
    vault = Vault(store=SqliteStore(tmp_path / "data"), configuration=configuration)
    vault.mount("kv", "kv")
    for number in range(120):
        assert vault.post(f"kv/s{number}", {"value": "x" * 100_000}).status == 204
    said: list[str] = []
    keeper = BackupKeeper(vault.node, said.append, vault.failures.append)
    keeper.round()
    assert "no space left" in said[0]
    assert list((small / "backups").iterdir()) == []
    assert vault.post("kv/after", {"value": "x"}).status == 204
    assert vault.failures == []
    vault.node.close()


def test_on_the_stores_own_file_system_a_backup_leaves_it_room(small: Path) -> None:
    configuration = (
        f'storage "sqlite" {{ path = "{small}/data" }}\nlistener "tcp" {{ tls_disable = true }}\n'
        f'backup {{ path = "{small}/backups" }}\n'
    )
    vault = Vault(store=SqliteStore(small / "data"), configuration=configuration)
    vault.mount("kv", "kv")
    for number in range(14):
        assert vault.post(f"kv/s{number}", {"value": "x" * 100_000}).status == 204
    said: list[str] = []
    keeper = BackupKeeper(vault.node, said.append, vault.failures.append)
    keeper.round()
    assert "no space left" in said[0]
    assert vault.post("sys/storage/backup").status == 502
    assert list((small / "backups").iterdir()) == []
    for number in range(3):
        assert vault.post(f"kv/t{number}", {"value": "x" * 100_000}).status == 204
    vault.node.close()
