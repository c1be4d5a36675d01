"""A load generator whose requests come when the schedule says, whether earlier ones were answered or not.

    python -m reliability.open_loop < plan.json > outcome.json

A generator that waits for answers asks less the slower the server is, and so hides what waiting clients see. Here every arrival has its
moment from the beginning, latency counts from that moment, and an arrival for which no connection is free waits like a client would.
One thread, one epoll, TLS connections that are kept: about 50 microseconds of processor time a request, so that little is taken from
a server on the same machine. How late the generator itself was is part of the outcome (``lag_p99``).
"""

from __future__ import annotations

import collections
import dataclasses
import json
import random
import re
import select
import socket
import ssl
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from bench.usage import cpu_seconds
from reliability.result import percentile

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_LENGTH = re.compile(rb"Content-Length: (\d+)\r\n")
_ID = re.compile(rb"X-Request-Id: ([0-9a-f-]+)\r\n")
_VERSION = re.compile(rb'"version":(\d+)')
_HANDSHAKE_SECONDS = 20.0
_TICK_SECONDS = 0.002
_DRAIN_SECONDS = 5.0
_LOOK_SECONDS = 0.1
UNTIL_TOLD = "until-told"
"""An argument: a further line of input ends it before its time."""


@dataclass
class Plan:
    """What to ask of whom. ``rate`` is in arrivals per second; 0 asks again as soon as there is an answer (to find the rate)."""

    port: int
    ca_file: str
    token: str
    role_id: str
    secret_id: str
    rate: float
    seconds: float
    connections: int
    server_pid: int
    deadline: float = 1.0
    seed: int = 1
    readable: int = 100
    writable: int = 1000
    source: str = "127.0.0.1"
    mix: tuple[float, float, float] = (0.80, 0.15, 0.05)
    """The shares of reads, writes and logins."""


@dataclass
class Outcome:
    """What came of it. Times in seconds. ``good`` were answered with 2xx within the deadline, counted from their scheduled moment."""

    offered: int = 0
    good: int = 0
    late: int = 0
    refused: int = 0
    refused_without_retry_after: int = 0
    other_answers: int = 0
    never_sent: int = 0
    """Their deadline passed before a connection was free: refused by nobody, and lost to the client all the same."""
    broken_connections: int = 0
    seconds: float = 0.0
    good_p50: float = 0.0
    good_p99: float = 0.0
    refused_p50: float = 0.0
    refused_p99: float = 0.0
    lag_p99: float = 0.0
    own_cpu_seconds: float = 0.0
    server_cpu_seconds: float = 0.0
    """Processor time of all processes of the server, from the first arrival until the last answer."""
    answered: list[str] = field(default_factory=list)
    """Ids of the requests that were answered with 2xx."""
    written: dict[str, list[int]] = field(default_factory=dict)
    """The versions of each secret that were acknowledged."""
    timeline: list[tuple[float, float]] = field(default_factory=list)
    """Of each good answer, when its request was due (on the monotonic clock) and how long it took."""


@dataclass(slots=True)
class _Arrival:
    due: float
    kind: str
    key: str
    content: bytes


class _Lane:
    """One connection, with at most one request under way."""

    __slots__ = ("arrival", "received", "socket")

    def __init__(self, connected: ssl.SSLSocket) -> None:
        self.socket = connected
        self.arrival: _Arrival | None = None
        self.received = b""


