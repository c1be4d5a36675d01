"""Clients that read, write and log in without pause, and note each answer with the moments at which it was asked and given."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from reliability.server import Answer, Client, Gone, Server

SECRET = "the-value-that-must-not-leave"


@dataclass(frozen=True)
class Seen:
    """One answer. ``status`` 0 stands for none. Moments in seconds of the monotonic clock."""

    kind: str
    asked_at: float
    answered_at: float
    status: int
    shows_secret: bool


@dataclass
class Load:
    """The clients of ``server``: readers, writers and those who log in with a password, which takes long."""

    server: Server
    readers: int = 3
    writers: int = 2
    logins: int = 1
    seen: list[Seen] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)
    """The last version of each writer's secret that was acknowledged."""

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def prepare(self) -> None:
        """Make the mounts, the secret and the user."""
        client = self.server.client()
        client.must("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
        client.must("POST", "kv/data/secret", {"data": {"text": SECRET}})
        client.must("POST", "sys/auth/userpass", {"type": "userpass"})
        client.must("POST", "auth/userpass/users/someone", {"password": "a password of theirs"})

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        works = [("read", self._read)] * self.readers + [("login", self._log_in)] * self.logins
        works += [(f"writer-{number}", self._write) for number in range(self.writers)]
        self._threads = [threading.Thread(target=self._repeat, args=work, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, each with its answer."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)

    def _repeat(self, name: str, work: object) -> None:
        client = self.server.client()
        while not self._stopping.is_set():
            asked_at, status, shows = time.monotonic(), 0, False
            try:
                answer: Answer = work(client, name)  # type: ignore[operator]  # one of the three below
                status, shows = answer.status, SECRET in str(answer.body)
            except Gone:
                time.sleep(0.01)
            self.seen.append(Seen(name.partition("-")[0], asked_at, time.monotonic(), status, shows))
            if status == 503:
                time.sleep(0.005)
        client.close()

    def _read(self, client: Client, name: str) -> Answer:
        del name
        return client.call("GET", "kv/data/secret")

    def _log_in(self, client: Client, name: str) -> Answer:
        del name
        return client.call("POST", "auth/userpass/login/someone", {"password": "a password of theirs"}, token="")

    def _write(self, client: Client, name: str) -> Answer:
        answer = client.call("POST", f"kv/data/{name}", {"data": {"number": len(self.seen)}})
        if answer.is_good:
            self.acknowledged[name] = answer.body["data"]["version"]
        return answer

    def lost(self) -> int:
        """How many writers' secrets are older than what was acknowledged."""
        client = self.server.client()
        return sum(
            client.must("GET", f"kv/data/{name}").body["data"]["metadata"]["version"] < version
            for name, version in self.acknowledged.items()
        )
