"""One vault with a mount of each kind: a test stands here where docs/divergences.md says that something differs."""

from __future__ import annotations

import pytest
from tests.kit import Vault


@pytest.fixture
def vault() -> Vault:
    vault = Vault()
    vault.mount("secret", "kv", options={"version": "2"})
    vault.mount("kv", "kv", options={"version": "1"})
    for method in ("userpass", "approle"):
        assert vault.post(f"sys/auth/{method}", {"type": method}).status == 204
    return vault
