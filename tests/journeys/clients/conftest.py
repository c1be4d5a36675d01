"""A service that logs in by approle, for clients of other people: what each of them is told, and what it must say at the end."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.processes import ServerProcess, running_server

POLICY = """
path "secret/data/team/*" { capabilities = ["create", "read", "update", "delete"] }
path "secret/metadata/team/*" { capabilities = ["read", "list"] }
"""
PASSWORD = "a value that only the vault knows"


@dataclass(frozen=True)
class Service:
    """A role on a running server, and what logs in as it."""

    server: ServerProcess
    role_id: str

    def secret_id(self) -> str:
        """A new secret ID of the role."""
        return str(self.server.call("POST", "auth/approle/role/service/secret-id").data["secret_id"])

    def environment(self) -> dict[str, str]:
        """What a client is told, without anything that this process was told."""
        kept = {name: text for name, text in os.environ.items() if not re.match(r"(VAULT|BAO|ANSIBLE)_", name)}
        return kept | {
            "VAULT_ADDR": self.server.address,
            "VAULT_CACERT": str(self.server.ca_file),
            "ROLE_ID": self.role_id,
            "SECRET_ID": self.secret_id(),
            "PASSWORD": PASSWORD,
        }

    def is_revoked(self, accessor: str) -> bool:
        """Whether the token of this accessor has ended."""
        return self.server.call("POST", "auth/token/lookup-accessor", {"accessor": accessor}).status >= 400


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_server(Path(tmp_path_factory.mktemp("clients")) / "vault") as server:
        for path, body in (
            ("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}),
            ("sys/policies/acl/service", {"policy": POLICY}),
            ("sys/auth/approle", {"type": "approle"}),
            ("auth/approle/role/service", {"token_policies": ["service"], "token_ttl": "10m", "token_max_ttl": "1h"}),
            ("secret/data/closed", {"data": {"password": "not for everybody"}}),
        ):
            assert server.call("POST", path, body).status in {200, 204}, path
        yield Service(server, server.call("GET", "auth/approle/role/service/role-id").data["role_id"])
