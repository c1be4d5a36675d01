"""R-13: eight clients work on secrets of a server with two processes, which is sealed and killed meanwhile; then the checker decides.

`python -m tests.linearizability.run FOLDER [SECRETS [OPERATIONS [SEED]]]` prints one line of JSON and ends with 1 where a history is illegal,
undecided, or where a lie that was put into a history was not found.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.linearizability.checker import Verdict, check
from tests.linearizability.clients import Client, Crossing, by_secret
from tests.linearizability.history import Kind, Operation
from tests.linearizability.seeded import LIES
from tests.pinned import Pinned, followers_of, is_running, pinned
from tests.processes import ServerProcess, running_server, start_server, wait_until

CLIENTS = 8
TOGETHER = 5
"""How many secrets are worked on at the same time."""
WORKERS = "workers = 2\n"


@dataclass(frozen=True)
class Summary:
    """What came of it. ``unknown`` histories could not be decided; ``unanswered`` operations changed something or did not."""

    histories: int
    operations: int
    unanswered: int
    illegal: int
    unknown: int
    lies: int
    lies_found: int

    @property
    def is_good(self) -> bool:
        """Whether this is what R-13 asks for."""
        return (
            not self.illegal
            and self.unknown * 100 <= self.histories
            and self.unanswered * 100 <= self.operations
            and self.lies_found == self.lies > 0
        )

    @property
    def line(self) -> str:
        """One line of JSON."""
        return json.dumps({"test": "R-13", **self.__dict__})


class Stage:
    """The server and the connections to it, through interruptions. ``close`` ends both."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        self.server: ServerProcess = self._stack.enter_context(running_server(folder, extra=WORKERS))
        assert self.server.call("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}}).status == 204
        self.connections = self._connect()

    def close(self) -> None:
        """End everything."""
        self._stack.close()

    def seal_and_unseal(self, crossing: Crossing) -> None:
        """Seal in the middle of what is going on, and open again."""
        assert self.server.call("PUT", "sys/seal").status == 204
        crossing.close()
        self._unseal()
        crossing.open(self.connections)

    def kill_and_start(self, crossing: Crossing) -> None:
        """Kill a process in the middle of what is going on, which ends all of them; and start again."""
        ended, [follower] = self.server, followers_of(self.server)
        os.kill(follower, signal.SIGKILL)
        crossing.close()
        wait_until(lambda: ended.process.poll() is not None and not is_running(follower))
        self.server = start_server(ended.folder, extra=WORKERS)
        self._stack.callback(self.server.process.wait)
        self._stack.callback(self.server.process.kill)
        self.server.token = ended.token
        self._unseal()
        self.connections = self._connect()
        crossing.open(self.connections)

    def _unseal(self) -> None:
        key = (self.server.folder / "unseal-key").read_text(encoding="ascii")
        assert self.server.call("PUT", "sys/unseal", {"key": key}).status == 200

    def _connect(self) -> list[Pinned]:
        connections = self._stack.enter_context(pinned(self.server, CLIENTS))
        assert len({connection.worker for connection in connections}) == 2
        return connections


def run(folder: Path, *, secrets: int, operations: int, seed: int) -> Summary:
    """Record the histories of ``secrets`` secrets with ``operations`` operations each, and check them.

    The secrets are worked on some at a time: first with nothing else going on, then through a seal, then through a kill, and so on.
    """
    random = Random(seed)
    stage = Stage(folder)
    interruptions: Sequence[Callable[[Crossing], None] | None] = (None, stage.seal_and_unseal, stage.kill_and_start)
    histories: dict[str, list[Operation]] = {}
    try:
        for number, first in enumerate(range(0, secrets, TOGETHER)):
            names = [f"secret-{index}" for index in range(first, min(secrets, first + TOGETHER))]
            interruption = interruptions[number % len(interruptions)]
            histories.update(record(stage.connections, names * operations, interruption, random))
    finally:
        stage.close()
    return judged(histories, random)


def record(
    connections: Sequence[Pinned],
    work: list[str],
    interruption: Callable[[Crossing], None] | None,
    random: Random,
) -> Mapping[str, list[Operation]]:
    """Have the clients do ``work`` together, with ``interruption`` in the middle of it."""
    random.shuffle(work)
    crossing = Crossing(connections)
    clients = [Client(number, work[number::CLIENTS], crossing, Random(random.random())) for number in range(CLIENTS)]
    threads = [threading.Thread(target=client.run, name=f"client-{client.number}") for client in clients]
    for thread in threads:
        thread.start()
    if interruption is not None:
        wait_until(lambda: crossing.count >= len(work) // 2, seconds=120)
        interruption(crossing)
    for thread in threads:
        thread.join()
    assert sum(len(client.done) for client in clients) == len(work), "a client gave up"
    return by_secret(clients)


def judged(histories: Mapping[str, list[Operation]], random: Random) -> Summary:
    """Check every history as it is, and again with each lie that there is a place for."""
    verdicts = [check(history) for history in histories.values()]
    false = [lied for history in histories.values() for lie in LIES.values() if (lied := lie(history, random))]
    everything = [operation for history in histories.values() for operation in history]
    return Summary(
        histories=len(histories),
        operations=len(everything),
        unanswered=sum(one.outcome is None and one.kind is not Kind.READ for one in everything),
        illegal=verdicts.count(Verdict.ILLEGAL),
        unknown=verdicts.count(Verdict.UNDECIDED),
        lies=len(false),
        lies_found=sum(check(lied) is Verdict.ILLEGAL for lied in false),
    )


def main(arguments: Sequence[str]) -> int:
    """Run it from the command line."""
    folder, *numbers = arguments
    secrets, operations, seed = ([int(number) for number in numbers] + [20, 500, 1][len(numbers) :])[:3]
    summary = run(Path(folder), secrets=secrets, operations=operations, seed=seed)
    sys.stdout.write(summary.line + "\n")
    return 0 if summary.is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
