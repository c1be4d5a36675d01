"""A gate for the server's processor time: how much one request costs, beside a fixed loop measured in the same run.

    python -m bench.cpu_gate            prints the table; exit code 1 where a bar is passed

Rates depend on the neighbours of a machine; so does processor time, by a factor of two. Each round therefore measures the reference
loop right before and after the load, and what counts is the ratio of the two, at its best of all rounds. The bars are stated in
microseconds on a quiet machine, on which a turn of the loop takes `QUIET_MICROSECONDS`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from bench import reference_loop
from bench.run import SCENARIOS, measure, populate
from tools.servers import serving, strongroom

BARS = {"kv_read": 75.0, "kv_write": 160.0}
"""The most that a request may cost, in microseconds on a quiet machine."""
ROUNDS = 6
SECONDS = 3


def main() -> None:
    """Measure, print, and judge."""
    costs: dict[str, list[float]] = {name: [] for name in BARS}
    with tempfile.TemporaryDirectory(prefix="gate-") as scratch, serving(strongroom(), Path(scratch)) as server:
        server.initialize()
        variables = populate(server)
        for _ in range(ROUNDS):
            for name, found in costs.items():
                before = reference_loop.microseconds()
                measured = measure(server, name, variables, SECONDS)
                turn = statistics.mean((before, reference_loop.microseconds()))
                if measured.errors:
                    sys.exit(f"{measured.errors} requests of {name} failed; nothing was measured")
                found.append(measured.cpu_microseconds / turn)
                print(
                    f"{name:9} {measured.cpu_microseconds:5.0f} µs beside a turn of {turn:4.1f} µs: {found[-1]:.2f}",
                    file=sys.stderr,
                )
    verdicts = [judged(name, found) for name, found in costs.items()]
    sys.exit(0 if all(verdicts) else 1)


def judged(name: str, ratios: list[float]) -> bool:
    """Print one row, and say whether it is within its bar."""
    best, middle = (value * reference_loop.QUIET_MICROSECONDS for value in (min(ratios), statistics.median(ratios)))
    is_kept = best <= BARS[name]
    print(
        f"{SCENARIOS[name]:12} {best:5.0f} µs (median {middle:.0f}), at most {BARS[name]:.0f}: {'kept' if is_kept else 'NOT KEPT'}"
    )
    return is_kept


if __name__ == "__main__":
    main()
