"""What the guard against reuse costs a write: the same writes with it and without it, in turns, on one vault with many fingerprints.

    python -m bench.reuse_guard FOLDER [--fingerprints 1000000] [--rounds 60]

FOLDER must not exist; it takes about 300 bytes for each fingerprint. What is counted is processor time of this process (user and system), of whole batches
of sixteen writes of two new values each, from the decoded request to the encoded answer, the commit in SQLite with ``synchronous=FULL`` included and HTTP left
out. Rounds alternate, the order within each too, so that whatever else the machine does meets both alike.
"""

from __future__ import annotations

import argparse
import random
import secrets
import statistics
import sys
import time
from pathlib import Path

from tests.kit import Vault

from strongroom.core import steps
from strongroom.core.batch import Alarms, answer_batch
from strongroom.environments.listed import HALF, ListedValues
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request
from strongroom.logical.secret import Secret
from strongroom.physical.sqlite.store import SqliteStore

BATCH = 16
PER_COMMIT = 5000
BATCHES_PER_ROUND = 4


def main() -> int:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fingerprints", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    vault = vault_of_two(options.folder)
    fill(vault, options.fingerprints)
    learned = learn(vault)
    sys.stdout.write(
        f"{options.fingerprints:,} fingerprints of production, {options.rounds} rounds; {learned:.1f} s to learn which there are\n"
    )
    for name in ("dev", "prod"):
        plain, guarded = measure(vault, name, options.rounds)
        for what, choose in (("fastest", min), ("median", statistics.median)):
            without = choose(plain)
            sys.stdout.write(
                f"{name}, {what}: {without * 1e6:.0f} us a write without, {choose(guarded) / without - 1:+.1%} with it\n"
            )
        ratio = statistics.median(one / other for one, other in zip(guarded, plain, strict=True))
        sys.stdout.write(f"{name}, median of the rounds' own ratios: {ratio - 1:+.1%}\n")
    vault.node.close()
    return 0


def vault_of_two(folder: Path) -> Vault:
    """A vault in ``folder`` with two environments, a mount in each."""
    vault = Vault(store=SqliteStore(folder))
    for rank, name in enumerate(("dev", "prod")):
        vault.mount(name, options={"version": "2"})
        vault.post(f"sys/environments/{name}", {"rank": rank, "mounts": [name]})
    return vault


def fill(vault: Vault, count: int) -> None:
    """Store ``count`` fingerprints of the mount ``prod``, and list them for the guard."""
    unsealed = vault.node.require()
    with unsealed.barrier.transaction() as transaction:
        uuid = next(entry.uuid for entry in unsealed.mounts.entries(transaction) if entry.path == "prod/")
    for start in range(0, count, PER_COMMIT):
        with unsealed.barrier.transaction() as transaction:
            values = [secrets.token_bytes(32) for _ in range(start, min(count, start + PER_COMMIT))]
            for number, value in enumerate(values, start):
                transaction.put(f"core/fingerprint/{value.hex()}/{uuid}/password/app/{number:09d}", b"1")
            entries = [secrets.token_bytes(HALF) + value[:HALF] for value in values]
            unsealed.listed.add(transaction, entries, is_new=True)
            unsealed.barrier.commit(transaction)
    with unsealed.barrier.transaction() as transaction:
        unsealed.listed.news(transaction)  # as it is some seconds after an unseal


def learn(vault: Vault) -> float:
    """The seconds of processor time that a process takes after an unseal until it knows what is listed."""
    unsealed = vault.node.require()
    began = time.process_time()
    with unsealed.barrier.transaction() as transaction:
        ListedValues().news(transaction)
    return time.process_time() - began


def measure(vault: Vault, mount: str, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of processor time for a write, round by round: without the guard and with it."""
    guards_for = steps.guards_for
    taken: dict[bool, list[float]] = {False: [], True: []}
    for number in range(rounds):
        for is_guarded in (True, False) if number % 2 else (False, True):
            steps.guards_for = guards_for if is_guarded else lambda *_, **__: None
            taken[is_guarded].append(write(vault, mount))
    steps.guards_for = guards_for
    return taken[False], taken[True]


def write(vault: Vault, mount: str) -> float:
    """Seconds of processor time for one write, over some batches of them."""
    batches = [[request(vault, mount) for _ in range(BATCH)] for _ in range(BATCHES_PER_ROUND)]
    alarms = Alarms(lambda _: None, lambda: None)
    began = time.process_time()
    for batch in batches:
        answers = answer_batch(vault.node.require(), batch, alarms)
        if any(answer is None or answer.error is not None for answer in answers):
            raise SystemExit("a write was refused")
    return (time.process_time() - began) / (BATCH * BATCHES_PER_ROUND)


def request(vault: Vault, mount: str) -> Request:
    """A write of two new values to one of many secrets."""
    data = {"username": f"app-{secrets.token_hex(4)}", "password": secrets.token_urlsafe(24)}
    return Request(
        id=secrets.token_hex(16),
        operation=Operation.UPDATE,
        path=f"{mount}/data/app/{random.randrange(100_000)}",
        body={"data": data},
        token=Secret(vault.root),
    )


if __name__ == "__main__":
    sys.exit(main())
