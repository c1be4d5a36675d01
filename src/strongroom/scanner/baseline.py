"""A baseline: the secrets that are known already, by the fingerprint of their content, in a file for a repository.

One entry a line, sorted, without lines, columns or times, so that it changes only when a secret comes or goes. Each line begins with the comma that
JSON wants between entries, and is whole by itself: two branches that add entries merge cleanly with git's `union` driver, and duplicates do no harm.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strongroom.scanner.finding import Finding

_KIND = "strongroom scan"
_VERSION = 1
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
LARGEST = 256 * 1024 * 1024
"""Bytes that a baseline may have."""


class BadBaseline(ValueError):
    """A file that is no baseline, or one that was made with another kind of fingerprint."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A known secret. `rule`, `path` and `reason` are for people: nothing depends on them."""

    fingerprint: str
    rule: str = ""
    path: str = ""
    reason: str = ""


def read_baseline(path: Path, scheme: str) -> dict[str, Entry]:
    """The entries of a baseline by fingerprint. Raises BadBaseline, and OSError where the file cannot be read."""
    if path.stat().st_size > LARGEST:
        raise BadBaseline(f"the baseline {path.name} is larger than {LARGEST} bytes")
    try:
        rows = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise BadBaseline(f"the baseline {path.name} is not JSON; after a merge, look for conflict marks") from None
    head = rows[0] if isinstance(rows, list) and rows else None
    if not isinstance(head, dict) or head.get("baseline") != _KIND or head.get("version") != _VERSION:
        raise BadBaseline(f"{path.name} is no baseline of this version; write one with --write-baseline")
    if head.get("fingerprint") != scheme:
        raise BadBaseline(
            f"the baseline {path.name} was written with {'' if scheme == 'sha256' else 'no '}fingerprint key, "
            f"and this scan has {'none' if scheme == 'sha256' else 'one'}: see --fingerprint-key-file"
        )
    return {entry.fingerprint: entry for entry in (_entry(row, path.name) for row in rows[1:])}


def write_baseline(path: Path, scheme: str, findings: Iterable[Finding], known: Mapping[str, Entry]) -> int:
    """Write a baseline of `findings`, keeping what `known` says of those that are still there. Returns how many entries it has.

    The file is replaced at once: who reads it meanwhile sees the old or the new one. Raises OSError.
    """
    entries = {finding.fingerprint: _of(finding, known.get(finding.fingerprint)) for finding in findings}
    head = json.dumps({"baseline": _KIND, "version": _VERSION, "fingerprint": scheme})
    lines = [f"[{head}", *(f",{_row(entries[key])}" for key in sorted(entries)), "]", ""]
    _replace(path, "\n".join(lines).encode())
    return len(entries)


def _of(finding: Finding, known: Entry | None) -> Entry:
    if known is not None:
        return known
    return Entry(finding.fingerprint, finding.rule.id, min(one.path for one in finding.occurrences))


def _row(entry: Entry) -> str:
    row = {"fingerprint": entry.fingerprint, "rule": entry.rule, "path": entry.path}
    if entry.reason:
        row["reason"] = entry.reason
    return json.dumps(row)


def _entry(row: Any, name: str) -> Entry:
    if not isinstance(row, dict) or not _FINGERPRINT.fullmatch(str(row.get("fingerprint"))):
        raise BadBaseline(f"the baseline {name} has an entry without a fingerprint")
    texts = {key: row[key] if isinstance(row.get(key), str) else "" for key in ("rule", "path", "reason")}
    return Entry(row["fingerprint"], **texts)


def _replace(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):
            Path(temporary).chmod(path.stat().st_mode & 0o777)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
