from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scanner.verifiers.provider import Provider

from strongroom.scanner.verifiers.builtin import HOSTS


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    serving = Provider(tmp_path, sorted(HOSTS))
    yield serving
    serving.close()
