"""A server that is set up well, in a temporary folder, and the ways to spoil it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.kit import START_NS, JumpingClock

from strongroom.physical.sqlite import SqliteStore
from strongroom.server.config import parse_config
from strongroom.server.dev_certificate import write_certificate
from strongroom.server.doctor.check import Finding, Scene, Unanswered, looked_at
from strongroom.server.doctor.examine import CHECKS
from strongroom.server.doctor.running import Process

STRANGER = os.getuid() + 4321
"""A user to whom nothing here belongs."""
DAY = 86_400
NOW = START_NS // 10**9
GOOD_PROCESS = Process(
    pid=7,
    uid=STRANGER,
    is_traceable=False,
    core_bytes=0,
    resident_bytes=100,
    locked_bytes=0,
    swapped_bytes=0,
    can_swap=False,
    is_isolated=True,
)
CONFIGURATION = """
storage "sqlite" {{ path = "{folder}/data" }}
listener "tcp" {{
  address = "0.0.0.0:8200"
  tls_cert_file = "{folder}/dev-cert.pem"
  tls_key_file = "{folder}/dev-key.pem"
  tls_min_version = "tls13"
}}
audit "file" "one" {{ options {{ file_path = "{folder}/one.log" }} }}
audit "file" "two" {{ options {{ file_path = "{folder}/two.log" }} }}
api_addr = "https://vault.example.com:8200"
"""
STATIC = 'seal "static" {{\n current_key_id = "1"\n current_key = "file://{key}"\n}}\n'
Edit = Callable[["Stage"], None]


class Stage:
    """What the checks look at. ``text`` is the configuration, ``answers`` what the vault says to whoever is logged in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.patch = pytest.MonkeyPatch()
        self.found: Finding | None = None
        self.clock = JumpingClock()
        self.text = CONFIGURATION.format(folder=folder)
        self.processes: tuple[Process, ...] = (GOOD_PROCESS,)
        self.doubt = ""
        self.server_uid = os.getuid()
        self.is_synchronised: bool | None = True
        self.is_logged_in = True
        self.answers: dict[str, dict[str, Any]] = {
            "sys/audit": {"data": {"one/": {}, "two/": {}}},
            "sys/seal-status": {"initialized": True, "sealed": False, "n": 5, "t": 3},
            "auth/token/accessors": {"data": {"keys": ["1"]}},
            "auth/token/lookup-accessor": {"data": {"policies": ["app"], "ttl": 0}},
            "sys/metrics": {
                "Gauges": [{"Name": "strongroom_audit_devices", "Value": 2, "Labels": {"state": "healthy"}}]
            },
        }
        SqliteStore(folder / "data").close()
        write_certificate(folder, self.clock, "127.0.0.1")
        (folder / "code").mkdir(mode=0o755)
        (folder / "code" / "module.py").write_text("")
        (folder / "code" / "module.py").chmod(0o644)
        (folder / "config").mkdir(mode=0o755)
        (folder / "config" / "server.hcl").write_text("")
        (folder / "config" / "server.hcl").chmod(0o644)
        (folder / "one.log").touch(mode=0o600)
        folder.chmod(0o755)

    def process(self, **changes: Any) -> None:
        """Another process that serves."""
        self.processes = (GOOD_PROCESS, replace(GOOD_PROCESS, pid=8, **changes))

    def without(self, *parts: str) -> None:
        """Take lines away that hold ``parts``."""
        self.text = "\n".join(line for line in self.text.splitlines() if not any(part in line for part in parts))

    def in_listener(self, line: str) -> None:
        """Add a line to the listener."""
        self.text = self.text.replace('listener "tcp" {\n', f'listener "tcp" {{\n  {line}\n')

    def seal_key(self, path: Path, mode: int = 0o600) -> None:
        """Have the vault unseal itself with the key in ``path``."""
        path.write_bytes(bytes(32))
        path.chmod(mode)
        self.text += STATIC.format(key=path)

    def as_stranger(self) -> None:
        """The server runs as a user who owns nothing."""
        self.server_uid = STRANGER

    def refuse(self, path: str) -> None:
        """Have the vault refuse to answer."""
        del self.answers[path]

    def scene(self) -> Scene:
        return Scene(
            config=parse_config([("server.hcl", self.text)]),
            config_paths=(self.folder / "config",),
            server_uid=self.server_uid,
            processes=self.processes,
            clock=self.clock,
            roots=(self.folder / "code",),
            ask=self.ask if self.is_logged_in else None,
            is_synchronised=self.is_synchronised,
            doubt=self.doubt,
        )

    def ask(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        if path not in self.answers:
            raise Unanswered(f"the server refused to answer {path} (status 403)")
        return self.answers[path]

    def finding(self, check_id: str) -> Finding:
        check = next(check for check in CHECKS if check.id == check_id)
        return looked_at(check, self.scene())
