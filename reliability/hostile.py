"""R-14: hostile clients, one kind after the other, while a normal one asks. ``python -m reliability.hostile``.

Counted are answers of 500 and above (but for refusals under overload, which say when to come back), by how much the server's memory grew, and how
long the normal client waited. It is another address, as another client would be. The attackers run at low priority, because theirs would be other
machines; what they cost the server is all the server's. ``--only "noise;handshakes"`` runs some.

The memory of password hashes is told apart: they need it, and the pool bounds how many run at once.
"""

from __future__ import annotations

import argparse
import bisect
import dataclasses
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.usage import MemoryWatch
from reliability.hostile_payloads import ATTACKS, BODY_BYTES, Target
from reliability.open_loop import UNTIL_TOLD, Outcome, Plan
from reliability.overload import prepare
from reliability.result import Figure, Result, percentile, run
from tools.servers import serving, strongroom

NORMAL_RATE = 80.0
CALM_SECONDS = 4.0
LONGEST_SECONDS = 240.0
REST_SECONDS = 0.3
MEMORY_BAR = 2 * BODY_BYTES


def _normal_client(plan: Plan) -> subprocess.Popen[str]:
    client = subprocess.Popen(
        [sys.executable, "-m", "reliability.open_loop", UNTIL_TOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if client.stdin is None:
        raise RuntimeError("the normal client has no input")
    client.stdin.write(json.dumps(dataclasses.asdict(plan)) + "\n")
    client.stdin.flush()
    return client


def _within(outcome: Outcome, began: float, ended: float) -> list[float]:
    first = bisect.bisect_left(outcome.timeline, (began, 0.0))
    return [took for due, took in outcome.timeline[first:] if due < ended]


def prove(arguments: argparse.Namespace) -> Result:
    """Every attack in turn, under the eyes of a normal client."""
    spans: dict[str, tuple[float, float]] = {}
    growth: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="hostile-") as scratch, serving(strongroom(), Path(scratch)) as server:
        server.initialize()
        parts = prepare(server)
        server.must("POST", "sys/auth/userpass", {"type": "userpass"})
        server.must("POST", "auth/userpass/users/someone", {"password": "a password of theirs"})
        plan = Plan(
            port=server.port,
            ca_file=str(server.certificate),
            rate=NORMAL_RATE,
            seconds=LONGEST_SECONDS,
            connections=8,
            server_pid=server.process.pid,
            deadline=5.0,
            source="127.0.0.2",
            seed=arguments.seed,
            **parts,
        )
        normal = _normal_client(plan)
        time.sleep(1.0)
        os.nice(10)
        context = ssl.create_default_context(cafile=str(server.certificate))
        target = Target(server.port, context, parts["token"])
        spans["calm"] = (time.monotonic(), time.monotonic() + CALM_SECONDS)
        time.sleep(CALM_SECONDS)
        chosen = arguments.only.split(";") if arguments.only else list(ATTACKS)
        for name, attack in ((name, ATTACKS[name]) for name in chosen):
            before = len(target.statuses)
            with MemoryWatch(server.process.pid, 0.1) as memory:
                began = time.monotonic()
                attack(target)
                spans[name] = (began, time.monotonic())
            growth[name] = memory.growth
            told = sorted(set(target.statuses[before:]))
            sys.stderr.write(
                f"{name}: {len(target.statuses) - before} answers {told}, {memory.growth / 2**20:.1f} MiB\n"
            )
            time.sleep(REST_SECONDS)
        is_alive = server.answers()
        printed, _ = normal.communicate("enough\n")
    outcome = Outcome(**json.loads(printed))
    outcome.timeline = sorted((float(due), float(took)) for due, took in outcome.timeline)
    times = {name: _within(outcome, *span) for name, span in spans.items()}
    for name, found in times.items():
        sys.stderr.write(f"{name}: normal client p99 {percentile(found, 0.99) * 1000:.0f} ms of {len(found)}\n")
    under_attack = [took for name, found in times.items() if name != "calm" for took in found]
    hashes = growth.pop("wrong passwords", 0)
    growth.setdefault("none of them", 0)
    worst = max(growth, key=lambda name: growth[name])
    slowest = max((name for name in times if name != "calm"), key=lambda name: percentile(times[name], 0.99))
    figures: dict[str, Figure] = {
        "n": len(target.statuses),
        "attacks": len(chosen),
        "server_errors": sum(status >= 500 and status != 503 for status in target.statuses),
        "refused_under_overload": target.statuses.count(503),
        "slow_headers_end_after": round(target.slow_header_seconds, 1),
        "memory_growth_mib": round(growth[worst] / 2**20, 1),
        "memory_grew_most_by": worst,
        "memory_of_password_hashes_mib": round(hashes / 2**20, 1),
        "normal_p99_calm": round(percentile(times["calm"], 0.99), 3),
        "normal_p99": round(percentile(under_attack, 0.99), 3),
        "normal_p99_worst_attack": round(percentile(times[slowest], 0.99), 3),
        "worst_attack": slowest,
        "normal_asked": len(under_attack),
        "normal_refused": outcome.refused + outcome.other_answers + outcome.broken_connections,
    }
    bars = {"memory_growth_mib": MEMORY_BAR / 2**20, "normal_p99": 0.1, "slow_headers_end_after": 15.0}
    findings = [] if is_alive else ["the server does not answer any more"]
    return Result("R-14 hostile input", figures, ("server_errors", "normal_refused"), bars, findings)


if __name__ == "__main__":
    run(prove, only="")
