from __future__ import annotations

import pytest
from tests.kit import Vault


@pytest.fixture
def vault() -> Vault:
    """A vault that is initialized, unsealed and empty."""
    return Vault()
