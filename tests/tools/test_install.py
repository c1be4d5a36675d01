from __future__ import annotations

import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tools import install


def a_python(folder: Path, code: int) -> str:
    path = folder / "python3"
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(stat.S_IRWXU)
    return str(path)


def built(monkeypatch: pytest.MonkeyPatch, executable: str, options: str) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: options)


def test_a_slow_build_gives_way_to_the_distributions_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built(monkeypatch, "/opt/builds/python3", "--prefix=/opt/builds")
    monkeypatch.setattr(install, "DISTRIBUTIONS_PYTHON", a_python(tmp_path, 0))
    assert install.chosen_python(is_named=False) == a_python(tmp_path, 0)


@pytest.mark.parametrize("code", [1, 127])
def test_a_distributions_python_that_is_too_old_or_makes_no_environments_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int
) -> None:
    built(monkeypatch, "/opt/builds/python3", "--prefix=/opt/builds")
    monkeypatch.setattr(install, "DISTRIBUTIONS_PYTHON", a_python(tmp_path, code))
    assert install.chosen_python(is_named=False) == "/opt/builds/python3"


def test_without_a_distributions_python_any_will_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built(monkeypatch, "/opt/builds/python3", "--prefix=/opt/builds")
    monkeypatch.setattr(install, "DISTRIBUTIONS_PYTHON", str(tmp_path / "nothing"))
    assert install.chosen_python(is_named=False) == "/opt/builds/python3"


def test_a_python_that_somebody_named_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built(monkeypatch, "/opt/builds/python3", "--prefix=/opt/builds")
    monkeypatch.setattr(install, "DISTRIBUTIONS_PYTHON", a_python(tmp_path, 0))
    assert install.chosen_python(is_named=True) == "/opt/builds/python3"


def test_a_python_that_was_built_with_optimisation_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built(monkeypatch, "/opt/builds/python3", "--prefix=/opt/builds --enable-optimizations")
    monkeypatch.setattr(install, "DISTRIBUTIONS_PYTHON", a_python(tmp_path, 0))
    assert install.chosen_python(is_named=False) == "/opt/builds/python3"


def test_an_unknown_set_is_refused_with_the_names_of_all() -> None:
    done = subprocess.run([sys.executable, install.__file__, "nonsense"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "scanner" in done.stderr
