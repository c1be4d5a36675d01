"""What a proof came to: one line of JSON, which says what was counted, and whether it is what it must be."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Figure: TypeAlias = int | float | str


@dataclass
class Result:
    """The figures of one proof. Those in ``zero`` must be 0, those in ``bars`` must be below a bar."""

    test: str
    figures: dict[str, Figure]
    zero: tuple[str, ...] = ()
    bars: dict[str, float] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    """What was wrong, in words: never a secret value."""

    @property
    def is_good(self) -> bool:
        """Whether everything is as it must be."""
        kept = all(float(self.figures[name]) < bar for name, bar in self.bars.items())
        return kept and not self.findings and all(self.figures[name] == 0 for name in self.zero)

    def line(self) -> str:
        """The line of JSON."""
        bad = sum(int(self.figures[name]) for name in self.zero)
        told = {"test": self.test, **self.figures, "bad": bad, "zero": self.zero, "bars": self.bars}
        return json.dumps({**told, "is_good": self.is_good, "findings": self.findings[:10]})


def run(prove: Callable[[argparse.Namespace], Result], **options: int | str) -> None:
    """Run ``prove`` with the command line's options (``options`` are their defaults), print the line, and exit with 1 where it failed."""
    parser = argparse.ArgumentParser()
    for name, default in options.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    result = prove(arguments)
    result.figures["seconds"] = round(time.monotonic() - began, 1)
    sys.stdout.write(result.line() + "\n")
    sys.stdout.flush()
    if not result.is_good:
        sys.exit(1)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of ``values`` lie (nearest rank); 0 where there are none."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
