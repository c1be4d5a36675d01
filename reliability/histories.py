"""R-13: eight clients work on secrets with check-and-set, through seals and kills. ``python -m reliability.histories --secrets 30``.

The histories are recorded and checked by ``tests/linearizability``: each must have an order in which it could have happened one after the other. And each
is checked again with every lie that there is a place for in it (a stale read, a lost write …), all of which must be found.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.linearizability.run import run as record_and_check

from reliability.result import Figure, Result, run


def prove(arguments: argparse.Namespace) -> Result:
    """The recording, and what the checker says."""
    with tempfile.TemporaryDirectory(prefix="histories-") as scratch:
        summary = record_and_check(
            Path(scratch) / "vault", secrets=arguments.secrets, operations=arguments.operations, seed=arguments.seed
        )
    figures: dict[str, Figure] = {
        "n": summary.histories,
        "operations": summary.operations,
        "illegal": summary.illegal,
        "undecided": summary.unknown,
        "unanswered_percent": round(100 * summary.unanswered / max(1, summary.operations), 2),
        "lies": summary.lies,
        "lies_believed": summary.lies - summary.lies_found,
    }
    return Result(
        "R-13 check-and-set", figures, ("illegal", "undecided", "lies_believed"), {"unanswered_percent": 1.01}
    )


if __name__ == "__main__":
    run(prove, secrets=20, operations=500)
