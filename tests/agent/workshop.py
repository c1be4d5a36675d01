"""What tests of the agent work with: a server with a root client, and a context whose clock jumps and whose journal is a list."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kit import JumpingClock, SeededEntropy

from strongroom.agent.config import parse_config
from strongroom.agent.config_values import AgentConfig
from strongroom.agent.context import Context, Ending, server_settings
from strongroom.agent.journal import Journal
from strongroom.agent.token_source import TokenSource
from strongroom.client.client import Client
from strongroom.client.errors import ApiError
from strongroom.client.settings import Settings
from strongroom.delivery.orphans import Orphans
from strongroom.logical.secret import Secret

READER = 'path "secret/*" { capabilities = ["read", "list"] }'


@dataclass
class Server:
    """A running server and its root token."""

    address: str
    token: str = field(repr=False)
    settings: Settings = field(default_factory=Settings)
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """What ends with the test."""

    @contextlib.contextmanager
    def client(self, token: str = "") -> Iterator[Client]:
        """A client with the root token, or another."""
        settings = self.settings._replace(address=self.address, token=Secret(token or self.token), max_retries=0)
        with Client(settings) as client:
            yield client

    def write(self, path: str, body: Any = None, method: str = "PUT") -> dict[str, Any]:
        """A write by root; what the server says."""
        with self.client() as client:
            return client.write(path, body, method=method) or {}

    def enable(self, mount: str, kind: str, **options: Any) -> None:
        """Enable an auth method or an engine, unless it is."""
        with self.client() as client, contextlib.suppress(ApiError):
            client.write(f"sys/{mount}", {"type": kind, **options}, method="POST")

    def put(self, name: str, **values: Any) -> None:
        """A new version of a secret below ``secret/``."""
        self.write(f"secret/data/{name}", {"data": values})

    def child_token(self, **parameters: Any) -> str:
        """Another token."""
        return str(self.write("auth/token/create", parameters, method="POST")["auth"]["client_token"])

    def lives(self, token: str) -> bool:
        """Whether the server knows a token."""
        with self.client(token) as client:
            try:
                client.ask("auth/token/lookup-self")
            except ApiError:
                return False
        return True


@dataclass
class Approle:
    """A role to log in with, and the files that an agent reads for that."""

    server: Server
    folder: Path
    name: str

    @property
    def role_file(self) -> Path:
        return self.folder / "role-id"

    @property
    def secret_file(self) -> Path:
        return self.folder / "secret-id"

    @classmethod
    def made(cls, server: Server, folder: Path, **settings: Any) -> Approle:
        server.enable("auth/approle", "approle")
        server.write("sys/policies/acl/agent-reader", {"policy": READER})
        role = cls(server, folder, f"role-{folder.name}")
        body = {"token_policies": ["agent-reader"], "token_ttl": "300s", "token_max_ttl": "1h", **settings}
        server.write(f"auth/approle/role/{role.name}", body)
        with server.client() as client:
            found = client.read(f"auth/approle/role/{role.name}/role-id") or {}
        role.role_file.write_text(found["data"]["role_id"])
        role.give_secret_id()
        return role

    def give_secret_id(self, wrap_ttl: str = "") -> str:
        """A new secret ID in the file, wrapped where that is wanted; what now stands there."""
        settings = self.server.settings._replace(
            address=self.server.address, token=Secret(self.server.token), wrap_ttl=wrap_ttl
        )
        with Client(settings) as client:
            answer = client.write(f"auth/approle/role/{self.name}/secret-id", {}, method="POST") or {}
        value = answer["wrap_info"]["token"] if wrap_ttl else answer["data"]["secret_id"]
        self.secret_file.write_text(value + "\n")
        return str(value)

    def method(self, inner: str = "", outer: str = "") -> str:
        """The block of the configuration."""
        return f"""method "approle" {{
          {outer}
          config = {{
            role_id_file_path = "{self.role_file}"
            secret_id_file_path = "{self.secret_file}"
            {inner}
          }}
        }}"""


class Workshop:
    """A context for parts that are driven step by step."""

    def __init__(self, server: Server, config: AgentConfig | str, level: str = "info", **environ: str) -> None:
        self.clock = JumpingClock()
        self.lines: list[str] = []
        read = parse_config(config) if isinstance(config, str) else config
        settings = server_settings(read.vault, {"STRONGROOM_ADDR": server.address})._replace(tls=server.settings.tls)
        self.context = Context(
            config=read,
            settings=settings,
            tokens=TokenSource(),
            journal=Journal(level, self.clock, self.lines.append),
            clock=self.clock,
            entropy=SeededEntropy(),
            ending=Ending(),
            environ=environ,
            orphans=Orphans(),
        )

    @property
    def said(self) -> str:
        """Everything in the journal."""
        return "".join(self.lines)
