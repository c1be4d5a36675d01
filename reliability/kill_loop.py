"""R-1: SIGKILL under four writers, at random moments and at every failpoint. ``python -m reliability.kill_loop --cycles 500``.

After every kill the server is started and unsealed again, and compared with what its clients were told: nothing that was acknowledged
may be missing or in part, what was revoked stays dead, indexes and records agree, and every answer stands in the audit log.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from reliability.audit_log import AuditLog
from reliability.checker import check_folder
from reliability.result import Result, percentile, run
from reliability.server import Client, Gone, Server
from reliability.writers import Journal, Writers, prepare, settle
from strongroom.failpoints import NAMES

VAULT_CYCLES = 25
"""After so many kills a new vault is made, so that the checks do not grow."""
_ELSEWHERE = ("founding_", "former_", "migration_", "rewrap_")
"""Reached by :func:`found`, and by ``vault_keys``."""
_RARE = frozenset(
    name for name in NAMES if name.startswith(("keyring_", "rekey_", "root_key_", "seal_", "counter_", *_ELSEWHERE))
)


@dataclass
class Tally:
    """What all cycles came to."""

    kills: int = 0
    writes: int = 0
    reached: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)
    lost_records: int = 0
    torn_lines: int = 0
    recoveries: list[float] = field(default_factory=list)


class Vault:
    """One vault that is killed again and again."""

    def __init__(self, folder: Path, workers: int, tally: Tally, chance: random.Random) -> None:
        self.server = Server(folder, workers)
        self.tally = tally
        self.journal = Journal()
        self.chance = chance
        self.server.start()
        self.server.initialize()
        self.login = prepare(self.server.client())
        self.audit = AuditLog(self.server.audit)

    def cycle(self, point: str | None) -> None:
        """Let it work, kill it, and look."""
        if point is not None and point.startswith("counter_"):
            # Numbers are reserved at the first write after the unsealing.
            self.server.kill()
            self.server.start(f"{point}=kill")
        elif point is not None:
            self.server.arm(f"{point}=kill@{1 if point in _RARE else self.chance.randint(1, 60)}")
        if self._work(point) and point:
            self.tally.reached.add(point)
        self.server.kill()
        self.tally.kills += 1
        copy = self.server.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.server.data, copy)
        self.tally.recoveries.append(self.server.recover())
        self.tally.findings += check_folder(copy, self.server.unseal_keys[0])
        self.tally.findings += settle(self.server, self.journal)
        self._look_at_audit()

    def end(self) -> None:
        """Stop it for good."""
        self.server.kill()
        self.tally.writes += self.journal.writes

    def _work(self, point: str | None) -> bool:
        """Write until it dies, by itself at a failpoint or by our hand. Whether it died by itself."""
        if point is not None and point.startswith("counter_"):
            try:
                self.server.unseal()
            except Gone:
                return True
        writers = Writers(self.server, self.journal, self.login, self.chance.randrange(2**32))
        writers.start()
        time.sleep(self.chance.uniform(0.08, 0.2))
        died = False
        if point is not None:
            died = self._wait_for_death(point)
        self.server.kill()
        writers.join()
        return died

    def _wait_for_death(self, point: str) -> bool:
        client = self.server.client()
        try:
            if point in _RARE:
                self._cause(client, point)
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                client.call("GET", "sys/seal-status")
                time.sleep(0.01)
        except Gone:
            return True
        return False

    def _cause(self, client: Client, point: str) -> None:
        """Do what makes the server reach a point that writers alone do not reach."""
        if point.startswith("keyring_"):
            client.call("PUT", "sys/rotate")
        elif point.startswith("seal_"):
            client.call("PUT", "sys/seal")
        elif point.startswith(("rekey_", "root_key_")):
            options = {"secret_shares": 1, "secret_threshold": 1, "require_verification": True}
            nonce = client.call("PUT", "sys/rekey/init", options).body["nonce"]
            made = client.call("PUT", "sys/rekey/update", {"key": self.server.unseal_keys[0], "nonce": nonce}).body
            self.server.unseal_keys.append(made["keys"][0])
            client.call("PUT", "sys/rekey/verify", {"key": made["keys"][0], "nonce": made["verification_nonce"]})

    def _look_at_audit(self) -> None:
        self.audit.read()
        missing = [one for one in self.journal.acknowledged if one not in self.audit.responses]
        self.tally.lost_records += len(missing) + self.audit.broken
        self.tally.torn_lines += self.audit.torn
        self.audit.broken = self.audit.torn = 0
        self.journal.acknowledged.clear()
        self.audit.responses.clear()


def found(folder: Path, tally: Tally) -> None:
    """Kill a server that makes its vault: until its shares are on record there is none, after that there is a whole one."""
    points = (
        "founding_before_persist",
        "founding_after_persist",
        "founding_before_announce",
        "founding_after_announce",
        "founding_after_mark",
    )
    for point in points:
        is_there = point in {"founding_after_announce", "founding_after_mark"}
        server = Server(folder / point)
        server.start(f"{point}=kill")
        try:
            server.initialize()
        except Gone:
            tally.reached.add(point)
        server.kill()
        tally.kills += 1
        server.start()
        told = server.client("").must("GET", "sys/seal-status").body
        if told["initialized"] is not is_there or not told["sealed"]:
            tally.findings.append(f"after {point} the vault says: initialized {told['initialized']}")
        if not is_there:
            server.initialize()
        server.kill()


def prove(arguments: argparse.Namespace) -> Result:
    """Run the cycles; every second one is killed at a failpoint, in turn."""
    chance = random.Random(arguments.seed)
    tally = Tally()
    points = [name for name in NAMES if not name.startswith((*_ELSEWHERE, "backup_", "restore_"))]
    with tempfile.TemporaryDirectory(prefix="kill-loop-") as scratch:
        found(Path(scratch), tally)
        vault: Vault | None = None
        for cycle in range(arguments.cycles):
            if vault is None or cycle % VAULT_CYCLES == 0:
                if vault is not None:
                    vault.end()
                workers = 1 + cycle // VAULT_CYCLES % 2 if arguments.workers == 0 else arguments.workers
                vault = Vault(Path(scratch) / f"vault-{cycle}", workers, tally, chance)
            vault.cycle(points[cycle // 2 % len(points)] if cycle % 2 else None)
        if vault is not None:
            vault.end()
    figures: dict[str, int | float | str] = {
        "n": tally.kills,
        "acknowledged": tally.writes,
        "lost_or_torn": len(tally.findings),
        "answers_without_record": tally.lost_records,
        "cut_audit_lines": tally.torn_lines,
        "failpoints_reached": len(tally.reached),
        "recovery_median": round(percentile(tally.recoveries, 0.5), 3),
        "recovery_p95": round(percentile(tally.recoveries, 0.95), 3),
    }
    bars = {"recovery_p95": 2.0}
    return Result("R-1 kill -9", figures, ("lost_or_torn", "answers_without_record"), bars, tally.findings)


if __name__ == "__main__":
    run(prove, cycles=500, workers=0)