class _Requests:
    """Makes the requests of a plan, by chance with its seed."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._number = 0
        self._login = self._post(
            "auth/approle/login", json.dumps({"role_id": plan.role_id, "secret_id": plan.secret_id}).encode(), ""
        )
        self._reads = [
            f"GET /v1/secret/data/read/{n} HTTP/1.1\r\nHost: a\r\nX-Vault-Token: {plan.token}\r\n\r\n".encode()
            for n in range(plan.readable)
        ]

    def gap(self) -> float:
        """Until the next arrival: as from many clients that know nothing of each other."""
        return self._random.expovariate(self._plan.rate)

    def next(self, due: float) -> _Arrival:
        """The request that arrives at ``due``."""
        chance, mix = self._random.random(), self._plan.mix
        if chance < mix[0]:
            return _Arrival(due, "read", "", self._random.choice(self._reads))
        if chance < mix[0] + mix[1]:
            self._number += 1
            key = f"write/{self._random.randrange(self._plan.writable)}"
            body = json.dumps({"data": {"number": self._number, "password": "correct horse battery staple"}}).encode()
            return _Arrival(due, "write", key, self._post(f"secret/data/{key}", body, self._plan.token))
        return _Arrival(due, "login", "", self._login)

    @staticmethod
    def _post(path: str, body: bytes, token: str) -> bytes:
        shown = f"X-Vault-Token: {token}\r\n" if token else ""
        return f"POST /v1/{path} HTTP/1.1\r\nHost: a\r\n{shown}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Generator:
    """Carries out one plan."""

    def __init__(self, plan: Plan, *, ends_when_told: bool = False) -> None:
        self._plan = plan
        self._ends_when_told = ends_when_told
        self._looks_again = 0.0
        self._context = ssl.create_default_context(cafile=plan.ca_file)
        self._requests = _Requests(plan)
        self._epoll = select.epoll()
        self._lanes: dict[int, _Lane] = {}
        self._free: collections.deque[_Lane] = collections.deque()
        self._waiting: collections.deque[_Arrival] = collections.deque()
        self._busy = 0
        self._outcome = Outcome()
        self._good_times: list[float] = []
        self._refused_times: list[float] = []
        self._lags: list[float] = []

    def run(self) -> Outcome:
        """Connect, ask, wait for the last answers, hang up."""
        for _ in range(self._plan.connections):
            self._connect()
        own, servers = time.process_time(), cpu_seconds(self._plan.server_pid)
        began = time.monotonic()
        self._offer(began, began + self._plan.seconds)
        self._await_rest(time.monotonic() + _DRAIN_SECONDS)
        outcome = self._outcome
        outcome.seconds = self._plan.seconds
        outcome.own_cpu_seconds = time.process_time() - own
        outcome.server_cpu_seconds = cpu_seconds(self._plan.server_pid) - servers
        outcome.good_p50, outcome.good_p99 = percentile(self._good_times, 0.5), percentile(self._good_times, 0.99)
        outcome.refused_p50 = percentile(self._refused_times, 0.5)
        outcome.refused_p99 = percentile(self._refused_times, 0.99)
        outcome.lag_p99 = percentile(self._lags, 0.99)
        for lane in self._lanes.values():
            lane.socket.close()
        return outcome

    def _connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self._plan.port), _HANDSHAKE_SECONDS, (self._plan.source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected = self._context.wrap_socket(plain, server_hostname="127.0.0.1")
        connected.setblocking(False)
        lane = _Lane(connected)
        self._lanes[connected.fileno()] = lane
        self._epoll.register(connected.fileno(), select.EPOLLIN)
        self._free.append(lane)

    def _offer(self, began: float, ends: float) -> None:
        is_open = self._plan.rate > 0
        due = began + self._requests.gap() if is_open else began
        while (now := time.monotonic()) < ends and not self._is_told():
            if not is_open:
                while self._free:
                    self._arrive(now, now)
            while is_open and due <= now:
                self._arrive(due, now)
                due += self._requests.gap()
            self._send_waiting(now)
            self._hear(min(_TICK_SECONDS, max(0.0, due - time.monotonic())) if is_open else _TICK_SECONDS)

    def _is_told(self) -> bool:
        """Whether somebody said that it is enough."""
        if self._ends_when_told and time.monotonic() > self._looks_again:
            self._looks_again = time.monotonic() + _LOOK_SECONDS
            return bool(select.select([sys.stdin], [], [], 0)[0])
        return False

    def _arrive(self, due: float, now: float) -> None:
        self._outcome.offered += 1
        self._lags.append(now - due)
        self._waiting.append(self._requests.next(due))
        if self._plan.rate <= 0:
            self._send_waiting(now)

    def _send_waiting(self, now: float) -> None:
        waiting, oldest = self._waiting, now - self._plan.deadline
        while waiting and waiting[0].due < oldest:
            waiting.popleft()
            self._outcome.never_sent += 1
        while waiting and self._free:
            # In turn: a server may close a connection on which nothing was ever asked.
            lane, arrival = self._free.popleft(), waiting.popleft()
            lane.arrival = arrival
            self._busy += 1
            try:
                lane.socket.send(arrival.content)
            except OSError:
                self._replace(lane)

    def _await_rest(self, ends: float) -> None:
        self._outcome.never_sent += len(self._waiting)
        self._waiting.clear()
        while self._busy and time.monotonic() < ends:
            self._hear(_TICK_SECONDS)
        self._outcome.late += self._busy

    def _hear(self, seconds: float) -> None:
        for descriptor, _ in self._epoll.poll(seconds, 256):
            lane = self._lanes[descriptor]
            try:
                received = lane.socket.recv(16384)
            except ssl.SSLWantReadError:
                continue
            except OSError:
                received = b""
            if not received:
                self._replace(lane)
                continue
            lane.received += received
            head, separator, body = lane.received.partition(b"\r\n\r\n")
            if separator:
                length = _LENGTH.search(head + b"\r\n")
                if len(body) >= (int(length[1]) if length else 0):
                    self._take(lane, head + b"\r\n", body)

    def _replace(self, lane: _Lane) -> None:
        self._outcome.broken_connections += 1
        self._busy -= lane.arrival is not None
        descriptor = lane.socket.fileno()
        self._epoll.unregister(descriptor)
        del self._lanes[descriptor]
        if lane in self._free:
            self._free.remove(lane)
        lane.socket.close()
        self._connect()

    def _take(self, lane: _Lane, head: bytes, body: bytes) -> None:
        arrival, lane.arrival, lane.received = lane.arrival, None, b""
        self._free.append(lane)
        if arrival is None:
            return
        self._busy -= 1
        outcome, took = self._outcome, time.monotonic() - arrival.due
        found = _STATUS.match(head)
        status = int(found[1]) if found else 0
        if status in {200, 204}:
            identity = _ID.search(head)
            outcome.answered.append(identity[1].decode() if identity else "")
            if arrival.kind == "write":
                version = _VERSION.search(body)
                outcome.written.setdefault(arrival.key, []).append(int(version[1]) if version else -1)
            if took <= self._plan.deadline:
                outcome.good += 1
                outcome.timeline.append((arrival.due, took))
                self._good_times.append(took)
            else:
                outcome.late += 1
        elif status in {429, 503}:
            outcome.refused += 1
            outcome.refused_without_retry_after += b"\r\nRetry-After: " not in head
            self._refused_times.append(took)
        else:
            outcome.other_answers += 1


def main() -> None:
    """Read a plan, carry it out, print what came of it."""
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    told["mix"] = tuple(told["mix"])
    generator = Generator(Plan(**told), ends_when_told=UNTIL_TOLD in sys.argv)
    json.dump(dataclasses.asdict(generator.run()), sys.stdout)


if __name__ == "__main__":
    main()
