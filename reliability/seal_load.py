"""R-17: the vault is sealed while it is busy. ``python -m reliability.seal_load --rounds 40``.

Once the answer to the sealing has arrived, whoever asks gets no secret any more, on no connection and from no process.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from reliability.readers import Load
from reliability.result import Result, percentile, run
from reliability.server import Server

DELAYS = (
    "",
    "after_audit_request=sleep:5+",
    "before_audit_response=sleep:5+",
    "after_commit_before_ack=sleep:5+",
    "seal_before_wipe=sleep:50",
)
"""Where the server is held up, in turn, so that the sealing falls into every part of a request."""
LATE_SECONDS = 0.25
"""An answer with a secret that arrives so much later than that of the sealing was not on its way any more."""


def prove(arguments: argparse.Namespace) -> Result:
    """Rounds on one process, and as many on two."""
    chance = random.Random(arguments.seed)
    after = late = lost = rounds = 0
    times: list[float] = []
    findings: list[str] = []
    with tempfile.TemporaryDirectory(prefix="seal-load-") as scratch:
        for workers in (1, 2):
            server = Server(Path(scratch) / f"{workers}", workers)
            server.start()
            server.initialize()
            load = Load(server)
            load.prepare()
            for _ in range(arguments.rounds // 2):
                server.arm(DELAYS[rounds % len(DELAYS)])
                rounds += 1
                load.seen.clear()
                load.start()
                time.sleep(chance.uniform(0.1, 0.3))
                began = time.monotonic()
                answer = server.client().call("PUT", "sys/seal")
                sealed_at = time.monotonic()
                if not answer.is_good:
                    findings.append(f"the sealing is answered with {answer.status}")
                time.sleep(0.15)
                load.stop()
                times.append(sealed_at - began)
                shown = [one for one in load.seen if one.shows_secret]
                after += sum(one.asked_at > sealed_at for one in shown)
                late += sum(one.answered_at > sealed_at + LATE_SECONDS for one in shown)
                findings += [f"a {one.kind} is answered with {one.status}" for one in load.seen if one.status == 500]
                server.unseal()
                lost += load.lost()
            server.kill()
    figures: dict[str, int | float | str] = {
        "n": rounds,
        "secrets_asked_after_seal": after,
        "secrets_late": late,
        "lost": lost,
        "seal_p99": round(percentile(times, 0.99), 3),
    }
    return Result("R-17 seal during load", figures, ("secrets_asked_after_seal", "secrets_late", "lost"), {}, findings)


if __name__ == "__main__":
    run(prove, rounds=40)
