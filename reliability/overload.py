"""R-15: twice as many requests as the server can answer. ``python -m reliability.overload --seconds 30``.

First the capacity is found: the most answers within their deadline that any offered rate brought. Then twice that is offered. The load
generator takes part of the same processors, and at twice the rate it takes more; so beside the plain share of the peak there is one per
second of the *server's* processor time, which is what the server itself is answerable for. Both must hold.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.usage import MemoryWatch, memory_bytes
from reliability.audit_log import AuditLog
from reliability.open_loop import Outcome, Plan
from reliability.result import Figure, Result, run
from tools.servers import Server, serving, strongroom

CALM_SHARE = 0.3
CONNECTIONS = 900
STEPS = (0.7, 0.85, 1.0)
"""Rates that are offered to find the peak, as shares of what a closed loop reaches."""
SECRET = {"username": "service", "password": "correct horse battery staple"}


@dataclass
class Measured:
    """One run of the generator against the server."""

    outcome: Outcome

    @property
    def server_cpu(self) -> float:
        """Seconds of the server's processor time."""
        return self.outcome.server_cpu_seconds

    @property
    def goodput(self) -> float:
        """Good answers a second."""
        return self.outcome.good / self.outcome.seconds

    @property
    def per_cpu_second(self) -> float:
        """Good answers for each second of the server's processor time."""
        return self.outcome.good / self.server_cpu if self.server_cpu else 0.0


def prepare(server: Server) -> dict[str, Any]:
    """What the requests need; answers the variable parts of a plan."""
    server.must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.must("POST", "sys/auth/approle", {"type": "approle"})
    rules = 'path "secret/*" { capabilities = ["create", "read", "update"] }'
    server.must("PUT", "sys/policies/acl/load", {"policy": rules})
    for number in range(100):
        server.must("POST", f"secret/data/read/{number}", {"data": SECRET})
    server.must("POST", "auth/approle/role/load", {"token_policies": "load", "token_ttl": "10m"})
    role_id = server.must("GET", "auth/approle/role/load/role-id")["data"]["role_id"]
    secret_id = server.must("POST", "auth/approle/role/load/secret-id")["data"]["secret_id"]
    login = server.must("POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret_id})
    return {"token": login["auth"]["client_token"], "role_id": role_id, "secret_id": secret_id}


class Load:
    """Runs the generator, in a process of its own, and keeps account of everything that was acknowledged."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parts = prepare(server)
        self._seed = 0
        self.answered: list[str] = []
        self.written: dict[str, list[int]] = {}

    def offer(self, rate: float, seconds: float, connections: int = CONNECTIONS) -> Measured:
        """Offer ``rate`` arrivals a second; 0 is a closed loop."""
        self._seed += 1
        plan = Plan(
            port=self._server.port,
            ca_file=str(self._server.certificate),
            rate=rate,
            seconds=seconds,
            connections=connections,
            seed=self._seed,
            server_pid=self._server.process.pid,
            **self._parts,
        )
        done = subprocess.run(
            [sys.executable, "-m", "reliability.open_loop"],
            input=json.dumps(dataclasses.asdict(plan)),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        measured = Measured(Outcome(**json.loads(done.stdout)))
        self.answered += measured.outcome.answered
        for key, versions in measured.outcome.written.items():
            self.written.setdefault(key, []).extend(versions)
        shown = {
            k: v
            for k, v in dataclasses.asdict(measured.outcome).items()
            if k not in {"answered", "written", "timeline"}
        }
        sys.stderr.write(
            f"rate {rate:.0f}: goodput {measured.goodput:.0f}, server cpu {measured.server_cpu:.1f} {shown}\n"
        )
        return measured

    def lost_writes(self) -> int:
        """Writes that were acknowledged and are not in the store, or whose version was given to another one as well."""
        lost = 0
        for key, versions in self.written.items():
            found = self._server.must("GET", f"secret/metadata/{key}")["data"]["current_version"]
            lost += len(versions) - len(set(versions)) + sum(version > found or version < 1 for version in versions)
        return lost

    def unrecorded(self) -> int:
        """Good answers whose record is not in the audit log."""
        log = AuditLog(self._server.folder / "audit.log")
        log.read()
        return sum(identity not in log.responses for identity in self.answered) + log.broken


def prove(arguments: argparse.Namespace) -> Result:
    """Find the peak, offer twice as much, and look whether things are as before afterwards."""
    seconds = float(arguments.seconds)
    step = max(2.0, seconds / 5)
    with tempfile.TemporaryDirectory(prefix="overload-") as scratch, serving(strongroom(), Path(scratch)) as server:
        server.initialize()
        load = Load(server)
        load.offer(0, 1.0, 64)
        limit = load.offer(0, step, 64).goodput
        steps = [load.offer(limit * share, step) for share in STEPS]
        peak = max(steps, key=lambda measured: measured.goodput)
        calm = load.offer(limit * CALM_SHARE, step, 64)
        with MemoryWatch(server.process.pid) as memory:
            over = load.offer(2 * peak.goodput, seconds)
        after = load.offer(limit * CALM_SHARE, step, 64)
        figures: dict[str, Figure] = {
            "n": over.outcome.offered,
            "peak": round(peak.goodput),
            "goodput": round(over.goodput),
            "share_of_peak_lost": round(1 - over.goodput / peak.goodput, 3),
            "same_per_server_cpu": round(1 - over.per_cpu_second / peak.per_cpu_second, 3),
            "refused": over.outcome.refused,
            "late": over.outcome.late,
            "never_sent": over.outcome.never_sent,
            "without_retry_after": over.outcome.refused_without_retry_after,
            "other_answers": over.outcome.other_answers,
            "broken_connections": over.outcome.broken_connections,
            "good_p99": round(over.outcome.good_p99, 3),
            "refused_p50": round(over.outcome.refused_p50, 3),
            "refused_p99": round(over.outcome.refused_p99, 3),
            "times_what_its_cpu_allowed": round(over.outcome.offered / (peak.per_cpu_second * over.server_cpu), 1),
            "server_cpu_share": round(over.server_cpu / (2 * seconds), 2),
            "generator_cpu_share": round(over.outcome.own_cpu_seconds / (2 * seconds), 2),
            "generator_lag_p99": round(over.outcome.lag_p99, 3),
            "lost_writes": load.lost_writes(),
            "unrecorded": load.unrecorded(),
            "memory_growth_mib": round(memory.growth / 2**20, 1),
            "memory_mib": round(memory_bytes(server.process.pid) / 2**20, 1),
            "calm_p99_before": round(calm.outcome.good_p99, 3),
            "calm_p99_after": round(after.outcome.good_p99, 3),
        }
    zero = ("without_retry_after", "other_answers", "broken_connections", "lost_writes", "unrecorded")
    bars = {"share_of_peak_lost": 0.2, "refused_p99": 1.0, "calm_p99_after": 0.25}
    return Result("R-15 overload", figures, zero, bars)


if __name__ == "__main__":
    run(prove, seconds=30)
