"""Every proof, one after the other; the table of ``docs/reliability.md`` is written from what they print. ``make reliability``.

    python -m reliability.everything [--share PERCENT] [--write]

``--share 10`` runs a tenth of the full numbers. All but those that measure times run at low priority, so that others can work on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD = "| proof | figures | bar | date | command |\n|---|---|---|---|---|\n"


@dataclass(frozen=True)
class Proof:
    """A module, and its full number."""

    module: str
    option: str = ""
    number: int = 0
    is_timed: bool = False
    """What it finds depends on the processors that it gets, so it does not run at low priority."""

    def command(self, share: float) -> str:
        """What is run for a share of the full number."""
        count = f" --{self.option} {max(2, round(self.number * share))}" if self.option else ""
        return f"python -m reliability.{self.module}{count}"


PROOFS = (
    Proof("kill_loop", "cycles", 500),
    Proof("power_loss", "points", 20_000),
    Proof("io_faults", "runs", 2000),
    Proof("unknown_outcome", "rounds", 20),
    Proof("bit_rot", "runs", 500),
    Proof("full_disk"),
    Proof("broken_audit"),
    Proof("histories", "secrets", 30),
    Proof("vault_keys", "cycles", 72),
    Proof("environment_kills", "kills", 200),
    Proof("seal_load", "rounds", 40),
    Proof("restart_load", "rounds", 20),
    Proof("overload", "seconds", 30, is_timed=True),
    Proof("hostile", is_timed=True),
    Proof("store_tampering"),
    Proof("log_tampering", "places", 200),
    Proof("canaries"),
    Proof("expiry", "rounds", 100),
    Proof("backup_classes", "flips", 1500),
    Proof("backup_kills", "cycles", 60),
)


def run(proof: Proof, share: float) -> Mapping[str, Any] | None:
    """What the proof prints, which is also printed here; None where it prints nothing."""
    module, *arguments = proof.command(share).split()[2:]
    command = [sys.executable, "-m", module, *arguments]
    priority = [] if proof.is_timed else ["nice", "-n", "10"]
    done = subprocess.run([*priority, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(done.stdout)
    sys.stdout.flush()
    lines = done.stdout.splitlines()
    found: Mapping[str, Any] | None = json.loads(lines[-1]) if lines else None
    return found


def row(result: Mapping[str, Any], command: str, day: dt.date) -> str:
    """A line of the table."""
    told = {"test", "zero", "bars", "bad", "is_good", "findings"}
    figures = " · ".join(f"{_plain(name)} {value}" for name, value in result.items() if name not in told)
    bars = [f"{_plain(name)} 0" for name in result["zero"]]
    bars += [f"{_plain(name)} < {bar:g}" for name, bar in result["bars"].items()]
    verdict = "" if result["is_good"] else "**not reached:** "
    return f"| {result['test']} | {verdict}{figures} | {' · '.join(bars)} | {day.isoformat()} | `{command}` |"


def write(rows: list[str], page: str) -> str:
    """``page`` with ``rows`` in the place of those of the same proofs."""
    before, _, rest = page.partition(BEGIN)
    table, _, after = rest.partition(END)
    kept = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith(("| R-", "| INV-"))}
    kept |= {line.split("|")[1].strip(): line for line in rows}
    lines = "".join(f"{kept[name]}\n" for name in sorted(kept, key=_order))
    return f"{before}{BEGIN}\n{HEAD}{lines}{END}{after}"


def _order(name: str) -> tuple[bool, int, str]:
    """By the number; what has none among the R-s comes last."""
    kind, _, number = name.split(" ", maxsplit=1)[0].partition("-")
    return kind != "R", int(number), name


def _plain(name: str) -> str:
    return name.replace("_", " ")


def main() -> int:
    """Run all, and say by the exit code whether all are good."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=100.0)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    rows, is_good, share = [], True, arguments.share / 100
    today = dt.datetime.now(dt.UTC).date()
    for proof in PROOFS:
        if arguments.only in {"", proof.module}:
            result = run(proof, share)
            is_good = is_good and result is not None and bool(result["is_good"])
            if result is not None:
                rows.append(row(result, proof.command(share), today))
    if arguments.write:
        PAGE.write_text(write(rows, PAGE.read_text("utf-8")), "utf-8")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
