from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scanner.watch.github import GitHub
from tests.scanner.watch.place import Place
from tests.scanner.watch.watching import Watching


@pytest.fixture
def place() -> Iterator[Place]:
    serving = Place()
    yield serving
    serving.close()


@pytest.fixture
def elsewhere() -> Iterator[Place]:
    """Another place, on another port."""
    serving = Place()
    yield serving
    serving.close()


@pytest.fixture
def github(place: Place, elsewhere: Place) -> GitHub:
    return GitHub(place, elsewhere)


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Watching]:
    made = Watching(tmp_path / "watch.state")
    yield made
    made.close()
