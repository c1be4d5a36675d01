from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.quotas.front import Front


@pytest.fixture
def front() -> Iterator[Front]:
    front = Front()
    front.vault.mount("kv")
    yield front
    front.close()
    assert front.vault.failures == []
