"""R-2: the loss of power at any moment of the real store. ``python -m reliability.power_loss --points 20000``.

A workload runs on a file layer that remembers what it was told. For moments drawn by chance, and for each way of losing what was not
synced, the disk of that moment is made again and opened by the real store. It must hold a state that really was, not older than the last
acknowledged commit, and pass SQLite's integrity check.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reliability.checker import check_database
from reliability.recording_disk import Disk, Loss, RecordingDisk
from reliability.result import Figure, Result, run
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.sqlite.folder import DATABASE
from strongroom.physical.store import Record, Unavailable

COMMITS = 120
KEYS = 60
NUMBER = "number"
# So few pages that the log is written back, and begun anew, many times in one workload.
CHECKPOINT_PAGES = 24


@dataclass
class Story:
    """What happened: the states after each commit, and which was acknowledged when (as a count of operations)."""

    states: list[dict[str, Record]] = field(default_factory=lambda: [{}])
    acknowledged: list[int] = field(default_factory=lambda: [0])

    def least(self, operations: int) -> int:
        """The last commit that was acknowledged when so many operations had been done."""
        return max(number for number, at in enumerate(self.acknowledged) if at <= operations)


def record(disk: RecordingDisk, folder: Path, chance: random.Random, *, synchronous: str = "EXTRA") -> Story:
    """Run the workload. With another setting than EXTRA the harness must find losses, or it could not find any."""
    story = Story()
    store = _open(folder, disk.name, synchronous)
    story.acknowledged[0] = len(disk.operations)
    for number in range(1, COMMITS + 1):
        puts, deletes = _change(number, chance)
        state = {key: kept for key, kept in story.states[-1].items() if key not in deletes} | puts
        store.commit({}, puts, deletes)
        story.states.append(state)
        story.acknowledged.append(len(disk.operations))
        if number % 40 == 0:
            store.close()
            store = _open(folder, disk.name, synchronous)
    store.close()
    return story


def _open(folder: Path, vfs: str, synchronous: str) -> SqliteStore:
    store = SqliteStore(folder, vfs=vfs)
    store._writer.pragma("wal_autocheckpoint", CHECKPOINT_PAGES)  # noqa: SLF001 -- so that checkpoints come often
    if synchronous != "EXTRA":
        store._writer.pragma("synchronous", synchronous)  # noqa: SLF001 -- a flaw that the harness has to find
    return store


def _change(number: int, chance: random.Random) -> tuple[dict[str, Record], list[str]]:
    puts = {NUMBER: Record(number, str(number).encode())}
    for _ in range(chance.randint(1, 5)):
        puts[f"key/{chance.randrange(KEYS)}"] = Record(number, chance.randbytes(chance.randint(1, 3000)))
    return puts, [f"key/{chance.randrange(KEYS)}" for _ in range(chance.randint(0, 2))]


class Verdicts:
    """Counts what the disks came to."""

    def __init__(self) -> None:
        self.points = self.lost = self.corrupt = 0
        self.findings: list[str] = []

    def judge(self, folder: Path, story: Story, operations: int, loss: Loss) -> None:
        """Open the disk in ``folder`` and compare."""
        self.points += 1
        try:
            store = SqliteStore(folder)
        except Unavailable:
            self._corrupt(operations, loss, "does not open")
            return
        try:
            with store.snapshot() as snapshot:
                found = {key: snapshot.get(key) for key in snapshot.keys("")}
        except Unavailable:
            self._corrupt(operations, loss, "cannot be read")
            return
        finally:
            store.close()
        counted = found.get(NUMBER)
        number = 0 if counted is None else int(counted.value)
        if number < story.least(operations):
            self.lost += 1
            self.findings.append(f"lost after {operations} operations: {loss.name}")
        elif number >= len(story.states) or found != story.states[number]:
            self._corrupt(operations, loss, "is a state that never was")
        elif check_database(folder):
            self._corrupt(operations, loss, "fails the integrity check")

    def _corrupt(self, operations: int, loss: Loss, what: str) -> None:
        self.corrupt += 1
        self.findings.append(f"{what} after {operations} operations: {loss.name}")


def points(disk: RecordingDisk, from_operation: int, count: int, chance: random.Random) -> Iterator[tuple[int, Disk]]:
    """The disk at ``count`` moments drawn by chance, in order."""
    chosen = {chance.randrange(from_operation, len(disk.operations) + 1) for _ in range(count)}
    state = Disk({DATABASE: bytearray()})
    for done in range(len(disk.operations) + 1):
        if done in chosen:
            yield done, state
        if done < len(disk.operations):
            state.apply(disk.operations[done])


def write_disk(files: dict[str, bytearray], folder: Path) -> None:
    """Make the files of a disk in the empty ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        with os.fdopen(os.open(folder / name, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            file.write(content)


def lose_power(number: int, scratch: Path, seed: int, verdicts: Verdicts, synchronous: str = "EXTRA") -> None:
    """One workload, with ``number`` losses of power in all."""
    chance = random.Random(seed)
    disk = RecordingDisk(f"recording-{seed}")
    try:
        shutil.rmtree(scratch / "live", ignore_errors=True)
        story = record(disk, scratch / "live", chance, synchronous=synchronous)
        for done, state in points(disk, story.acknowledged[0], number // len(Loss), chance):
            for loss in Loss:
                write_disk(state.after(loss, chance), scratch / "disk")
                verdicts.judge(scratch / "disk", story, done, loss)
    finally:
        disk.unregister()


def prove(arguments: argparse.Namespace) -> Result:
    """As many workloads as it takes to reach the points."""
    verdicts, seed = Verdicts(), arguments.seed
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="power-", dir=memory if memory.is_dir() else None) as scratch:
        while verdicts.points < arguments.points:
            lose_power(min(1000, arguments.points - verdicts.points + len(Loss)), Path(scratch), seed, verdicts)
            seed += 1
    figures: dict[str, Figure] = {
        "n": verdicts.points,
        "workloads": seed - arguments.seed,
        "lost": verdicts.lost,
        "corrupt": verdicts.corrupt,
    }
    return Result("R-2 power loss", figures, ("lost", "corrupt"), {}, verdicts.findings)


if __name__ == "__main__":
    run(prove, points=20_000)
