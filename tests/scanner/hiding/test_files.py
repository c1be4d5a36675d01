from __future__ import annotations

import pytest
from tests.scanner.hiding.files import HIDINGS
from tests.scanner.hiding.searching import Search, search
from tests.scanner.hiding.secret_token import made_up_token

from strongroom.scanner.problem import Problem
from strongroom.scanner.sources.directory import Directory

NUMBERS = {name: number for number, name in enumerate(HIDINGS, 100)}
FOLDERS = {name: f"{number}" for name, number in NUMBERS.items()}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """One scan of a folder with all hiding places, each in a folder of its own."""
    root = tmp_path_factory.mktemp("hidden")
    for name, hiding in HIDINGS.items():
        file = root / FOLDERS[name] / (hiding.name or "f")
        file.parent.mkdir(parents=True)
        file.write_bytes(hiding.write(made_up_token(NUMBERS[name])))
    problems: list[Problem] = []
    return search(Directory(str(root), problems.append), problems)


@pytest.mark.parametrize("name", HIDINGS, ids=str)
def test_a_token_in_a_file_is_found_at_its_line(name: str, found: Search) -> None:
    hiding = HIDINGS[name]
    path = hiding.path.replace("f", hiding.name, 1) if hiding.name and hiding.path == "f" else hiding.path
    assert (f"{FOLDERS[name]}/{path}", hiding.line) in found.places(made_up_token(NUMBERS[name]))


def test_all_that_could_not_be_read_was_broken_on_purpose(found: Search) -> None:
    broken = f"{FOLDERS['pdf without its tables']}/f"
    assert {problem.path for problem in found.problems} <= {broken}
