"""R-16: the vault's own keys are changed while it is busy, and it is killed in the middle. ``python -m reliability.vault_keys --cycles 60``.

Each cycle changes one thing under four writers, and dies at one of the failpoints on the way. Afterwards the store must open with the shares
of before or with those that were handed out, with both only in the window that is documented, and with neither never; once somebody has
unsealed it, exactly one of the two sets counts. What was acknowledged is there, and the audit log proves itself.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reliability.checker import check_folder
from reliability.readers import Load
from reliability.result import Result, run
from reliability.server import Client, Gone, Server
from reliability.writers import Journal, Writers, prepare, settle
from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.errors import LogicalError
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import StoreError

APART = {"mounts": ["kv"], "downward": True, "reuse": "allow"}
ONE = {"secret_shares": 1, "secret_threshold": 1}
_AROUND_ANSWER = ("before_audit_response", "after_audit_response")
_SWAP = ("root_key_before_swap", "root_key_after_swap")


@dataclass
class Tally:
    """What all cycles came to."""

    kills: int = 0
    reached: set[str] = field(default_factory=set)
    neither: int = 0
    both_outside_window: int = 0
    both_in_window: int = 0
    findings: list[str] = field(default_factory=list)
    writes: int = 0


class Keys:
    """The shares as a client knows them: those of before, and those that were handed out."""

    def __init__(self, old: str) -> None:
        self.old = old
        self.new: str | None = None


Change = Callable[[Client, Keys], None]


def rotate(client: Client, keys: Keys) -> None:
    """A new term."""
    del keys
    client.must("PUT", "sys/rotate")


def rotate_environment(client: Client, keys: Keys) -> None:
    """A new term in the keyring that seals what the writers write."""
    del keys
    client.must("POST", f"sys/environments/{_holder(client)}/rotate")


def move_mount(client: Client, keys: Keys) -> None:
    """The mount that is written to goes to an environment that is made for it; the one before goes, and its keyring in the end."""
    del keys
    before = _holder(client)
    after = "blue" if before == "green" else "green"
    client.must("POST", f"sys/environments/{after}", {**APART, "rank": 1 + (after == "blue")})
    client.must("DELETE", f"sys/environments/{before}")


def _holder(client: Client) -> str:
    for name in ("blue", "green"):
        answer = client.call("GET", f"sys/environments/{name}")
        if answer.status == 200 and answer.body["data"]["mounts"]:
            return name
    raise RuntimeError("the mount belongs to no environment")


def rotate_root(client: Client, keys: Keys) -> None:
    """A new root key."""
    del keys
    client.must("POST", "sys/rotate/root")


def rekey(client: Client, keys: Keys) -> None:
    """A new share, at once."""
    nonce = client.must("PUT", "sys/rekey/init", ONE).body["nonce"]
    keys.new = client.must("PUT", "sys/rekey/update", {"key": keys.old, "nonce": nonce}).body["keys"][0]


def rekey_verified(client: Client, keys: Keys) -> None:
    """A new share, once it came back."""
    nonce = client.must("PUT", "sys/rekey/init", {**ONE, "require_verification": True}).body["nonce"]
    made = client.must("PUT", "sys/rekey/update", {"key": keys.old, "nonce": nonce}).body
    keys.new = made["keys"][0]
    client.must("PUT", "sys/rekey/verify", {"key": made["keys"][0], "nonce": made["verification_nonce"]})


def generate_root(client: Client, keys: Keys) -> None:
    """Another root token."""
    nonce = client.must("PUT", "sys/generate-root/attempt", {}).body["nonce"]
    client.must("PUT", "sys/generate-root/update", {"key": keys.old, "nonce": nonce})


CHANGES: tuple[tuple[Change, tuple[str, ...]], ...] = (
    (rotate, ("keyring_before_persist", "keyring_after_persist")),
    (rotate_environment, ("keyring_before_persist", "keyring_after_persist")),
    (move_mount, ("keyrings_before_change", "keyrings_after_change", "reseal_before_step", "reseal_after_step")),
    (rotate_root, _SWAP),
    (rekey, ("rekey_before_swap", *_SWAP, "rekey_after_swap", "former_before_drop", "former_after_drop")),
    (rekey_verified, ("rekey_before_swap", *_SWAP, "rekey_after_swap")),
    (generate_root, ("before_commit", "after_commit_before_ack", *_AROUND_ANSWER)),
)
PLAN = [(change, point) for change, points in CHANGES for point in points]
WINDOW = {"root_key_after_swap", "rekey_after_swap", "former_before_drop"}
"""Where a rekey without verification leaves two sets that count."""


def opens(data: Path, share: str) -> bool:
    """Whether ``share`` opens the store in ``data``, of which a copy is tried."""
    with tempfile.TemporaryDirectory(prefix="copy-") as scratch:
        copy = Path(scratch) / "data"
        shutil.copytree(data, copy, ignore=shutil.ignore_patterns("reserve"))
        store = SqliteStore(copy)
        lifecycle = Lifecycle(Surroundings(store, SystemClock(), SystemEntropy()))
        try:
            return not lifecycle.submit_unseal_share(share).sealed
        except (LogicalError, Damaged, StoreError):
            return False
        finally:
            lifecycle.close()
            store.close()


class Vault:
    """One vault that is killed again and again while its keys change."""

    def __init__(self, folder: Path, workers: int, tally: Tally, chance: random.Random) -> None:
        self.server = Server(folder, workers)
        self.tally, self.chance = tally, chance
        self.journal = Journal()
        self.server.start()
        self.server.initialize()
        self.login = prepare(self.server.client())
        self.server.client().must("POST", "sys/environments/green", {**APART, "rank": 1})

    def cycle(self, change: Change, point: str) -> None:
        """Change something under load, die at ``point``, and look."""
        keys = Keys(self.server.unseal_keys[0])
        writers = Writers(self.server, self.journal, self.login, self.chance.randrange(2**32))
        writers.start()
        time.sleep(self.chance.uniform(0.05, 0.15))
        self.server.arm(f"{point}=kill@1")
        try:
            change(self.server.client(), keys)
            self._wait_for_death()
        except Gone:
            self.tally.reached.add(point)
        except RuntimeError as error:
            self.tally.findings.append(f"{change.__name__} is refused: {error}")
        self.server.kill()
        writers.join()
        self.tally.kills += 1
        self._judge(change, point, keys)
        try:
            self.server.recover()
        except RuntimeError:
            self.tally.neither += 1
            answer = self.server.client("").call("PUT", "sys/unseal", {"key": keys.old})
            raise RuntimeError(f"{change.__name__} at {point}: {answer.text}") from None
        self._judge_settled(keys)
        self.tally.findings += settle(self.server, self.journal)

    def end(self) -> None:
        """Have the log prove itself, and stop for good."""
        key = self.server.folder / "audit-key.pem"
        key.write_text(self.server.client().must("GET", "sys/audit-key").body["data"]["public_key"])
        # At an orderly end the log signs its last lines.
        self.server.signal(signal.SIGTERM)
        self.server.wait()
        command = [sys.executable, "-m", "strongroom", "audit", "verify", f"-public-key={key}", str(self.server.audit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        # 2 says that it cannot vouch for lines of a process that was killed before it signed them; 1 that something was done to the log.
        if done.returncode == 1:
            self.tally.findings.append(f"the audit log is not intact: {done.stdout[-300:]}")
        self.tally.findings += check_folder(self.server.data, self.server.unseal_keys[0])
        self.tally.writes += self.journal.writes

    def _wait_for_death(self) -> None:
        client = self.server.client()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            client.call("GET", "sys/seal-status")
            time.sleep(0.01)

    def _judge(self, change: Change, point: str, keys: Keys) -> None:
        by_old = opens(self.server.data, keys.old)
        by_new = keys.new is not None and opens(self.server.data, keys.new)
        if by_old and by_new:
            self.tally.both_in_window += 1
            # An answer that was recorded while the row could not be dropped any more is in the window too.
            self.tally.both_outside_window += change is not rekey or point not in WINDOW | set(_AROUND_ANSWER)
        if not by_old and not by_new:
            self.tally.neither += 1
            self.tally.findings.append(f"{change.__name__} at {point}: neither set of shares opens the vault")
        known = [one for one in (keys.old, keys.new) if one is not None]
        self.chance.shuffle(known)
        self.server.unseal_keys = known

    def _judge_settled(self, keys: Keys) -> None:
        """Once unsealed, one of the sets counts and the other does not."""
        used = self.server.unseal_keys[0]
        other = keys.old if used == keys.new else keys.new
        if other is not None and other != used and opens(self.server.data, other):
            self.tally.both_outside_window += 1
            self.tally.findings.append("two sets of shares count after one of them was used")


def migrate(scratch: Path, tally: Tally) -> None:
    """Killed at each step of the way to the static seal, to another key of it, and back."""
    steps = ("migration_before_swap", *_SWAP, "migration_after_swap")
    key_a, key_b = scratch / "a.key", scratch / "b.key"
    for path in (key_a, key_b):
        path.write_bytes(os.urandom(32))
        path.chmod(0o600)

    def block(name: str, path: Path, more: str = "") -> str:
        return f'seal "static" {{\n current_key_id = "{name}"\n current_key = "file://{path}"\n {more}\n}}\n'

    previous = f'previous_key_id = "a"\n previous_key = "file://{key_a}"'
    for point in steps:
        server = Server(scratch / f"migration-{point}", 1)
        server.start()
        server.initialize()
        server.client().must("POST", "sys/mounts/kv", {"type": "kv"})
        server.client().must("POST", "kv/a", {"value": "kept"})
        share = server.unseal_keys[0]
        _move(server, block("a", key_a), share, point, tally)
        server.more = block("b", key_b, previous)
        for rewrap in ("rewrap_before_swap", "rewrap_after_swap") if point == steps[0] else ():
            server.more = block("b", key_b, previous) if rewrap == "rewrap_before_swap" else block("a", key_a, "")
            _die_at_start(server, rewrap, tally, block("b", key_b, previous))
        server.kill()
        server.more = block("b", key_b, previous)
        server.start()
        _expect_open(server, tally, "with the previous key")
        server.kill()
        _move(server, block("b", key_b, 'disabled = "true"'), share, point, tally)
        server.kill()
        server.more = ""
        server.start()
        server.unseal_keys = [share]
        server.unseal()
        _expect_open(server, tally, "with shares again")
        server.kill()


def _move(server: Server, configuration: str, share: str, point: str, tally: Tally) -> None:
    """Migrate to what ``configuration`` says, dying at ``point`` the first time."""
    server.kill()
    server.more = configuration
    server.start(f"{point}=kill")
    wish = {"key": share, "migrate": True}
    try:
        server.client("").call("PUT", "sys/unseal", wish)
        tally.findings.append(f"the migration did not die at {point}")
    except Gone:
        tally.reached.add(point)
    server.kill()
    tally.kills += 1
    server.start()
    told = server.client("").must("GET", "sys/seal-status").body
    if told["migration"]:
        told = server.client("").must("PUT", "sys/unseal", wish).body
    elif told["sealed"]:
        told = server.client("").must("PUT", "sys/unseal", {"key": share}).body
    if told["sealed"] or told["migration"]:
        tally.neither += 1
        tally.findings.append(f"after {point} of a migration the vault opens neither way")
    _expect_open(server, tally, f"after {point}")


def _die_at_start(server: Server, point: str, tally: Tally, configuration: str) -> None:
    """Die while the root key is wrapped with the current key, at the start; then start again."""
    server.kill()
    server.more = configuration
    try:
        server.start(f"{point}=kill")
    except Gone:
        tally.reached.add(point)
        tally.kills += 1


def _expect_open(server: Server, tally: Tally, when: str) -> None:
    answer = server.client().call("GET", "kv/a")
    if answer.status != 200 or answer.body["data"] != {"value": "kept"}:
        tally.findings.append(f"{when}: the secret is answered with {answer.status}")


def change_under_load(folder: Path, workers: int, findings: list[str]) -> tuple[int, int]:
    """Terms, root keys and shares change while clients work; answers how many requests there were, and how many failed."""
    server = Server(folder, workers)
    server.start()
    server.initialize()
    load = Load(server, logins=0)
    load.prepare()
    load.start()
    client = server.client()
    for _ in range(5):
        for _ in range(10):
            rotate(client, Keys(""))
        rotate_root(client, Keys(""))
        keys = Keys(server.unseal_keys[0])
        rekey(client, keys)
        server.unseal_keys = [str(keys.new)]
    load.stop()
    lost = load.lost()
    if lost:
        findings.append(f"{lost} acknowledged writes are gone after changes of keys")
    server.kill()
    server.recover()
    server.kill()
    failed = [one for one in load.seen if one.status not in {200, 204}]
    findings += sorted({f"under load a {one.kind} is answered with {one.status}" for one in failed})
    return len(load.seen), len(failed)


def prove(arguments: argparse.Namespace) -> Result:
    """Run all of it."""
    chance, tally = random.Random(arguments.seed), Tally()
    requests = failed = 0
    with tempfile.TemporaryDirectory(prefix="vault-keys-") as scratch:
        root = Path(scratch)
        for workers in (1, 2):
            asked, refused = change_under_load(root / f"load-{workers}", workers, tally.findings)
            requests, failed = requests + asked, failed + refused
        migrate(root, tally)
        vault: Vault | None = None
        for cycle in range(arguments.cycles):
            if vault is None or cycle % len(PLAN) == 0:
                if vault is not None:
                    vault.end()
                vault = Vault(root / f"vault-{cycle}", 1 + cycle // len(PLAN) % 2, tally, chance)
            vault.cycle(*PLAN[cycle % len(PLAN)])
        if vault is not None:
            vault.end()
    figures: dict[str, int | float | str] = {
        "n": tally.kills,
        "opens_neither_way": tally.neither,
        "both_ways_outside_the_window": tally.both_outside_window,
        "both_ways_in_the_window": tally.both_in_window,
        "failpoints_reached": len(tally.reached),
        "acknowledged": tally.writes,
        "requests_under_changes": requests,
        "failed_under_changes": failed,
    }
    zero = ("opens_neither_way", "both_ways_outside_the_window", "failed_under_changes")
    return Result("R-16 change of keys", figures, zero, {}, tally.findings)


if __name__ == "__main__":
    run(prove, cycles=80)
