"""R-19: backups and restores that are killed. ``python -m reliability.backup_kills --cycles 60``.

The real server under four writers makes one scheduled backup after the other and is killed in the middle of one; whatever lies in the folder afterwards
under the name of a backup must be one, and be restored to what was acknowledged before it began. A restore is killed at each of its failpoints and at any other
moment, on an empty host and on one that holds a vault: the host must hold the vault of before, none, or the restored one, and a second try must succeed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from reliability.armed import VARIABLE
from reliability.lab import Asked, Lab
from reliability.result import Figure, Result, percentile, run
from reliability.server import Client, Gone, Server, together
from strongroom.backup.damage import BadBackup
from strongroom.backup.reading import look
from strongroom.physical.sqlite import has_database

POINTS = ("restore_before_swap", "restore_after_aside", "restore_after_swap", "before_commit", "keyring_after_persist")
FILLING = "x" * 60_000
SECRETS = 40


@dataclass
class Tally:
    """What all cycles came to."""

    kills: int = 0
    backups: int = 0
    partial_left: int = 0
    lost: int = 0
    torn: int = 0
    killed_states: dict[str, int] = field(default_factory=dict)
    restore_seconds: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def wrong(self, text: str, *, is_torn: bool = False) -> None:
        """Something is not as it must be."""
        self.findings.append(text)
        if is_torn:
            self.torn += 1
        else:
            self.lost += 1


class Counters:
    """Four numbers that clients count upwards, through all kills: what was begun, what was acknowledged, and when that was so."""

    def __init__(self) -> None:
        self.begun, self.acknowledged = [0] * 4, [0] * 4
        self.samples: list[tuple[float, list[int]]] = []

    def write(self, client: Client, writer: int) -> None:
        """Count until the server is gone."""
        try:
            while True:
                self.begun[writer] += 1
                if client.call("POST", f"kv/w{writer}", {"number": self.begun[writer]}).is_good:
                    self.acknowledged[writer] = self.begun[writer]
        except Gone:
            client.close()

    def sample(self) -> None:
        """Note what is acknowledged now."""
        self.samples.append((time.time(), list(self.acknowledged)))

    def before(self, moment: float) -> list[int]:
        """What was acknowledged by then."""
        return next((counts for at, counts in reversed(self.samples) if at <= moment), [0] * 4)


def kill_backups(scratch: Path, cycles: int, tally: Tally, chance: random.Random) -> tuple[Path, Server, list[int]]:
    """Kill a server in the middle of its backups. Answers a backup that stayed, the server, and the least that the four numbers are in it."""
    server, folder, counters = Server(scratch / "server"), scratch / "backups", Counters()
    server.more = f'backup {{\n path = "{folder}"\n interval = "1s"\n keep = 3\n}}\n'
    server.start()
    server.initialize()
    client = server.client()
    client.must("POST", "sys/mounts/kv", {"type": "kv"})
    for number in range(SECRETS):
        client.must("POST", f"kv/s{number}", {"value": FILLING})
    for cycle in range(cycles):
        known = set(folder.glob("*.backup"))
        threads = together(*(partial(counters.write, server.client(), writer) for writer in range(4)))
        if cycle % 2:
            server.arm(f"backup_after_pages=kill@{chance.randint(1, 12)}")
        end = time.monotonic() + (8 if cycle % 2 else chance.uniform(2.0, 5.0))
        while server.process is not None and server.process.poll() is None and time.monotonic() < end:
            counters.sample()
            time.sleep(0.01)
        server.kill()
        tally.kills += 1
        for thread in threads:
            thread.join()
        for path in set(folder.glob("*.backup")) - known:
            _look_into(path, tally)
        tally.partial_left += len(list(folder.glob(".*.partial")))
        server.start()
        server.unseal()
    server.wait_for(lambda: not list(folder.glob(".*.partial")), "remove what was left of a backup")
    server.wait_for(lambda: bool(list(folder.glob("*.backup"))), "make a backup")
    newest = max(folder.glob("*.backup"))
    moment = dt.datetime.strptime(newest.name.split("-")[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC).timestamp()
    return newest, server, counters.before(moment)


def _look_into(path: Path, tally: Tally) -> None:
    tally.backups += 1
    try:
        with path.open("rb") as file:
            look(file)
    except BadBackup as error:
        tally.wrong(f"what is called a backup is none: {error}", is_torn=True)
    except FileNotFoundError:
        return  # an older one, which was removed meanwhile


def kill_restores(
    scratch: Path, file: Path, saved: tuple[Server, list[int]], cycles: int, tally: Tally, chance: random.Random
) -> None:
    """Kill restores of ``file``, and look at what is there."""
    server, least = saved
    marker = scratch / "host"
    for cycle in range(cycles):
        host = marker / str(cycle)
        host.mkdir(mode=0o700, parents=True)
        configuration = host / "server.hcl"
        configuration.write_text(
            f'storage "sqlite" {{ path = "{host}/data" }}\nlistener "tcp" {{ tls_disable = true }}\n'
        )
        had_vault = cycle % 2 == 1
        if had_vault and _restore(file, configuration, server) != 0:
            tally.wrong("a restore to an empty host failed")
            continue
        before = (host / "data" / "strongroom.db").read_bytes() if had_vault else b""
        point = POINTS[cycle // 2 % len(POINTS)] if cycle % 4 < 2 else ""
        _restore(
            file,
            configuration,
            server,
            armed=f"{point}=kill" if point else "",
            kill_after=0 if point else chance.uniform(0.2, 1.0),
        )
        tally.kills += 1
        state = _state(host, before, saved, tally)
        tally.killed_states[state] = tally.killed_states.get(state, 0) + 1
        began = time.monotonic()
        if _restore(file, configuration, server) != 0:
            tally.wrong(f"after a kill at {point or 'some moment'} the restore does not work again")
        tally.restore_seconds.append(time.monotonic() - began)
        if _look_at(host, server, least) != "restored":
            tally.wrong("a restored vault does not hold what the backup held")


def _restore(file: Path, configuration: Path, server: Server, *, armed: str = "", kill_after: float = 0) -> int:
    command = [sys.executable, "-m", "reliability.armed_restore", str(file), str(configuration)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env={**os.environ, VARIABLE: armed}
    )
    if process.stdin is not None:
        process.stdin.write(server.unseal_keys[0].encode())
        process.stdin.close()
    if kill_after:
        time.sleep(kill_after)
        process.send_signal(signal.SIGKILL)
    return process.wait()


def _state(host: Path, before: bytes, saved: tuple[Server, list[int]], tally: Tally) -> str:
    """What a killed restore left: the vault of before, none, or the restored one."""
    data = host / "data"
    if not data.exists() or not has_database(data):
        kept = [path.read_bytes() for path in data.glob("replaced-*/strongroom.db")] if data.exists() else []
        if before and before not in kept:
            tally.wrong("the vault of before is gone")
        return "empty"
    if before and (data / "strongroom.db").read_bytes() == before:
        return "as before"
    found = _look_at(host, *saved)
    if found != "restored":
        tally.wrong(f"a killed restore left a vault that is {found}", is_torn=True)
    return found


def _look_at(host: Path, server: Server, least: list[int]) -> str:
    """Whether the vault in ``host`` opens and holds every secret, and numbers that are not less than ``least``. It is looked at in a copy."""
    with tempfile.TemporaryDirectory(dir=host.parent) as name:
        copy = Path(name)
        subprocess.run(["cp", "-a", str(host / "data"), str(copy / "data")], check=True)
        lab = Lab(copy)
        try:
            lab.node.submit_unseal_share(server.unseal_keys[0])
            told = lab.ask(*(Asked("GET", f"kv/s{number}", None, server.token) for number in range(SECRETS)))
            good = all(one.status == 200 and one.body["data"]["value"] == FILLING for one in told)
            counted = lab.ask(*(Asked("GET", f"kv/w{writer}", None, server.token) for writer in range(4)))
            numbers = [one.body["data"]["number"] if one.status == 200 else 0 for one in counted]
            good = good and all(number >= known for number, known in zip(numbers, least, strict=True))
            return "restored" if good else "not whole"
        finally:
            lab.close()


def prove(arguments: argparse.Namespace) -> Result:
    """Kill backups, then restores."""
    chance, tally = random.Random(arguments.seed), Tally()
    with tempfile.TemporaryDirectory(prefix="backup-kills-") as name:
        scratch = Path(name)
        file, server, least = kill_backups(scratch, arguments.cycles // 3, tally, chance)
        server.kill()
        file = file.rename(scratch / "saved.backup")
        kill_restores(scratch, file, (server, least), arguments.cycles - arguments.cycles // 3, tally, chance)
    figures: dict[str, Figure] = {
        "n": tally.kills,
        "backups_in_the_folder": tally.backups,
        "partial_files_removed": tally.partial_left,
        **{
            f"restores_that_left_it_{state.replace(' ', '_')}": count
            for state, count in sorted(tally.killed_states.items())
        },
        "torn": tally.torn,
        "lost": tally.lost,
        "restore_p95": round(percentile(tally.restore_seconds, 0.95), 3),
    }
    return Result("R-19 backup kill -9", figures, ("torn", "lost"), {}, tally.findings)


if __name__ == "__main__":
    run(prove, cycles=60)
