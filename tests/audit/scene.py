"""What the tests of this room share: a request of everyday, and devices that keep or refuse."""

from __future__ import annotations

import json
from typing import Any

from tests.kit import PATIENT_SECONDS

from strongroom.audit.broker import Broker
from strongroom.audit.devices import Device, DeviceFailed
from strongroom.audit.enabled import Enabled
from strongroom.audit.facts import Facts
from strongroom.audit.options import Format
from strongroom.logical.backend import Caller, Mount
from strongroom.logical.operation import Operation
from strongroom.logical.request import Connection, Request
from strongroom.logical.secret import Secret

KEY = bytes(range(32))
TOKEN = "srt.0123456789abcdefghijklmn"
ACCESSOR = "accessor-0123456789"
MOUNT = Mount("secret/", "kv_12ab34cd", "uuid", "kv", {"version": "2"}, 3600, 7200)
AUTH_MOUNT = Mount("auth/userpass/", "auth_userpass_12ab", "uuid", "userpass", {}, 3600, 7200, is_auth=True)


class FakeClock:
    """Noon of a day, until it is told otherwise."""

    def __init__(self) -> None:
        self.at_ns = 1_790_000_000_123_456_789
        self.seconds = 0.0

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic(self) -> float:
        return self.seconds


class FixedEntropy:
    """Always the same bytes."""

    def bytes(self, count: int) -> bytes:
        return b"\xab" * count

    def fill(self, buffer: bytearray) -> None:
        buffer[:] = self.bytes(len(buffer))


class MemoryDevice:
    """Keeps its lines in memory, and fails while it is told to."""

    def __init__(self) -> None:
        self.kept = b""
        self.fails: Exception | None = None
        self.writes = 0
        self.reopened = 0
        self.closed = 0

    def write(self, lines: bytes) -> None:
        self.writes += 1
        if self.fails is not None:
            raise self.fails
        self.kept += lines

    def reopen(self) -> None:
        self.reopened += 1
        if self.fails is not None:
            raise DeviceFailed("the device is broken")

    def close(self) -> None:
        self.closed += 1

    def lines(self) -> list[dict[str, Any]]:
        """Everything that was kept, checkpoints too."""
        return [json.loads(line[line.index(b"{") :]) for line in self.kept.splitlines()]

    def records(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["type"] != "checkpoint"]


def enabled(
    name: str, device: Device, form: Format | None = None, *, configured: bool = True, prefix: str = ""
) -> Enabled:
    return Enabled(
        name=name,
        type="memory",
        device=device,
        form=form or Format(),
        prefix=prefix,
        from_configuration=configured,
    )


def make_broker(*devices: Enabled, unsealed: bool = True) -> Broker:
    broker = Broker(FakeClock(), FixedEntropy(), deadline_seconds=PATIENT_SECONDS)
    for device in devices:
        broker.enable(device)
    if unsealed:
        broker.unseal(KEY)
    return broker


def make_request(**changes: Any) -> Request:
    members: dict[str, Any] = {
        "id": "6b9f1a52-0000-4000-8000-000000000001",
        "operation": Operation.READ,
        "path": "secret/data/app",
        "token": Secret(TOKEN),
        "connection": Connection(remote_address="192.0.2.7", remote_port=40123),
    }
    return Request(**(members | changes))


def make_caller(**changes: Any) -> Caller:
    members: dict[str, Any] = {
        "token_id": "keyed-hash-of-the-token",
        "accessor": ACCESSOR,
        "display_name": "token-app",
        "policies": ("default", "app"),
        "token_policies": ("default", "app"),
        "entity_id": "entity-1",
        "metadata": {"team": "payments"},
    }
    return Caller(**(members | changes))


def make_facts(request: Request | None = None, **changes: Any) -> Facts:
    members: dict[str, Any] = {
        "request": request or make_request(),
        "caller": make_caller(),
        "mount": MOUNT,
        "policies_allowed": True,
        "granting_policies": ("app",),
    }
    return Facts(**(members | changes))
