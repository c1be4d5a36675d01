"""What it costs that the store grows: latency, unseal time and memory with 1k, 100k and 1M secrets, and as many tokens.

    python -m bench.growth                       print the table
    python -m bench.growth --write               ... and put it into docs/performance.md
    python -m bench.growth --sizes 1000,20000    other sizes

A vault is made and filled in this process, by the code that the server runs, a thousand records to a commit; audit and HTTP are left out, because
they leave nothing in the store. Then the real server, of two processes and with its audit device, is started on it and asked, over one connection,
for secrets and with tokens drawn by chance. Everything is measured in every size the same way, so what counts is how a row goes on to the right.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.usage import memory_bytes
from reliability.lab import Lab
from reliability.server import Client, Server
from strongroom.barrier.transaction import Transaction
from strongroom.core.fingerprints import FingerprintIndex
from strongroom.engines.kv_v2.store import SecretStore
from strongroom.logical.instant import NANOSECONDS
from strongroom.tokens.entry import TokenEntry

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- growth: begin -->", "<!-- growth: end -->"
SIZES = "1000,100000,1000000"
PER_COMMIT = 1000
FOLDER_NAMES = 1000
"""How many secrets a folder holds: a list page is one folder."""
ASKED = 1500
LISTED = 60
UNSEALED = 5
TOKENS_KEPT = 2000
TOKEN_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Row:
    """What was measured in one size. Latencies in milliseconds, memory and disk in bytes, times in seconds."""

    size: int
    read: float
    read_p99: float
    lookup: float
    listing: float
    unseal: float
    start: float
    memory: int
    disk: int


class Filler:
    """Fills a vault. ``tokens`` are some of those that it made, drawn evenly."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._unsealed = lab.node.require()
        self._secrets = self._made = 0
        self.tokens: list[str] = []
        with self._unsealed.barrier.transaction() as transaction:
            mounts = self._unsealed.mounts.at(transaction, lab.node.epoch(transaction))
            found = mounts.find("secret/")
            if found is None:
                raise LookupError("the mount is missing")
            self._mount = found[0].entry

    def resume(self, filled: int, tokens: list[str]) -> None:
        """Go on where another one ended."""
        self._secrets = self._made = filled
        self.tokens = tokens

    def fill(self, size: int) -> None:
        """Have so many secrets and so many tokens."""
        while self._secrets < size or self._made < size:
            with self._unsealed.barrier.transaction() as transaction:
                for _ in range(min(PER_COMMIT, size - self._secrets)):
                    self._add_secret(transaction)
                for _ in range(min(PER_COMMIT, size - self._made)):
                    self._add_token(transaction, size)
                self._unsealed.barrier.commit(transaction)

    def _add_secret(self, transaction: Transaction) -> None:
        number, node = self._secrets, self._lab.node
        index = FingerprintIndex(self._unsealed.fingerprint_key, transaction, self._mount.uuid)
        view = transaction.view(self._mount.storage_prefix)
        secrets = SecretStore.at(view, self._mount.uuid, node.clock, node.entropy, index)
        body = {"username": "service", "password": f"correct horse battery staple {number}"}
        secrets.add(path_of(number), secrets.new(), secrets.config(), body)
        self._secrets += 1

    def _add_token(self, transaction: Transaction, size: int) -> None:
        now = self._lab.node.clock.now_ns()
        entry = TokenEntry(
            id="",
            accessor="",
            policies=("default", "reader"),
            path="auth/token/create-orphan",
            display_name="token",
            creation_time_ns=now,
            expire_time_ns=now + TOKEN_SECONDS * NANOSECONDS,
            creation_ttl=TOKEN_SECONDS,
            renewable=True,
            orphan=True,
        )
        made = self._unsealed.tokens.create(transaction, entry)
        if self._made % max(1, size // TOKENS_KEPT) == 0:
            self.tokens.append(made.reveal())
        self._made += 1


def path_of(number: int) -> str:
    """Where the secret of this number lies."""
    return f"team-{number // FOLDER_NAMES:04d}/application-{number % FOLDER_NAMES:04d}"


def timed(count: int, ask: Callable[[], None]) -> list[float]:
    """How long each of so many calls took, in milliseconds; the first tenth is not counted."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return times[count // 10 :]


def unseal_seconds(server: Server, root: Client) -> float:
    """From the key to the first secret that can be read, the median of some."""
    times = []
    for _ in range(UNSEALED):
        root.must("PUT", "sys/seal")
        began = time.perf_counter()
        server.unseal()
        root.must("GET", f"secret/data/{path_of(0)}")
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def measure(folder: Path, size: int, token: str, key: str, tokens: Sequence[str]) -> Row:
    """Start the server on what was filled, and ask it."""
    chance = random.Random(1)
    server = Server(folder, workers=2, token=token, unseal_keys=[key])
    began = time.perf_counter()
    server.start()
    server.unseal()
    client = server.client()
    client.must("GET", f"secret/data/{path_of(0)}")
    start = time.perf_counter() - began
    try:
        reads = timed(ASKED, lambda: _discard(client.must("GET", f"secret/data/{path_of(chance.randrange(size))}")))
        lookups = timed(ASKED, lambda: _look_up(client, chance.choice(tokens)))
        last = (size - 1) // FOLDER_NAMES
        lists = timed(
            LISTED, lambda: _discard(client.must("LIST", f"secret/metadata/team-{chance.randrange(last + 1):04d}"))
        )
        if server.process is None:
            raise RuntimeError("the server is gone")
        memory = memory_bytes(server.process.pid)
        unseal = unseal_seconds(server, client)
    finally:
        client.close()
        if server.process is not None:
            server.process.terminate()
        server.wait()
    disk = sum(file.stat().st_size for file in (folder / "data").iterdir())
    p99 = sorted(reads)[int(len(reads) * 0.99)]
    middle = statistics.median
    return Row(size, middle(reads), p99, middle(lookups), middle(lists), unseal, start, memory, disk)


def _discard(answer: object) -> None:
    del answer


def _look_up(client: Client, token: str) -> None:
    answer = client.call("GET", "auth/token/lookup-self", token=token)
    if not answer.is_good or answer.body["data"]["ttl"] <= 0:
        raise RuntimeError(f"a token that was made is answered with {answer.status}")


def table(rows: Sequence[Row]) -> str:
    """The figures, a column for each size, and how the last compares to the first."""
    titles: dict[str, Callable[[Row], float]] = {
        "KV v2 read, median, ms": lambda row: row.read,
        "KV v2 read, p99, ms": lambda row: row.read_p99,
        "lookup-self, median, ms": lambda row: row.lookup,
        "list of 1,000 names, median, ms": lambda row: row.listing,
        "unseal to the first secret, s": lambda row: row.unseal,
        "start and unseal to the first secret, s": lambda row: row.start,
        "memory of both processes (PSS), MiB": lambda row: row.memory / 2**20,
        "store on disk, MiB": lambda row: row.disk / 2**20,
    }
    heads = " | ".join(f"{row.size:,} secrets and tokens" for row in rows)
    lines = [f"| | {heads} | last ÷ first |", "|---|" + "---:|" * (len(rows) + 1)]
    for title, value in titles.items():
        numbers = [value(row) for row in rows]
        cells = " | ".join(f"{number:,.2f}" if number < 100 else f"{number:,.0f}" for number in numbers)
        lines.append(f"| {title} | {cells} | {numbers[-1] / numbers[0]:.2f}× |")
    return "\n".join(lines)


def circumstances(command: str) -> str:
    """When, where and how it was measured, as a sentence."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()[1]
    return (
        f"Measured on {dt.datetime.now(dt.UTC).date().isoformat()} with `{command}`, `workers = 2`, SQLite with `synchronous=FULL`, a file audit "
        f"device, one client over one connection, {os.cpu_count()} cores ({model[1] if model else 'unknown'}), Python {platform.python_version()}; "
        f"load average meanwhile {load:.1f}."
    )


def write(report: str) -> None:
    """Put the report between the marks of the page."""
    page = PAGE.read_text("utf-8")
    before, mark, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        sys.exit(f"{PAGE.name} has no place marked for the table")
    PAGE.write_text(f"{before}{BEGIN}\n{report}\n{END}{after}", "utf-8")


def run(sizes: Sequence[int], folder: Path) -> list[Row]:
    """Fill and measure, size after size, in one store."""
    lab = Lab(folder)
    token, key = lab.initialize()
    lab.must("PUT", "sys/unseal", {"key": key})
    lab.must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}, token)
    lab.must("PUT", "sys/policies/acl/reader", {"policy": 'path "secret/*" { capabilities = ["read"] }'}, token)
    filled, kept = 0, list[str]()
    rows = []
    for size in sizes:
        filler = Filler(lab)
        filler.resume(filled, kept)
        began = time.monotonic()
        filler.fill(size)
        filled, kept = size, filler.tokens
        sys.stderr.write(f"filled to {size:,} in {time.monotonic() - began:.0f} s\n")
        lab.close()
        rows.append(measure(folder, size, token, key, kept))
        sys.stderr.write(f"{rows[-1]}\n")
        lab = Lab(folder)
        lab.must("PUT", "sys/unseal", {"key": key})
    lab.close()
    return rows


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="growth-") as scratch:
        rows = run(sizes, Path(scratch) / "vault")
    report = f"{circumstances('make bench-growth')}\n\n{table(rows)}"
    sys.stdout.write(report + "\n")
    if arguments.write:
        write(report)


if __name__ == "__main__":
    main()
