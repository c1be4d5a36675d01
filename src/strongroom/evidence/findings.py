"""What a verification finds: which kind of tampering, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """A class of tampering."""

    EDITED = "edited"
    INSERTED = "inserted"
    DELETED = "deleted"
    REORDERED = "reordered"
    DUPLICATED = "duplicated"
    HEAD_TRUNCATED = "head truncated"
    TAIL_TRUNCATED = "tail truncated"
    SWAPPED_FILES = "swapped files"
    MISSING_FILE = "missing file"
    FOREIGN_CHAIN = "foreign chain"
    BAD_SIGNATURE = "bad signature"


@dataclass(frozen=True, slots=True)
class Finding:
    """One act of tampering: its class, the file, the line (from 1; 0 is the file as a whole), the number in the chain (0: none)."""

    kind: Kind
    file: str
    line: int
    sequence: int
    text: str


@dataclass(slots=True)
class Report:
    """The outcome. ``notes`` are things worth knowing that are no tampering; ``unsigned`` counts lines no signature vouches for.

    ``doubts`` say what could not be told. ``suppressed`` counts findings beyond those that are kept.
    """

    lines: int = 0
    signatures: int = 0
    unsigned: int = 0
    findings: list[Finding] = field(default_factory=list)
    suppressed: int = 0
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """``intact``, ``broken``, or ``cannot tell``."""
        if self.findings:
            return "broken"
        return "cannot tell" if self.doubts else "intact"


def merged(reports: Sequence[Report]) -> Report:
    """One report of several logs. What is said of each is said once."""
    return Report(
        lines=sum(report.lines for report in reports),
        signatures=sum(report.signatures for report in reports),
        unsigned=sum(report.unsigned for report in reports),
        findings=list(dict.fromkeys(finding for report in reports for finding in report.findings)),
        suppressed=sum(report.suppressed for report in reports),
        notes=[note for report in reports for note in report.notes],
        doubts=list(dict.fromkeys(doubt for report in reports for doubt in report.doubts)),
    )
