"""R-1: promotion, import and rotation of an environment, killed wherever they can be. ``python -m reliability.environment_kills --kills 120``.

Each is the real command line against the real server. The server is killed at every failpoint on the way of each request, the first time that the point is reached,
the second, and so on, until the command comes through; and the command itself at every file and connection that it opens, names or removes. After each kill all of it must
have happened, or nothing; what was there before is there; the indexes agree; and the same command, given once more, completes it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from reliability.checker import check_folder
from reliability.result import Result, run
from reliability.server import Client, Gone, Server

POINTS = (
    *("before_commit", "after_commit_before_ack", "before_audit_response", "after_audit_response", "after_ack"),
    *("before_audit_request", "after_audit_request", "before_store_begin", "after_store_begin"),
)
"""Those first at which most is under way: few kills go no further."""
KEYRING_POINTS = ("keyring_before_persist", "keyring_after_persist")
TIMES_MAX = 12
"""So often a point is reached at most until a command comes through."""
SECRETS = 12
KILLED_COMMAND = """
import os, signal, sys
left = int(sys.argv.pop(1))
names = {"os.link", "os.rename", "os.remove", "socket.connect"}
def step(event, arguments):
    global left
    if event in names or (event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(step)
from strongroom.__main__ import main
sys.exit(main())
"""


class HalfDone(Exception):
    """Something happened, and something else that belongs to it did not. The text says what."""


@dataclass
class Tally:
    """What all kills came to."""

    kills: int = 0
    commands_killed: int = 0
    happened: int = 0
    reached: set[str] = field(default_factory=set)
    half_done: int = 0
    not_completed: int = 0
    findings: list[str] = field(default_factory=list)

    def half(self, text: str) -> None:
        """Something is half done."""
        self.half_done += 1
        self.findings.append(text)

    def incomplete(self, text: str) -> None:
        """Something was not completed by the same command."""
        self.not_completed += 1
        self.findings.append(text)


class Work(ABC):
    """A command of which each ``round`` is about other secrets."""

    name: str
    points: tuple[str, ...] = POINTS

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.round = 0

    @abstractmethod
    def prepare(self, client: Client) -> None:
        """What has to be there before."""

    @abstractmethod
    def words(self) -> list[str]:
        """The command."""

    @abstractmethod
    def is_done(self, client: Client) -> bool:
        """Whether it has happened. Raises HalfDone."""


class PromoteFolder(Work):
    """All secrets of a folder go to production, as copies."""

    name = "promote a folder"

    def prepare(self, client: Client) -> None:
        """Secrets, and one that has its own value above."""
        for number in range(SECRETS):
            client.must(
                "POST", f"dev/data/{self._path(number)}", {"data": {"level": f"level {number} of {self.round}"}}
            )
        client.must("POST", f"prod/data/{self._path(0)}", {"data": {"own": "kept"}})

    def words(self) -> list[str]:
        """See Work."""
        return ["env", "promote", "-yes", "-from=dev", "-to=prod", f"folder{self.round}"]

    def is_done(self, client: Client) -> bool:
        """All or none, and what was there before."""
        found = [_values(client, f"prod/data/{self._path(number)}") for number in range(SECRETS)]
        if found[0].get("own") != "kept":
            raise HalfDone("a value above is gone")
        there = [values.get("level") == f"level {number} of {self.round}" for number, values in enumerate(found)]
        if any(there) and not all(there):
            raise HalfDone(f"{sum(there)} of {SECRETS} secrets were promoted")
        return all(there)

    def _path(self, number: int) -> str:
        return f"folder{self.round}/{number}"


class PromoteKey(Work):
    """A key of one secret goes to production with a generated value."""

    name = "promote a key"

    def prepare(self, client: Client) -> None:
        """One secret below."""
        client.must("POST", f"dev/data/one{self.round}", {"data": {"password": "of-dev-alone", "level": "info"}})

    def words(self) -> list[str]:
        """See Work."""
        promoted = ["-generate=password=password:32", f"one{self.round}#password"]
        return ["env", "promote", "-yes", "-from=dev", "-to=prod", *promoted]

    def is_done(self, client: Client) -> bool:
        """A value of its own."""
        values = _values(client, f"prod/data/one{self.round}")
        if values and (set(values) != {"password"} or len(values["password"]) != 32):
            raise HalfDone("what was promoted is not what was shown")
        return bool(values)


class Rotate(Work):
    """A new key for one environment; what was sealed before stays readable."""

    name = "rotate"
    points = (*KEYRING_POINTS, *POINTS)

    def prepare(self, client: Client) -> None:
        """A secret under the key of before."""
        client.must("POST", f"dev/data/sealed{self.round}", {"data": {"k": f"value {self.round}"}})
        self._before = self._term(client)

    def words(self) -> list[str]:
        """See Work."""
        return ["env", "rotate", "dev"]

    def is_done(self, client: Client) -> bool:
        """A newer term, and everything is readable."""
        if _values(client, f"dev/data/sealed{self.round}") != {"k": f"value {self.round}"}:
            raise HalfDone("what was sealed with the key of before cannot be read")
        client.must("POST", f"dev/data/after{self.round}", {"data": {"k": "new"}})
        return self._term(client) > self._before

    @staticmethod
    def _term(client: Client) -> int:
        return int(client.must("GET", "sys/environments/dev").body["data"]["keyring"]["term"])


class Import(Work):
    """A ``.env`` file moves into the vault."""

    name = "import"

    def prepare(self, client: Client) -> None:
        """A repository with the file, and a secret that has another key already."""
        place = self.place
        (place / ".git").mkdir(parents=True)
        (place / ".env").write_text(f"TOKEN='import {self.round}'\nLEVEL=info\n")
        client.must("POST", f"dev/data/import{self.round}", {"data": {"own": "kept"}})

    @property
    def place(self) -> Path:
        """Where the command runs."""
        return self.folder / f"import{self.round}"

    def words(self) -> list[str]:
        """See Work."""
        return ["init", "-from=.env", "-env=dev", "-root=dev", f"-path=import{self.round}", "-yes", "-remove"]

    def is_done(self, client: Client) -> bool:
        """The file goes last, and nothing else is left of what was written on the way."""
        values = _values(client, f"dev/data/import{self.round}")
        if values.get("own") != "kept":
            raise HalfDone("a value of before is gone")
        is_stored = values.get("TOKEN") == f"import {self.round}" and values.get("LEVEL") == "info"
        if not is_stored and (self.place / ".strongroom.toml").exists():
            raise HalfDone("the project file names what is not in the vault")
        if not is_stored and not (self.place / ".env").exists():
            raise HalfDone("the values are lost")
        others = {entry.name for entry in self.place.iterdir()} - {".git", ".env", ".gitignore", ".strongroom.toml"}
        if others:
            raise HalfDone(f"files were left: {sorted(others)}")
        return is_stored and not (self.place / ".env").exists()


WORKS = (PromoteFolder, PromoteKey, Rotate, Import)


def _values(client: Client, path: str) -> dict[str, str]:
    answer = client.call("GET", path)
    return dict(answer.body["data"]["data"] or {}) if answer.status == 200 else {}


class Place:
    """A vault with two environments, and commands that are given to it."""

    def __init__(self, folder: Path, workers: int, tally: Tally) -> None:
        self.folder, self.tally = folder, tally
        self.server = Server(folder / "vault", workers)
        self.server.start()
        self.server.initialize()
        client = self.server.client()
        for rank, name in enumerate(("dev", "prod")):
            client.must("POST", f"sys/mounts/{name}", {"type": "kv", "options": {"version": "2"}})
            rules = {"rank": rank, "mounts": [name], "reuse": "warn"}
            client.must("POST", f"sys/environments/{name}", rules)

    def kill_server(self, work: Work, point: str, times: int) -> bool:
        """Kill the server where ``work`` makes it reach ``point`` for the so-manieth time; whether it died."""
        self._begin(work)
        self.server.arm(f"{point}=kill@{times}")
        self._command(work)
        if self.server.process is not None and self.server.process.poll() is None and self._goes_on():
            # What is armed must not meet what is prepared next.
            self.server.kill()
            self.server.recover()
            return False
        self.server.kill()
        self.tally.kills += 1
        self.tally.reached.add(point)
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.server.data, copy)
        self.tally.findings += [
            f"{work.name}, {point}: {found}" for found in check_folder(copy, self.server.unseal_keys[0])
        ]
        self.server.recover()
        self._conclude(work, f"{work.name}, {point} for the {times}. time")
        return True

    def kill_command(self, work: Work, steps: int) -> bool:
        """Kill the command before its so-manieth step; whether it had so many."""
        self._begin(work)
        if self._command(work, "-c", KILLED_COMMAND, str(steps)) != -signal.SIGKILL:
            return False
        self.tally.commands_killed += 1
        self._conclude(work, f"{work.name}, before step {steps} of the command")
        return True

    def _begin(self, work: Work) -> None:
        self.server.arm("")
        work.round += 1
        work.prepare(self.server.client())

    def _conclude(self, work: Work, where: str) -> None:
        client = self.server.client()
        try:
            is_done = work.is_done(client)
            self.tally.happened += is_done
        except HalfDone as error:
            self.tally.half(f"{where}: {error}")
            return
        self._command(work)  # it may say that there is nothing left to do
        try:
            if not work.is_done(client):
                self.tally.incomplete(f"{where}: given once more, the command did not complete it")
        except HalfDone as error:
            self.tally.half(f"{where}, once more: {error}")

    def _goes_on(self) -> bool:
        """Whether the server answers: a point may be reached behind the answer."""
        try:
            self.server.client().call("GET", "sys/seal-status")
        except Gone:
            return False
        return True

    def _command(self, work: Work, *program: str) -> int:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_"))}
        environment |= {
            "STRONGROOM_ADDR": f"http://127.0.0.1:{self.server.port}",
            "STRONGROOM_TOKEN": self.server.token,
            "HOME": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        place = work.place if isinstance(work, Import) and work.place.exists() else self.folder
        words = [sys.executable, *(program or ("-m", "strongroom")), *work.words()]
        return subprocess.run(
            words, cwd=place, env=environment, capture_output=True, check=False, timeout=60
        ).returncode


def prove(arguments: argparse.Namespace) -> Result:
    """Kill until there is nothing more to kill, or for so many times; the server has two processes where the seed is odd."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="environment-kills-") as scratch:
        place = Place(Path(scratch), 1 + arguments.seed % 2, tally)
        share = max(1, arguments.kills // (len(WORKS) + 1))
        for work in (made(Path(scratch)) for made in WORKS):
            _kill_all(place, work, share)
            if isinstance(work, Import):
                for steps in range(1, 1 + share):
                    if not place.kill_command(work, steps):
                        break
        place.server.kill()
    figures: dict[str, int | float | str] = {
        "n": tally.kills + tally.commands_killed,
        "commands_killed": tally.commands_killed,
        "had_happened": tally.happened,
        "failpoints_reached": len(tally.reached),
        "half_done": tally.half_done,
        "not_completed": tally.not_completed,
    }
    return Result("R-1 environments kill -9", figures, ("half_done", "not_completed"), findings=tally.findings)


def _kill_all(place: Place, work: Work, most: int) -> None:
    """Kill the server at every point, at most so often: the second time first, which mostly is in the request that does it, and not in the one that asks."""
    left, over = most, set[str]()
    for times in (2, 1, *range(3, 1 + TIMES_MAX)):
        for point in work.points:
            if left <= 0:
                return
            if times > 2 and point in over:
                continue
            if place.kill_server(work, point, times):
                left -= 1
            elif times > 1:
                over.add(point)


if __name__ == "__main__":
    run(prove, kills=200)
