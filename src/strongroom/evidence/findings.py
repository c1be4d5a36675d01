"""What a verification finds: which kind of tampering, and where."""

from __future__ import annotations

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
