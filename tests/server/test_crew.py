"""The leader and its followers: what they tell each other, and what happens when one of them does not go along."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.kit import Vault
from tests.pinned import at_once, is_running
from tests.processes import wait_until

from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.operation import Operation
from strongroom.logical.request import Connection, Request
from strongroom.physical.sqlite import SqliteStore
from strongroom.server.commons import new_commons
from strongroom.server.crew import Follower, Leader, Mate
from strongroom.server.doorman import Asks
from strongroom.server.frames import Kind, Link

PATIENCE = 30.0
REQUEST = HttpRequest("GET", "/v1/a", {}, b"", Connection())


@dataclass
class Recorded:
    """Duties that are written down."""

    taken: list[Asks] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def take(self, asked: Asks) -> None:
        self.taken.append(asked)

    def begin_stop(self) -> None:
        self.calls.append("begin_stop")

    def mate_gone(self) -> None:
        self.calls.append("mate_gone")

    def lose(self) -> None:
        self.calls.append("lose")

    def scrub(self) -> None:
        self.calls.append("scrub")

    def failed(self, failure: Exception) -> None:
        self.calls.append(type(failure).__name__)


@dataclass
class Waiting:
    """A request of a client, and the answer to it."""

    request: HttpRequest = field(default_factory=lambda: REQUEST)
    answers: list[HttpResponse] = field(default_factory=list)

    def respond(self, response: HttpResponse) -> None:
        self.answers.append(response)


class Scene:
    """A leader and one follower, whose process is one that sleeps. Both have a vault of their own on one store."""

    def __init__(self, folder: Path, *, follow_seconds: float) -> None:
        clock = SystemClock()
        ours, theirs = socket.socketpair()
        self.links = (Link(ours), Link(theirs))
        self.pid = os.posix_spawn("/bin/sleep", ["sleep", "600"], {})
        commons = new_commons(SystemEntropy(), processes=2)
        self.leader = Leader([Mate(self.pid, self.links[0])], commons, clock, follow_seconds=follow_seconds)
        self.follower = Follower(self.links[1], commons.of_row(1))
        self.leading, self.following = Recorded(), Recorded()
        # Whoever holds the folder is the parent of both, which this test is.
        stores = SqliteStore(folder, is_shared=True), SqliteStore(folder, is_shared=True)
        self.vaults = Vault(store=stores[0], is_unsealed=False), Vault(store=stores[1], is_unsealed=False)
        self.vaults[0].initialize()
        self.vaults[0].node.siblings = self.leader

    def start(self) -> None:
        self.leader.start(self.leading)
        self.follower.start(self.vaults[1].node, self.following)

    @property
    def are_open(self) -> tuple[bool, bool]:
        return self.vaults[0].node.unsealed is not None, self.vaults[1].node.unsealed is not None

    def end(self) -> None:
        self.leader.abandon()
        self.links[1].end()
        for thread in threading.enumerate():
            if thread.name in {"leader", f"follower-{self.pid}"}:
                thread.join(PATIENCE)
        self.leader.wait(0)
        assert not is_running(self.pid)
        for link in self.links:
            link.forget()
        for vault in self.vaults:
            vault.node.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "data", follow_seconds=PATIENCE)
    yield made
    made.end()


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Scene]:
    """The same with a leader that does not wait for the follower at all."""
    made = Scene(tmp_path / "data", follow_seconds=0)
    yield made
    made.end()


def test_a_follower_opens_and_closes_its_vault_before_the_leader_says_so(scene: Scene) -> None:
    scene.start()
    scene.vaults[0].unseal()
    assert scene.are_open == (True, True)
    scene.vaults[1].root = scene.vaults[0].root
    assert scene.vaults[1].get("auth/token/lookup-self").status == 200

    assert scene.vaults[0].call("PUT", "sys/seal").status == 204
    assert scene.are_open == (False, False)
    assert scene.vaults[1].get("auth/token/lookup-self").status == 503


def test_the_follower_ends_as_the_leader_does_however_sealing_and_opening_meet(scene: Scene) -> None:
    scene.start()
    for _ in range(10):
        at_once(scene.vaults[0].unseal, scene.vaults[0].node.seal, scene.vaults[0].unseal)
        leading, following = scene.are_open
        assert leading is following


def test_the_root_key_travels_only_when_the_vault_opens(scene: Scene) -> None:
    scene.start()
    scene.vaults[0].unseal()
    scene.links[1].end()  # whoever tries to send from now on is told that nobody is there
    wait_until(lambda: "lose" in scene.leading.calls)

    assert scene.vaults[0].node.submit_unseal_share(scene.vaults[0].shares[0]).sealed is False
    assert is_running(scene.pid)


def test_a_follower_that_does_not_close_its_vault_is_dead_before_sealing_is_answered(hasty: Scene) -> None:
    hasty.leader.start(hasty.leading)  # and nobody listens at the other end
    hasty.vaults[0].unseal()
    assert not is_running(hasty.pid)

    hasty.vaults[0].node.seal()

    assert hasty.are_open == (False, False)


def test_sealing_does_not_wait_for_a_follower_that_is_gone(scene: Scene) -> None:
    scene.leader.start(scene.leading)
    scene.links[1].end()
    wait_until(lambda: "lose" in scene.leading.calls)

    scene.vaults[0].unseal()
    scene.vaults[0].node.seal()

    assert is_running(scene.pid)  # it was not ended for being late, because nobody waited


def test_a_request_and_its_answer_come_over_whole(scene: Scene) -> None:
    scene.start()
    body = os.urandom(8 << 20)
    client = Waiting(
        HttpRequest("PUT", "/v1/x?y=%2F", {"x-vault-token": "t"}, body, Connection(remote_address="192.0.2.7"))
    )

    scene.follower.forward(client)
    wait_until(lambda: scene.leading.taken)
    [asked] = scene.leading.taken
    assert asked.request == client.request
    answer = HttpResponse(200, (("Content-Type", "text/plain"),), body[::-1])
    asked.respond(answer)
    wait_until(lambda: client.answers)

    assert client.answers == [answer]


def test_answers_find_their_clients_in_any_order(scene: Scene) -> None:
    scene.start()
    clients = [Waiting(HttpRequest("GET", f"/v1/{number}", {}, b"", Connection())) for number in range(20)]
    for client in clients:
        scene.follower.forward(client)
    wait_until(lambda: len(scene.leading.taken) == len(clients))

    for asked in reversed(scene.leading.taken):
        asked.respond(HttpResponse(200, (), asked.request.target.encode()))
    wait_until(lambda: all(client.answers for client in clients))

    assert [client.answers[0].body for client in clients] == [f"/v1/{number}".encode() for number in range(20)]


def test_a_request_that_cannot_be_forwarded_any_more_is_answered(scene: Scene) -> None:
    scene.links[1].end()
    client = Waiting()
    scene.follower.forward(client)
    assert [answer.status for answer in client.answers] == [502]


def test_the_answer_to_a_follower_that_is_gone_goes_nowhere(scene: Scene) -> None:
    scene.start()
    scene.follower.forward(Waiting())
    wait_until(lambda: scene.leading.taken)
    scene.links[1].end()
    scene.leading.taken[0].respond(HttpResponse(204, ()))


def test_a_dead_process_is_a_loss_for_the_other(scene: Scene) -> None:
    scene.start()
    scene.links[1].end()
    wait_until(lambda: len(scene.leading.calls) == 2 and scene.following.calls)
    assert scene.leading.calls == ["mate_gone", "lose"]
    assert scene.following.calls == ["lose"]


def test_a_follower_that_ends_because_it_was_told_to_is_no_loss(scene: Scene) -> None:
    scene.start()
    scene.leader.stop()
    wait_until(lambda: scene.following.calls)
    assert scene.following.calls == ["begin_stop"]
    scene.links[1].end()
    wait_until(lambda: scene.leading.calls)
    assert scene.leading.calls == ["mate_gone"]


def test_a_follower_that_is_asked_to_stop_asks_the_leader(scene: Scene) -> None:
    scene.start()
    scene.follower.ask_to_stop()
    wait_until(lambda: scene.leading.calls)
    assert scene.leading.calls == ["begin_stop"]


def test_a_follower_whose_store_failed_ends_all(scene: Scene) -> None:
    scene.start()
    scene.follower.give_up()
    wait_until(lambda: scene.leading.calls)
    assert scene.leading.calls == ["lose"]


@pytest.mark.parametrize("end", [0, 1], ids=["from the leader", "from the follower"])
def test_nonsense_is_a_failure_of_ours_and_ends_all(scene: Scene, end: int) -> None:
    scene.start()
    scene.links[end].send(Kind.ANSWER if end == 0 else Kind.FORWARD, b"\xc1")
    hearer = (scene.following, scene.leading)[end]
    wait_until(lambda: "lose" in hearer.calls)
    assert hearer.calls[0] == "DecodeError"


def test_a_follower_that_cannot_open_its_vault_ends_all(scene: Scene) -> None:
    scene.start()
    scene.leader.unsealed(bytearray(32))
    wait_until(lambda: "lose" in scene.leading.calls and "lose" in scene.following.calls)
    assert len(scene.following.calls) == 2  # the failure, which is logged, and the loss
    assert scene.are_open == (False, False)


def test_the_leader_shows_what_a_follower_answers(scene: Scene) -> None:
    scene.start()
    scene.vaults[0].unseal()
    node = scene.vaults[1].node
    request = Request(id="theirs", operation=Operation.READ, path="kv/x", connection=Connection(), method="GET")
    node.in_flight.begin_batch([request], node.clock.now_ns())
    assert scene.leader.under_way()["theirs"]["request_path"] == "/v1/kv/x"
    node.in_flight.begin_batch((), 0)
    assert scene.leader.under_way() == {}


def test_a_follower_that_is_gone_is_not_waited_for(scene: Scene) -> None:
    scene.start()
    scene.links[1].end()
    wait_until(lambda: "mate_gone" in scene.leading.calls)
    assert scene.leader.under_way() == {}
