"""SECURITY A11: what is scanned does not scan back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import OURS, InThisProcess
from tests.scanner.sources.test_hostile_repository import Trap


@pytest.mark.parametrize("words", [("git",), ("dir",), ("staged",)], ids=" ".join)
def test_row_125_cve_2025_41390_no_program_that_a_repository_names_is_run(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    trap = Trap(tmp_path)
    trap.marker.unlink(missing_ok=True)
    done = InThisProcess(OURS, {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})("scan", *words, str(trap.builder.root))
    trap.check()
    assert done.exit_code in {0, 1}, done.err
