from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from tests.physical.stores import keys, put

from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import Record, Unavailable, Unknown


class FaultyFile(apsw.VFSFile):
    """A file whose writes and syncs fail once the layer was told to let a number of them pass."""

    def __init__(self, layer: FaultyLayer, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type] # handed through
        self._layer = layer

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- the layer's name for it
        self._layer.count()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802 -- the layer's name for it
        self._layer.count()
        super().xSync(flags)


class FaultyLayer(apsw.VFS):
    """A file layer for SQLite on top of the usual one."""

    def __init__(self, name: str) -> None:
        self.passing = -1
        self.error: type[Exception] = apsw.IOError
        super().__init__(name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> FaultyFile:  # noqa: N802 -- as above
        return FaultyFile(self, "", name, flags)

    def count(self) -> None:
        if self.passing == 0:
            raise self.error
        self.passing -= self.passing > 0


@pytest.fixture
def layer() -> Iterator[FaultyLayer]:
    layer = FaultyLayer("faulty")
    yield layer
    layer.passing = -1
    layer.unregister()


@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError])
def test_whichever_write_fails_the_answer_is_true_and_nothing_acknowledged_is_lost(
    layer: FaultyLayer, tmp_path: Path, error: type[Exception]
) -> None:
    layer.error = error
    answers = set()
    for passing in itertools.count():
        folder = tmp_path / f"{passing}"
        store = SqliteStore(folder, vfs="faulty")
        put(store, "before")
        layer.passing = passing
        outcome: Exception | None = None
        try:
            store.commit({}, {f"k{number}": Record(2, bytes(2000)) for number in range(8)}, ["before"])
        except (Unknown, Unavailable) as failed:
            outcome = failed
        is_over = layer.passing > 0
        layer.passing = -1
        if isinstance(outcome, Unknown):
            with pytest.raises(Unavailable, match="stopped"):
                store.snapshot()
            with pytest.raises(Unavailable, match="stopped"):
                put(store, "c")
        store.close()
        again = SqliteStore(folder)
        found = keys(again)
        again.close()
        old, new = ["before"], [f"k{number}" for number in range(8)]
        allowed = {type(None): [new], Unknown: [old, new]}.get(type(outcome), [old])
        assert found in allowed
        answers.add(type(outcome))
        if is_over:
            break
    assert answers >= {Unknown, type(None)}


KILLED = """
import os, sys, threading
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import Record
store = SqliteStore(sys.argv[1])
def work(name):
    for number in range(10_000):
        store.commit({}, {f"{name}/{number:05}": Record(number, b"x" * 300)}, ())
        os.write(1, f"{name}/{number:05}\\n".encode())  # one call, so that lines of threads do not mix
for name in "abc":
    threading.Thread(target=work, args=(name,), daemon=True).start()
threading.Event().wait()
"""


def test_every_acknowledged_commit_of_a_killed_server_is_there_again(folder: Path) -> None:
    acknowledged: list[str] = []
    for target in (40, 90, 140):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        while len(acknowledged) < target:
            acknowledged.append(process.stdout.readline().strip())
        process.send_signal(signal.SIGKILL)
        acknowledged.extend(line.strip() for line in process.stdout.read().splitlines() if len(line) == 7)
        process.wait()
        process.stdout.close()
        store = SqliteStore(folder)
        found = set(keys(store))
        integrity = store._writer.pragma("integrity_check")
        store.close()
        assert set(acknowledged) <= found
        assert integrity == "ok"
