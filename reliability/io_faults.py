"""R-3: errors of the disk under the store and the audit file, at any change, once and for ever. ``python -m reliability.io_faults``.

A client must never be told that something was done which was not, nor the other way round; where nobody knows, it is told so, and the
vault seals. Afterwards the store holds one of the states that the answers allow, and trying again with check-and-set is safe.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from reliability.audit_log import AuditLog
from reliability.checker import check_database, check_indexes
from reliability.faulty_disk import Fault, FaultyDisk, Schedule, faulty_audit
from reliability.lab import Asked, Lab, Told, copy_vault
from reliability.result import Figure, Result, run
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import LogicalError
from strongroom.physical.store import Unavailable

BATCHES = 8
KEYS = 3
UNKNOWN = "outcome is unknown"
REFUSED = "takes no writes"
UNRECORDED = "could record the answer"
UNHEARD = "so nothing was done"


@dataclass
class Knowledge:
    """What the answers allow: for each secret its acknowledged version and value, and what may be there besides."""

    versions: dict[str, int] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)
    living: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """What the runs came to."""

    runs: int = 0
    struck: int = 0
    lost: int = 0
    wrong: int = 0
    untold: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def note(self, kind: str, what: str) -> None:
        """Something is wrong."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.findings.append(f"run {self.runs}: {what}")


def prepare(folder: Path) -> tuple[str, str]:
    """A vault with a mount; answers its root token and its unseal key."""
    folder.mkdir(mode=0o700)
    lab = Lab(folder)
    token, key = lab.initialize()
    lab.node.submit_unseal_share(key)
    lab.must("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}}, token)
    lab.close()
    return token, key


class Run:
    """One vault with one fault."""

    def __init__(self, base: Path, keys: tuple[str, str], tally: Tally, chance: random.Random) -> None:
        self.base = base
        self.token, self.unseal_key = keys
        self.tally = tally
        self.chance = chance
        self.known = Knowledge()
        self.folder = base.with_name("run")

    def strike(self) -> None:
        """Do all of it."""
        self.tally.runs += 1
        copy_vault(self.base, self.folder)
        schedule = Schedule(self.chance.choice(list(Fault)), goes_on=self.chance.random() < 0.5)
        if self.chance.random() < 0.25:
            with faulty_audit(schedule):
                self._work(None, schedule, self.chance.randrange(14))
        else:
            disk = FaultyDisk("faulty", schedule)
            try:
                self._work(disk.name, schedule, self.chance.randrange(60))
            finally:
                disk.unregister()
        self.tally.struck += schedule.happened > 0
        self._compare()

    def _work(self, vfs: str | None, schedule: Schedule, passing: int) -> None:
        lab = Lab(self.folder, vfs=vfs)
        try:
            lab.node.submit_unseal_share(self.unseal_key)
            schedule.passing = passing
            for number in range(BATCHES):
                self._batch(lab, number)
            schedule.stop()
        finally:
            schedule.stop()
            lab.close()

    def _batch(self, lab: Lab, number: int) -> None:
        kinds = [self.chance.choice((self._write, self._write, self._make, self._revoke, self._read)) for _ in range(3)]
        asked = [one for one in (kind(f"{number}-{place}") for place, kind in enumerate(kinds)) if one is not None]
        # One secret is written by one request of a batch, so that what each of them must find is known.
        asked = list({(one.method, one.path, str(one.body)[:40]): one for one in asked}.values())
        asked = [one for place, one in enumerate(asked) if not _is_again(one, asked[:place])]
        unknown = lab.unknown
        told = lab.ask(*asked)
        for one, answer in zip(asked, told, strict=True):
            self._take(one, answer)
        if any(UNKNOWN in answer.text for answer in told) and lab.unknown == unknown:
            self.tally.note("untold", "an unknown outcome raised no alarm")

    # Requests

    def _write(self, text: str) -> Asked | None:
        key = f"k{self.chance.randrange(KEYS)}"
        if key in self.known.doubts:
            return None
        body = {"data": {"text": text}, "options": {"cas": self.known.versions.get(key, 0)}}
        return Asked("POST", f"kv/data/{key}", body, self.token)

    def _make(self, text: str) -> Asked:
        del text
        return Asked("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h"}, self.token)

    def _revoke(self, text: str) -> Asked | None:
        del text
        return (
            Asked("POST", "auth/token/revoke", {"token": self.known.living.pop()}, self.token)
            if self.known.living
            else None
        )

    def _read(self, text: str) -> Asked:
        del text
        return Asked("GET", f"kv/data/k{self.chance.randrange(KEYS)}", None, self.token)

    # Answers

    def _take(self, asked: Asked, told: Told) -> None:
        self.tally.outcomes[_kind_of(told)] += 1
        if told.is_good:
            self.known.answered.append(told.request_id)
        elif told.status == 500 and not told.text.startswith(("no audit", "the storage failed")):
            self.tally.note("wrong", f"a fault was answered with: {told.text}")
        if asked.method == "GET":
            self._take_read(asked.path.rpartition("/")[2], told)
        elif asked.path == "auth/token/create":
            if told.is_good:
                self.known.living.append(told.body["auth"]["client_token"])
        elif asked.path == "auth/token/revoke":
            if told.is_good:
                self.known.dead.append(asked.body["token"])
        else:
            self._take_write(asked, told)

    def _take_write(self, asked: Asked, told: Told) -> None:
        key, text = asked.path.rpartition("/")[2], asked.body["data"]["text"]
        if told.is_good:
            self.known.versions[key] = asked.body["options"]["cas"] + 1
            self.known.values[key] = text
        elif UNKNOWN in told.text or UNRECORDED in told.text:
            self.known.doubts[key] = text
        elif told.status < 500:
            self.tally.note("wrong", f"a good write was answered with {told.status}: {told.text}")

    def _take_read(self, key: str, told: Told) -> None:
        version = self.known.versions.get(key, 0)
        allowed = {version: self.known.values.get(key)}
        if key in self.known.doubts:
            allowed[version + 1] = self.known.doubts[key]
        if told.status >= 500 or (told.status == 404 and version == 0):
            return
        data = told.body.get("data") or {}
        found = (data.get("metadata") or {}).get("version", -1)
        if told.status != 200 or allowed.get(found) is None or data["data"] != {"text": allowed[found]}:
            self.tally.note(
                "wrong", f"a read is answered with {told.status} and version {found}, {version} was acknowledged"
            )

    # Afterwards

    def _compare(self) -> None:
        try:
            lab = Lab(self.folder)
            lab.node.submit_unseal_share(self.unseal_key)
        except (Unavailable, LogicalError, Damaged) as error:
            self.tally.note("lost", f"the vault does not open any more: {type(error).__name__}")
            return
        try:
            self._compare_with(lab)
        finally:
            lab.close()
        if check_database(self.folder / "data"):
            self.tally.note("lost", "the database fails its integrity check")

    def _compare_with(self, lab: Lab) -> None:
        before = self.tally.wrong
        for key in [f"k{number}" for number in range(KEYS)]:
            self._take_read(key, lab.ask(Asked("GET", f"kv/data/{key}", None, self.token))[0])
        for token, status in [*((one, 200) for one in self.known.living), *((one, 403) for one in self.known.dead)]:
            if lab.ask(Asked("GET", "auth/token/lookup-self", None, token))[0].status != status:
                self.tally.note("lost", f"a token does not answer {status}")
        self.tally.lost += self.tally.wrong - before
        for key, text in self.known.doubts.items():
            self._try_again(lab, key, text)
        for finding in check_indexes(lab.node.require()):
            self.tally.note("lost", finding)
        self._check_audit()

    def _try_again(self, lab: Lab, key: str, text: str) -> None:
        version = self.known.versions.get(key, 0)
        body = {"data": {"text": text}, "options": {"cas": version}}
        told = lab.ask(Asked("POST", f"kv/data/{key}", body, self.token))[0]
        if not told.is_good and told.status != 400:
            self.tally.note("wrong", f"trying again is answered with {told.status}: {told.text}")
        data = lab.must("GET", f"kv/data/{key}", token=self.token)["data"]
        if data["data"] != {"text": text} or data["metadata"]["version"] != version + 1:
            self.tally.note("lost", "trying again with check-and-set is not safe")

    def _check_audit(self) -> None:
        log = AuditLog(self.folder / "audit.log")
        log.read()
        missing = [one for one in self.known.answered if one not in log.responses]
        if missing or log.broken:
            self.tally.note("untold", f"{len(missing)} answers are in no record, {log.broken} lines are none")


