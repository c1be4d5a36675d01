"""The scanner as its users have it: the command line, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Scanned:
    """How a scan ended."""

    exit_code: int
    out: bytes
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What `-format=jsonl` wrote."""
        return [json.loads(line) for line in self.out.splitlines()]

    def places(self, value: str) -> set[tuple[str, int]]:
        """Files and lines of a secret, in a report that reveals it."""
        return {(row["file"], row["line"]) for row in self.rows if row["value"] == value}


@dataclass(frozen=True)
class CommandLine:
    """`strongroom scan`, with its compiled rules kept in `cache`."""

    cache: Path

    def __call__(
        self, *words: str, stdin: bytes = b"", cwd: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> Scanned:
        """Run a command to its end."""
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.cache), "PYTHONPATH": "", **(environ or {})}
        command = [sys.executable, "-m", "strongroom", "scan", *words]
        done = subprocess.run(
            command, input=stdin, capture_output=True, check=False, timeout=120, cwd=cwd, env=environment
        )
        return Scanned(done.returncode, done.stdout, done.stderr.decode())

    def revealed(self, *words: str, stdin: bytes = b"") -> Scanned:
        """A scan whose rows show the secrets."""
        return self(*words, "-format=jsonl", "-reveal", "-yes", stdin=stdin)
