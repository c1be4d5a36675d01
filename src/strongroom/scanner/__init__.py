"""Finds leaked secrets in files, histories, archives and streams. Needs no server, and imports no room of one."""

from strongroom.scanner.candidate import Candidate, Judge, Verdict
from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.fragment import Fragment, Source
from strongroom.scanner.rule import Rule

__all__ = ["Candidate", "Finding", "Fragment", "Judge", "Occurrence", "Rule", "Source", "Verdict"]
