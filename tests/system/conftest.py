from __future__ import annotations

from pathlib import Path

import pytest
from tests.kit import CONFIGURATION, Vault


@pytest.fixture
def vault() -> Vault:
    """A vault that is initialized, unsealed and empty."""
    return Vault()


@pytest.fixture
def static_vault(tmp_path: Path) -> Vault:
    """A vault with a static seal, not initialized."""
    key = tmp_path / "seal.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    seal = f'seal "static" {{\n current_key_id = "first"\n current_key = "file://{key}"\n}}\n'
    return Vault(configuration=CONFIGURATION + seal, is_unsealed=False)
