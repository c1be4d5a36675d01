"""Measures the scanner beside kingfisher on one tree of files, runs interleaved. Run by `make bench-scanner`."""

from __future__ import annotations

from strongroom.scanner.assembly import assemble, default_jobs
from strongroom.scanner.automaton_cache import default_folder
from strongroom.scanner.findings import Collector
from strongroom.scanner.windows import fragments_of

__all__ = ["Collector", "assemble", "default_folder", "default_jobs", "fragments_of"]
