"""What is installed is what is committed: the wheel has every file of the package, data too."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.tidy.source import ROOT, SOURCE, committed_files


def test_the_wheel_has_every_file_of_the_package(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if name.startswith("strongroom/")}
    committed = {
        path.relative_to(SOURCE.parent).as_posix() for path in committed_files() if path.is_relative_to(SOURCE)
    }
    assert names == committed
    assert "strongroom/scanner/scorer/weights.json" in names
