from __future__ import annotations

from typing import Any

import pytest
from tests.kit import Vault


@pytest.fixture(scope="module")
def vault() -> Vault:
    vault = Vault()
    vault.mount("secret", "kv", options={"version": "2"})
    vault.mount("plain", "kv", options={"version": "1"})
    for method in ("userpass", "approle"):
        assert vault.post(f"sys/auth/{method}", {"type": method}).status == 204
    return vault


@pytest.fixture(scope="module")
def document(vault: Vault) -> dict[str, Any]:
    answer = vault.get("sys/internal/specs/openapi")
    assert answer.status == 200
    assert answer.body is not None
    return answer.body
