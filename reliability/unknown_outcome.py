"""R-3, on the real server: a commit that fails, before and after it is durable. ``python -m reliability.unknown_outcome --rounds 12``.

The client is told that the outcome is unknown, the server seals itself and every process of it ends; started again, the store holds
one of the two outcomes, and trying again with check-and-set is safe.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from reliability.result import Result, run
from reliability.server import Gone, Server

END_SECONDS = 15.0
ARMED_SECONDS = 0.05
"""So long it takes at most until every process has heard the signal that arms the point."""
SERVED_SECONDS = 1.0


class Rounds:
    """A server that is broken again and again."""

    def __init__(self, server: Server, chance: random.Random) -> None:
        self.server = server
        self.chance = chance
        self.findings: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.number = 0
        self.served: list[float] = []
        """How long after the answer "unknown" a sibling process still served."""

    def prepare(self) -> None:
        """Start it for the first time."""
        self.server.start()
        self.server.initialize()
        client = self.server.client()
        client.must("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
        client.must("POST", "kv/data/other", {"data": {"a": "b"}})

    def strike(self, point: str) -> None:
        """One failed commit."""
        self.number += 1
        path = f"kv/data/s{self.number}"
        body = {"data": {"number": self.number}, "options": {"cas": 0}}
        client = self.server.client()
        client.must("GET", "auth/token/lookup-self")
        self.server.arm(f"{point}=error+")
        time.sleep(ARMED_SECONDS)
        try:
            answer = client.call("POST", path, body)
            self._expect_unknown(answer.status, answer.text)
        except Gone:
            # The vault writes by itself once a second: that was faster, and the server had ended already.
            self.outcomes["ended before"] += 1
        self._wait_for_end(time.monotonic())
        self.server.recover()
        after = self.server.client()
        found = after.call("GET", path).status
        self.outcomes["durable" if found == 200 else "not durable"] += 1
        again = after.call("POST", path, body)
        value = after.must("GET", path).body["data"]
        if again.status != (400 if found == 200 else 200) or value["metadata"]["version"] != 1:
            self.findings.append(f"trying again is answered with {again.status}, after {found}")

    def _expect_unknown(self, status: int, text: str) -> None:
        if status != 500 or "the outcome is unknown" not in text:
            self.findings.append(f"an unknown outcome is answered with {status}: {text}")

    def _wait_for_end(self, told_at: float) -> None:
        while self.server.process is not None and self.server.process.poll() is None:
            if time.monotonic() > told_at + END_SECONDS:
                self.findings.append("the server goes on after an unknown outcome")
                self.server.kill()
                return
            try:
                # Not by the process that failed, and by the others until they hear of it.
                if self.server.client().call("GET", "kv/data/other").status == 200:
                    self.served.append(time.monotonic() - told_at)
            except Gone:
                pass
            time.sleep(0.01)
        code = self.server.wait()
        self.outcomes["ended by itself"] += 1
        if code != 1:
            self.findings.append(f"the server ended with {code}")


def prove(arguments: argparse.Namespace) -> Result:
    """Both sides of the commit, on one process and on two."""
    chance = random.Random(arguments.seed)
    findings: list[str] = []
    served = [0.0]
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="unknown-") as scratch:
        for workers in (1, 2):
            rounds = Rounds(Server(Path(scratch) / f"{workers}", workers), chance)
            rounds.prepare()
            for number in range(arguments.rounds // 2):
                rounds.strike("before_commit" if number % 2 else "after_commit_before_ack")
            rounds.server.kill()
            findings += rounds.findings
            served.extend(rounds.served)
            if workers == 1 and rounds.served:
                findings.append("the process that failed went on serving")
            outcomes += rounds.outcomes
    figures: dict[str, int | float | str] = {
        "n": arguments.rounds // 2 * 2,
        "wrong": len(findings),
        "ended_by_itself": outcomes["ended by itself"],
        "sibling_served_seconds": round(max(served), 3),
    }
    return Result("R-3 unknown outcome", figures, ("wrong",), {"sibling_served_seconds": SERVED_SECONDS}, findings)


if __name__ == "__main__":
    run(prove, rounds=12)
