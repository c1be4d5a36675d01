"""``strongroom operator verify``: what happened is told without the server, by whoever has the keys."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from tests.cli.conftest import OURS, Done, InThisProcess
from tests.integrity.conftest import Disk, key_of
from tests.kit import Vault

from strongroom.barrier.store_root import ROOT_KEY
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import Record

run_cli = InThisProcess(OURS, {})


class Site:
    """A vault in a folder, with an audit log and an anchor; open until :meth:`stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.anchor = folder / "anchor"
        self.config = folder / "server.hcl"
        self.config.write_text(
            f'storage "sqlite" {{ path = "{self.data}" }}\nlistener "tcp" {{ tls_disable = true }}\n'
            f'audit "file" "main" {{ options {{ file_path = "{folder}/audit.log" }} }}\n'
            f'integrity_anchor = "{self.anchor}"\n'
        )
        self.store = SqliteStore(self.data)
        self.vault = Vault(store=self.store, configuration=self.config.read_text(), shares=3, threshold=2)
        self.disk = Disk(self.store, self.data / "strongroom.db")
        self.vault.mount("kv", "kv", options={"version": "1"})
        for path in ("kv/a", "kv/b"):
            assert self.vault.post(path, {"value": "first"}).status == 204
        self.vault.node.require()

    def stop(self) -> None:
        self.vault.node.close()

    def copy(self) -> Path:
        """The whole store as it is now, put aside."""
        aside = self.folder / "aside"
        connection = apsw.Connection(str(self.data / "strongroom.db"))
        connection.pragma("wal_checkpoint")
        connection.close()
        shutil.copytree(self.data, aside)
        return aside

    def verify(self, *more: str, keys: str | None = None) -> Done:
        shares = "\n".join(self.vault.shares[:2]) if keys is None else keys
        return run_cli("operator", "verify", f"-config={self.config}", "-key=-", "-format=json", *more, stdin=shares)

    def classes(self, *more: str) -> list[tuple[str, str]]:
        """What is found; the exit code must fit."""
        run = self.verify(*more)
        found = [(one["class"], one["place"]) for one in json.loads(run.out)["findings"]]
        assert run.exit_code == (1 if found else 0), run
        return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_an_intact_store_is_said_to_be_intact(site: Site) -> None:
    site.stop()
    assert site.classes() == []


def test_a_store_that_is_in_use_cannot_be_verified(site: Site) -> None:
    run = site.verify()
    assert run.exit_code == 2
    assert "stop it first" in run.out
    site.stop()


@pytest.mark.parametrize("keys", ["", "00\n11", "first\nsecond"])
def test_without_the_right_keys_nothing_is_told(site: Site, keys: str) -> None:
    site.stop()
    assert site.verify(keys=keys).exit_code == 2


def test_a_key_on_the_command_line_is_refused(site: Site) -> None:
    site.stop()
    run = run_cli("operator", "verify", f"-config={site.config}", f"-key={site.vault.shares[0]}")
    assert run.exit_code == 1
    assert site.vault.shares[0] not in run.out + run.err


Attack = Callable[[Site], tuple[str, str]]


def edit(site: Site) -> tuple[str, str]:
    key = key_of(site.disk, site.vault, "kv/a")
    version, value = site.disk.rows()[key]
    site.disk.write(key, Record(version, value[:-1] + bytes([value[-1] ^ 1])))
    return "record-edited", key


def copy_over(site: Site) -> tuple[str, str]:
    source, target = key_of(site.disk, site.vault, "kv/a"), key_of(site.disk, site.vault, "kv/b")
    site.disk.write(target, site.disk.rows()[source])
    return "record-moved", target


def replay(site: Site) -> tuple[str, str]:
    key = key_of(site.disk, site.vault, "kv/a")
    old = site.disk.rows()[key]
    assert site.vault.post("kv/a", {"value": "new"}).status == 204
    site.disk.write(key, old)
    return "record-replayed", key


def delete(site: Site) -> tuple[str, str]:
    site.disk.write(key_of(site.disk, site.vault, "kv/a"), None)
    return "record-deleted", ""


def insert(site: Site) -> tuple[str, str]:
    key = key_of(site.disk, site.vault, "kv/a")
    old = site.disk.rows()[key]
    assert site.vault.delete("kv/a").status == 204
    site.disk.write(key, old)
    return "record-inserted", key


@pytest.mark.parametrize("attack", [edit, copy_over, replay, delete, insert])
def test_what_happened_to_a_record_is_told_with_its_place(site: Site, attack: Attack) -> None:
    wanted = attack(site)
    site.stop()
    assert site.classes() == [wanted]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (ROOT_KEY, "root-edited"),
        ("barrier/keyring/0", "keyring-edited"),
        ("barrier/counter/0", "counter-set-back"),
        ("seal/config", "seal-edited"),
    ],
)
def test_what_happened_to_the_rows_of_the_keys_is_told(site: Site, row: str, kind: str) -> None:
    site.vault.node.seal()
    version, value = site.disk.rows()[row]
    if row == "seal/config":  # it must stay readable, or no key can be asked for
        edited = value.replace(b'"shares":3', b'"shares":4')
    else:
        edited = value[:-1] + bytes([value[-1] ^ 1])
    site.disk.write(row, Record(version, edited))
    site.stop()
    assert site.classes() == [(kind, row)]


def test_a_missing_root_record_is_told(site: Site) -> None:
    site.vault.node.seal()
    site.disk.write(ROOT_KEY, None)
    site.stop()
    assert site.classes() == [("root-missing", ROOT_KEY)]


def test_a_store_that_was_rolled_back_as_a_whole_is_told_by_anchor_and_log(site: Site) -> None:
    aside = site.copy()
    assert site.vault.post("kv/a", {"value": "new"}).status == 204
    site.vault.node.seal()
    site.stop()
    shutil.rmtree(site.data)
    aside.rename(site.data)
    assert site.classes() == [("rolled-back", ""), ("rolled-back", "")]
    site.anchor.unlink()
    assert site.classes() == [("anchor-missing", ""), ("rolled-back", "")]


def test_what_is_accepted_is_intact_from_then_on_and_can_be_unsealed(site: Site) -> None:
    aside = site.copy()
    assert site.vault.post("kv/a", {"value": "new"}).status == 204
    site.vault.node.seal()
    site.stop()
    shutil.rmtree(site.data)
    aside.rename(site.data)
    assert site.verify("-accept").exit_code == 1
    assert site.classes() == []
    store = SqliteStore(site.data)
    again = Vault(store=store, configuration=site.config.read_text(), is_unsealed=False)
    again.shares, again.root = site.vault.shares[:2], site.vault.root
    again.unseal()
    assert again.get("kv/a").data == {"value": "first"}
    again.node.close()


def test_a_person_reads_the_same_in_words(site: Site) -> None:
    delete(site)
    site.stop()
    run = run_cli("operator", "verify", f"-config={site.config}", "-key=-", stdin="\n".join(site.vault.shares[:2]))
    assert run.exit_code == 1
    assert "RECORD-DELETED: a record was deleted" in run.out
    assert "tampered: " in run.out


def test_where_no_database_is_nothing_is_made(site: Site) -> None:
    site.stop()
    shutil.rmtree(site.data)
    done = site.verify()
    assert done.exit_code == 2
    assert "is its disk mounted?" in done.out
    assert not site.data.exists()
