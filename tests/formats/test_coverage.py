"""Every stored format has frozen vectors, and every file of vectors is told of."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.formats.whole_vault import VECTORS

FORMATS = VECTORS.parents[1] / "docs" / "formats"
README = (VECTORS / "README.md").read_text()
ROWS = [line for line in README.splitlines() if line.startswith("| `")]
IN_WHOLE_VAULT = {one["format"] for one in json.loads((VECTORS / "whole_vault.json").read_text())["answers"]}


@pytest.mark.parametrize("page", sorted(FORMATS.glob("*.md")), ids=lambda page: page.stem)
def test_every_format_has_vectors(page: Path) -> None:
    name = f"`docs/formats/{page.name}`"
    files = [found for row in ROWS if name in row for found in re.findall(r"`(\w+\.json)`", row.split("|")[1])]
    assert files, f"{name} stands in no row of tests/vectors/README.md"
    for file in files:
        assert (VECTORS / file).stat().st_size > 0
    if "whole_vault.json" in files:
        assert page.stem in IN_WHOLE_VAULT | {"fingerprint"}, "the fingerprints have a test of their own"


@pytest.mark.parametrize("page", sorted(FORMATS.glob("*.md")), ids=lambda page: page.stem)
def test_every_format_names_its_vectors(page: Path) -> None:
    named = re.findall(r"tests/vectors/(\w+\.json)", page.read_text())
    assert named
    for file in named:
        assert (VECTORS / file).exists()


@pytest.mark.parametrize("file", sorted(VECTORS.glob("*.json")), ids=lambda file: file.name)
def test_every_file_of_vectors_is_listed(file: Path) -> None:
    assert f"| `{file.name}` |" in README
