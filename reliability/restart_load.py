"""R-18: the server is restarted while it is busy, by SIGTERM and by SIGKILL. ``python -m reliability.restart_load --rounds 20``.

What was acknowledged is there again. After SIGTERM whatever the server had begun is finished, and it ends by itself in good order.
"""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from reliability.readers import Load
from reliability.result import Result, percentile, run
from reliability.server import Server

BEGUN_SECONDS = 0.05
"""A slow request that was sent so long before the signal has begun."""
GRACE_SECONDS = 15.0


@dataclass
class Tally:
    """What all rounds came to."""

    rounds: int = 0
    lost: int = 0
    unfinished: int = 0
    finished: int = 0
    away: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def _round(load: Load, tally: Tally, chance: random.Random, *, is_kill: bool) -> None:
    server = load.server
    tally.rounds += 1
    load.seen.clear()
    load.start()
    time.sleep(chance.uniform(0.15, 0.4))
    told_at = time.monotonic()
    if is_kill:
        server.signal(signal.SIGKILL)
    elif server.process is not None:
        server.process.terminate()
    code = server.wait()
    ended_at = time.monotonic()
    load.stop()
    if not is_kill:
        tally.ends.append(ended_at - told_at)
        if code != 0 or ended_at - told_at > GRACE_SECONDS:
            tally.findings.append(f"the server ended with {code} after {ended_at - told_at:.1f} s")
        _count_begun(load, tally, told_at)
    server.recover()
    tally.away.append(time.monotonic() - told_at)
    tally.lost += load.lost()


def _count_begun(load: Load, tally: Tally, told_at: float) -> None:
    for one in load.seen:
        if one.kind == "login" and one.asked_at < told_at - BEGUN_SECONDS and one.answered_at > told_at:
            tally.finished += one.status == 200
            tally.unfinished += one.status != 200


def prove(arguments: argparse.Namespace) -> Result:
    """Rounds on one process and on two, by both signals in turn."""
    chance, tally = random.Random(arguments.seed), Tally()
    with tempfile.TemporaryDirectory(prefix="restart-load-") as scratch:
        for workers in (1, 2):
            server = Server(Path(scratch) / f"{workers}", workers)
            server.start()
            server.initialize()
            load = Load(server, logins=3)
            load.prepare()
            for number in range(arguments.rounds // 2):
                _round(load, tally, chance, is_kill=number % 2 == 1)
            server.kill()
    figures: dict[str, int | float | str] = {
        "n": tally.rounds,
        "lost": tally.lost,
        "begun_and_finished": tally.finished,
        "begun_and_not_finished": tally.unfinished,
        "end_p95": round(percentile(tally.ends, 0.95), 3),
        "away_p95": round(percentile(tally.away, 0.95), 3),
    }
    return Result("R-18 restart under load", figures, ("lost", "begun_and_not_finished"), {}, tally.findings)


if __name__ == "__main__":
    run(prove, rounds=20)
