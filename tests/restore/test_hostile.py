"""Nothing that comes with a backup names a file, a program or an address that the configuration does not allow (SECURITY INV-15)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.kit import Vault
from tests.restore.sites import Site

from strongroom.mounts.entry import MountEntry
from strongroom.mounts.table import MountTable, touch_epoch
from strongroom.physical.sqlite import SqliteStore
from strongroom.system import audit_devices
from strongroom.system.audit_devices import StoredDevice


def planted(vault: Vault, path: str, **options: str) -> None:
    """An audit device that the API would never have taken, put into the store by somebody who has the keys."""
    stored = StoredDevice(name="planted", type="file", options={"file_path": path, **options})
    with vault.node.require().barrier.transaction() as transaction:
        audit_devices.store(transaction, stored)
        touch_epoch(transaction)
        vault.node.require().barrier.commit(transaction)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "one")


@pytest.fixture
def target(tmp_path: Path) -> Site:
    return Site(tmp_path / "two")


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("{tmp}/elsewhere/audit.log", {}),
        ("/etc/cron.d/strongroom", {}),
        ("/var/log/strongroom-planted.log", {}),
        ("{tmp}/allowed/../elsewhere.log", {}),
        ("{tmp}/allowed/link/audit.log", {}),
        ("relative.log", {}),
        ("stdout", {}),
        ("discard", {}),
        ("{tmp}/allowed/x.log", {"log_raw": "true"}),
        ("{tmp}/allowed/x.log", {"prefix": "* * * * * root sh "}),
        ("{tmp}/allowed/x.log", {"unknown": "option"}),
        ("", {}),
    ],
)
@pytest.mark.parametrize("folders", ['audit_paths_allowed = ["{tmp}/allowed"]', ""], ids=["a folder allowed", "none"])
def test_a_restore_refuses_an_audit_device_that_the_configuration_does_not_allow(
    site: Site, target: Site, tmp_path: Path, folders: str, path: str, options: dict[str, str]
) -> None:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "link").symlink_to("/etc")
    vault = site.found()
    planted(vault, path.format(tmp=tmp_path), **options)
    file = site.save(vault)
    target.configure(folders.format(tmp=tmp_path))
    target.shares = site.shares
    assert "does not allow" in target.refusal(file)
    assert not target.data.exists()


def test_what_the_configuration_allows_is_restored_and_used(site: Site, target: Site, tmp_path: Path) -> None:
    (tmp_path / "allowed").mkdir()
    vault = site.found()
    planted(vault, f"{tmp_path}/allowed/second.log")
    file = site.save(vault)
    target.configure(f'audit_paths_allowed = ["{tmp_path}/allowed"]')
    target.shares, target.root = site.shares, site.root
    assert target.restore(file, "-keep-tokens").exit_code == 0
    again = target.unsealed()
    assert again.get("kv/a").status == 200
    assert (tmp_path / "allowed" / "second.log").read_text().count("kv/a") == 2
    again.node.close()


@pytest.mark.parametrize(
    "path", ["/etc/cron.d/strongroom-planted", "{tmp}/elsewhere.log", "/var/log/strongroom-planted"]
)
def test_an_unseal_opens_no_audit_file_that_the_configuration_does_not_allow(
    site: Site, tmp_path: Path, path: str
) -> None:
    path = path.format(tmp=tmp_path)
    vault = site.found()
    planted(vault, path)
    vault.node.close()
    again = site.unsealed()
    assert again.get("kv/a").status == 200
    assert not Path(path).exists()
    health = {one.name: one for one in again.node.broker.health}
    assert not health["planted"].is_healthy
    assert "does not allow" in health["planted"].reason
    again.node.close()


def test_a_mount_of_a_type_that_is_no_plug_answers_nothing(site: Site, target: Site) -> None:
    vault = site.found()
    entry = MountEntry(
        path="evil/",
        type="plugin",
        uuid="00000000-0000-4000-8000-00000000eeee",
        accessor="plugin_1",
        description="/bin/sh",
    )
    entry.options = {"command": "/bin/sh", "plugin_dir": "/tmp"}
    with vault.node.require().barrier.transaction() as transaction:
        MountTable.store(transaction, entry)
        touch_epoch(transaction)
        vault.node.require().barrier.commit(transaction)
    file = site.save(vault)
    target.shares, target.root = site.shares, site.root
    assert target.restore(file, "-keep-tokens").exit_code == 0
    again = target.unsealed()
    for method in ("GET", "POST", "LIST", "DELETE"):
        assert again.call(method, "evil/anything", {} if method == "POST" else None).status in {404, 405}
    assert again.failures == []
    again.node.close()


def test_rows_that_are_no_rows_of_ours_are_never_run(target: Site, site: Site) -> None:
    """The restored database has the tables of ours and nothing else: no trigger, no view, whatever the backup holds."""
    vault = site.found()
    file = site.save(vault)
    target.shares = site.shares
    assert target.restore(file).exit_code == 0
    import apsw

    connection = apsw.Connection(str(target.data / "strongroom.db"))
    kinds = {str(row[0]) for row in connection.execute("SELECT type FROM sqlite_schema")}
    connection.close()
    assert kinds <= {"table", "index"}
    SqliteStore(target.data).close()