def _is_again(asked: Asked, earlier: list[Asked]) -> bool:
    is_write = asked.path.startswith("kv/")
    return is_write and any(one.path == asked.path for one in earlier)


def _kind_of(told: Told) -> str:
    for text in (UNKNOWN, REFUSED, UNRECORDED, UNHEARD):
        if text in told.text:
            return text
    return "done" if told.is_good else f"{told.status}"


def prove(arguments: argparse.Namespace) -> Result:
    """Run after run, each with another fault."""
    tally, chance = Tally(), random.Random(arguments.seed)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="faults-", dir=memory if memory.is_dir() else None) as scratch:
        base = Path(scratch) / "base"
        keys = prepare(base)
        for _ in range(arguments.runs):
            Run(base, keys, tally, chance).strike()
    figures: dict[str, Figure] = {
        "n": tally.runs,
        "runs_with_a_fault": tally.struck,
        "lost": tally.lost,
        "wrong_answers": tally.wrong,
        "unknown_without_alarm_or_record": tally.untold,
        "answered_unknown": tally.outcomes[UNKNOWN],
        "answered_refused": tally.outcomes[REFUSED],
        "answered_unrecorded": tally.outcomes[UNRECORDED] + tally.outcomes[UNHEARD],
    }
    return Result(
        "R-3 I/O faults", figures, ("lost", "wrong_answers", "unknown_without_alarm_or_record"), {}, tally.findings
    )


if __name__ == "__main__":
    run(prove, runs=2000)
