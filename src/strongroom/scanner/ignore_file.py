"""`.strongroomignore`: what a repository has decided to live with, one line each.

A line is the fingerprint of a finding, or a pattern for paths (see `sources/globs.py`), and behind ` # ` the reason:

    3f0c…  # revoked 2026-11-02
    tests/fixtures/**  # made-up keys
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strongroom.scanner.seen import Seen
from strongroom.scanner.sources.globs import Choice

FILE_NAME = ".strongroomignore"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """What one such file says."""

    fingerprints: frozenset[str]
    is_ignored_path: Callable[[str], bool]

    def ignores(self, seen: Seen) -> bool:
        """Whether a place is ignored."""
        return seen.fingerprint in self.fingerprints or self.is_ignored_path(seen.path)


def text_of(path: Path) -> str:
    """What a file says of what is ignored. Raises OSError, and ValueError where it is too large."""
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"{path.name} is larger than {_LARGEST} bytes")
    return path.read_bytes().decode("utf-8-sig", "replace")


def read_ignore_file(path: Path) -> IgnoreFile:
    """The file at `path`. Raises OSError, and ValueError where it is too large."""
    fingerprints: set[str] = set()
    patterns: list[str] = []
    # Only a line feed ends a line: with the other ends that Unicode knows, an entry could hide in what editors and reviews show as one comment.
    for line in text_of(path).split("\n"):
        entry = re.split(r"\s#", line, maxsplit=1)[0].strip()
        if not entry or entry.startswith("#"):
            continue
        if _FINGERPRINT.fullmatch(entry):
            fingerprints.add(entry)
        else:
            patterns.append(entry)
    return IgnoreFile(frozenset(fingerprints), Choice.of((), patterns).excludes)
