from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
from tests.kit import SeededEntropy, Vault

from strongroom.core.inspector import Inspector
from strongroom.physical.memory import MemoryStore
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import Record, Store

CONFIGURATION = 'storage "inmem" {}\nlistener "tcp" { tls_disable = true }\n'


class Disk:
    """A store as somebody sees it who has the disk and no key."""

    def __init__(self, store: Store, database: Path | None) -> None:
        self.store = store
        self._database = database

    def rows(self) -> dict[str, Record]:
        with self.store.snapshot() as snapshot:
            return {key: record for key in snapshot.keys("") if (record := snapshot.get(key)) is not None}

    def write(self, key: str, record: Record | None) -> None:
        """Past the server: with SQLite's own tools where there is a file."""
        if self._database is None:
            self.store.commit({}, {} if record is None else {key: record}, () if record else (key,))
            return
        connection = apsw.Connection(str(self._database))
        connection.execute("DELETE FROM records WHERE key = ?", (key,))
        if record is not None:
            connection.execute("INSERT INTO records (key, version, value) VALUES (?, ?, ?)", (key, *record))
        connection.close()

    def put_back(self, before: dict[str, Record]) -> None:
        """Everything as it was."""
        now = self.rows()
        for key in now.keys() - before.keys():
            self.write(key, None)
        for key, record in before.items():
            if now.get(key) != record:
                self.write(key, record)


@pytest.fixture(params=["inmem", "sqlite"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if request.param == "inmem":
        yield Disk(MemoryStore(), None)
        return
    store = SqliteStore(tmp_path / "data")
    yield Disk(store, tmp_path / "data" / "strongroom.db")
    store.close()


@pytest.fixture
def make_vault(disk: Disk) -> Callable[[str], Vault]:
    """A vault on the disk with two secrets, each written several times; its argument is more of the configuration."""

    def make(extra: str = "") -> Vault:
        vault = Vault(store=disk.store, configuration=CONFIGURATION + extra, entropy=SeededEntropy("integrity"))
        vault.mount("kv", "kv", options={"version": "1"})
        vault.mount("other", "kv", options={"version": "1"})
        for number in range(3):
            for path in ("kv/a", "kv/b", "other/a"):
                assert vault.post(path, {"value": f"{path} {number}"}).status == 204
        return vault

    return make


@pytest.fixture
def vault(make_vault: Callable[[str], Vault]) -> Vault:
    return make_vault("")


def key_of(disk: Disk, vault: Vault, path: str) -> str:
    """Where a secret lies in the store."""
    before = disk.rows()
    assert vault.post(path, {"value": "once more"}).status == 204
    after = disk.rows()
    name = path.partition("/")[2]
    (key,) = (key for key in after if key.endswith(f"/{name}") and key in before and after[key] != before[key])
    return key


def inspect(vault: Vault) -> list[tuple[str, str]]:
    """The classes and places that an inspection finds."""
    Inspector(vault.node, vault.failures.append).round(lambda _seconds: False)
    answer = vault.get("sys/integrity")
    assert answer.status == 200, answer
    return [(finding["class"], finding["place"]) for finding in answer.data["findings"]]
