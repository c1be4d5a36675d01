"""A vault with three environments of one mount each, and what the tests about them say again and again."""

from __future__ import annotations

from typing import Any

from tests.kit import Vault
from tests.processes import Result

NAMES = ("dev", "stage", "prod")
"""The environments and their mounts, by rank."""
REASON = {"x-strongroom-reason": "ticket 4711"}
ALL = 'path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo"] }'


def vault_with_environments(**options: Any) -> Vault:
    """The vault. The policy ``all`` allows everything."""
    vault = Vault(**options)
    for rank, name in enumerate(NAMES):
        vault.mount(name)
        assert write(vault, name, rank=rank, mounts=[name]).status == 204
    vault.write_policy("all", ALL)
    return vault


def write(vault: Vault, name: str, *, headers: dict[str, str] | None = None, **fields: Any) -> Result:
    """Change an environment."""
    return vault.post(f"sys/environments/{name}", fields, headers=headers)


def mounts_of(vault: Vault, name: str) -> Any:
    """What belongs to it."""
    return vault.get(f"sys/environments/{name}").data["mounts"]


def bound(vault: Vault, *environments: str, **options: Any) -> str:
    """A token that may do everything in these environments."""
    return vault.token_for("all", environments=list(environments), **options)


def login(vault: Vault, **role: Any) -> Result:
    """Log in by an AppRole role that may do everything."""
    vault.post("sys/auth/approle", {"type": "approle"})
    assert vault.post("auth/approle/role/web", {"token_policies": "all", "bind_secret_id": True, **role}).status == 204
    role_id = vault.get("auth/approle/role/web/role-id").data["role_id"]
    secret_id = vault.post("auth/approle/role/web/secret-id", {}).data["secret_id"]
    return vault.post("auth/approle/login", {"role_id": role_id, "secret_id": secret_id}, token=None)
