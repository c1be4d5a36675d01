"""Between the listener and the pipeline: what must run on the pool waits for its turn, but not longer than it may."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest
from tests.kit import Vault

from strongroom.core.batch import Alarms
from strongroom.http.listener import Listener
from strongroom.http.shared import Timeouts
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.server.builtins import PLUGS
from strongroom.server.edge import Edge
from strongroom.server.pool import THREADS
from strongroom.system.area import Nothing

PATIENCE = 30.0


@dataclass
class Stuck:
    """An engine whose only endpoint keeps its thread until the gate opens."""

    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    gate: threading.Event = field(default_factory=threading.Event)
    count: int = 0
    help: str = "Waits."

    def paths(self) -> tuple[Path, ...]:
        return (Path("wait", "Wait.", (Endpoint(Operation.UPDATE, self.wait, "Wait.", slow=True),)),)

    def wait(self, _context: Context, _request: Nothing) -> Response:
        self.count += 1
        self.begun.release()
        assert self.gate.wait(PATIENCE)
        return Response(data={"waited": True})


@dataclass
class Scene:
    """A vault behind a real listener, with a clock that jumps."""

    stuck: Stuck
    vault: Vault
    listener: Listener
    address: tuple[str, int]
    stack: ExitStack

    def ask(self, method: str, path: str) -> socket.socket:
        client = self.stack.enter_context(socket.create_connection(self.address, timeout=PATIENCE))
        head = (
            f"{method} /v1/{path} HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {self.vault.root}\r\nContent-Length: 0\r\n\r\n"
        )
        client.sendall(head.encode())
        return client

    def settle(self) -> None:
        """Return when the loop has seen everything that was sent before."""
        for _ in range(4):
            seen = threading.Event()
            self.listener.call_soon(seen.set)
            assert seen.wait(PATIENCE)


@pytest.fixture
def scene() -> Iterator[Scene]:
    stuck = Stuck()
    vault = Vault(plugs=replace(PLUGS, engines={**PLUGS.engines, "stuck": lambda: stuck}))
    vault.mount("stuck", "stuck")
    with ExitStack() as stack:
        edge = Edge(
            vault.node,
            Alarms(vault.failures.append, lambda: None),
            call_later=lambda seconds, call: listener.call_later(seconds, call),  # noqa: PLW0108 -- it is made below
        )
        listener = Listener(edge, vault.clock, on_failure=vault.failures.append)
        address = listener.add_tcp("127.0.0.1", 0, timeouts=Timeouts(wait=90))
        thread = threading.Thread(target=listener.run, daemon=True)
        thread.start()
        yield Scene(stuck, vault, listener, address, stack)
        stuck.gate.set()
        stack.close()
        listener.stop()
        vault.clock.jump(1000)
        listener.call_soon(lambda: None)
        thread.join(PATIENCE)
        edge.close()
        assert not thread.is_alive()
        assert vault.failures == []


def status(client: socket.socket) -> int:
    """The status of the next answer."""
    return int(client.recv(65536).split()[1])


def test_a_request_that_waits_for_the_pool_too_long_is_answered_with_503_and_not_run(scene: Scene) -> None:
    running = [scene.ask("POST", "stuck/wait") for _ in range(THREADS)]
    for _ in running:
        assert scene.stuck.begun.acquire(timeout=PATIENCE)
    late = scene.ask("POST", "stuck/wait")
    scene.settle()
    before = len(scene.vault.device.records)

    scene.vault.clock.jump(91)
    scene.settle()

    assert status(late) == 503
    assert status(scene.ask("GET", "sys/health")) == 200  # the loop itself was never busy
    scene.stuck.gate.set()
    assert [status(client) for client in running] == [200] * THREADS
    assert scene.stuck.count == THREADS
    later = [record for record in scene.vault.device.records[before:] if record["request"]["path"] == "stuck/wait"]
    assert [record["type"] for record in later] == ["response"] * THREADS


def test_a_request_that_gets_its_turn_in_time_is_run(scene: Scene) -> None:
    running = [scene.ask("POST", "stuck/wait") for _ in range(THREADS)]
    for _ in running:
        assert scene.stuck.begun.acquire(timeout=PATIENCE)
    waiting = scene.ask("POST", "stuck/wait")
    scene.settle()

    scene.vault.clock.jump(89)
    scene.settle()
    scene.stuck.gate.set()

    assert [status(client) for client in (*running, waiting)] == [200] * (THREADS + 1)
