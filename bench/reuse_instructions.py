"""What the guard against reuse costs a write, in instructions: a number that says the same on every machine, whatever else it does.

    python -m bench.reuse_instructions [--fingerprints 20000] [--rounds 8]

The writes of ``bench.reuse_guard`` under callgrind, which counts only while it is told to. It needs valgrind, and takes a few minutes.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from bench.reuse_guard import BATCH, BATCHES_PER_ROUND, fill, vault_of_two, write
from strongroom.core import steps


def main() -> int:
    """Count, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fingerprints", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--counted", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.counted is not None:
        count(options.counted, options.fingerprints, options.rounds)
        return 0
    if shutil.which("valgrind") is None or shutil.which("callgrind_control") is None:
        raise SystemExit("valgrind is not installed")
    with tempfile.TemporaryDirectory(prefix="reuse-") as scratch:
        numbers = [f"--fingerprints={options.fingerprints}", f"--rounds={options.rounds}", f"--counted={scratch}/vault"]
        subprocess.run(
            [
                *("valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={scratch}/out"),
                *(sys.executable, "-m", "bench.reuse_instructions", *numbers),
            ],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        show(Path(scratch), BATCHES_PER_ROUND * BATCH)
    return 0


def count(folder: Path, fingerprints: int, rounds: int) -> None:
    """The writes, as valgrind runs them: a dump for each round, in turns without the guard and with it, since a store that grows costs more."""
    vault = vault_of_two(folder)
    fill(vault, fingerprints)
    guards_for = steps.guards_for
    for name in ("dev", "prod"):
        for number in range(-1, rounds):
            for is_guarded in (False, True) if number % 2 else (True, False):
                steps.guards_for = guards_for if is_guarded else lambda *_, **__: None
                if number < 0:
                    write(vault, name)  # fills the caches
                    continue
                tell("--instr=on", "--zero")
                write(vault, name)
                tell(f"--dump={name} {'guarded' if is_guarded else 'plain'}", "--instr=off")
    vault.node.close()


def tell(*words: str) -> None:
    """Have callgrind do something with this process."""
    for word in words:
        subprocess.run(["callgrind_control", word, str(os.getpid())], check=True, stdout=subprocess.DEVNULL)


def show(scratch: Path, writes: int) -> None:
    """Print what the dumps say, for one write: the middle of the rounds, in some of which the store moves its log into its file."""
    counted: dict[str, list[int]] = defaultdict(list)
    for file in scratch.glob("out.*"):
        text = file.read_text()
        label = re.search(r"^desc: Trigger: .*?(\w+ (?:guarded|plain))", text, re.MULTILINE)
        total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
        if label is not None and total is not None:
            counted[label[1]].append(int(total[1]))
    for name in ("dev", "prod"):
        without, guarded = (statistics.median(counted[f"{name} {which}"]) / writes for which in ("plain", "guarded"))
        sys.stdout.write(
            f"{name}: {without:,.0f} instructions a write without, {guarded:,.0f} with it: {guarded / without - 1:+.1%}\n"
        )


if __name__ == "__main__":
    sys.exit(main())
