"""A server that is killed in the middle of writes has everything that it acknowledged, and nothing that it took back."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.journeys.conftest import Again, Client
from tests.processes import ServerProcess, running_server, wait_until

WRITERS = 4
ROUNDS = 3
WRITES_BEFORE_THE_KILL = 150


@dataclass
class Acknowledged:
    """What clients were told is done."""

    values: dict[str, str] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)


def write_until_it_dies(server: ServerProcess, name: str, done: Acknowledged) -> None:
    client = Client(server, server.token)
    number = 0
    try:
        while True:
            number += 1
            path, value = f"kv/{name}/{number}", f"value of {name} {number}"
            status, _ = client.call("PUT", path, {"value": value})
            assert status == 204
            done.values[path] = value
            if number % 5 == 0:
                _, made = client.call("POST", "auth/token/create", {"policies": ["default"]})
                token = made["auth"]["client_token"]
                if number % 10 == 0:
                    status, _ = client.call("POST", "auth/token/revoke", {"token": token})
                    assert status == 204
                    done.revoked.add(token)
                else:
                    done.alive.add(token)
    except (OSError, http.client.HTTPException):
        return  # the kill
    finally:
        client.close()


def write_and_kill(server: ServerProcess, name: str, done: Acknowledged) -> None:
    enough = len(done.values) + WRITES_BEFORE_THE_KILL
    writers = [
        threading.Thread(target=write_until_it_dies, args=(server, f"{name}-{number}", done))
        for number in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    wait_until(lambda: len(done.values) >= enough)
    server.kill()
    for writer in writers:
        writer.join(30)
    assert not any(writer.is_alive() for writer in writers)


@pytest.fixture
def server(folder: Path) -> Iterator[ServerProcess]:
    with running_server(folder) as running:
        assert running.call("POST", "sys/mounts/kv", {"type": "kv-v1"}).status == 204
        yield running


def test_every_acknowledged_write_survives_a_kill(server: ServerProcess, again: Again) -> None:
    done = Acknowledged()
    last = server
    try:
        for number in range(ROUNDS):
            before = len(done.values)
            write_and_kill(last, f"round-{number}", done)
            assert len(done.values) > before, "nothing was written before the kill"
            last = again(last)
            check_everything(last, done)
        check_audit(last, done)
        assert last.stop() == 0
    finally:
        if last.process.poll() is None:
            last.kill()


def check_everything(server: ServerProcess, done: Acknowledged) -> None:
    client = Client(server, server.token)
    lost = []
    for path, value in done.values.items():
        status, body = client.call("GET", path)
        if status != 200 or body["data"] != {"value": value}:
            lost.append(path)
    assert lost == []
    for token in done.revoked:
        assert client.call("GET", "auth/token/lookup-self", token=token)[0] == 403
    for token in done.alive:
        assert client.call("GET", "auth/token/lookup-self", token=token)[0] == 200
    client.close()


def check_audit(server: ServerProcess, done: Acknowledged) -> None:
    """For every acknowledged write there is a record of the request and one of the response."""
    recorded: dict[str, set[str]] = {"request": set(), "response": set()}
    for line in server.audit_file.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if (
            record["type"] in recorded
            and record["request"].get("operation") in ("update", "create")
            and not record.get("error")
        ):
            recorded[record["type"]].add(record["request"]["path"])
    assert set(done.values) <= recorded["request"]
    assert set(done.values) <= recorded["response"]
    text = server.audit_file.read_text(encoding="utf-8")
    assert "value of round" not in text
    assert not any(token in text for token in done.alive | done.revoked)
