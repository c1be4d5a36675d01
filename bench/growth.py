"""What it costs that the store grows: latency, unseal time and memory with 1k, 100k and 1M secrets, and as many tokens.

    python -m bench.growth                       print the table
    python -m bench.growth --write               ... and put it into docs/performance.md
    python -m bench.growth --sizes 1000,20000    other sizes
    python -m bench.growth --folder FOLDER       fill there, and leave it: the next run with the folder asks the same vaults

A vault is made and filled in this process, by the code that the server runs, a thousand records to a commit; audit and HTTP are left out, because
they leave nothing in the store. It is copied at each size. Then a real server, of two processes and with its audit device, is started on every copy, and they are
asked in turns, over one connection each, for secrets and with tokens drawn by chance: whose turn it is has the machine, the others stand still. So
what a neighbour takes it takes from all, and what counts is how a row goes on to the right. Meanwhile the servers inspect their rows, as they do after
every unseal: the smallest is through in seconds, the largest needs more than an hour.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import random
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.turns import turn_of
from bench.usage import memory_bytes
from reliability.lab import Lab
from reliability.result import percentile
from reliability.server import Server
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
ROUNDS = 12
ASKED = 300
LISTED = 20
UNSEALED = 7
STARTED = 4
TOKENS_KEPT = 2000
TOKEN_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Vault:
    """A vault that was filled: where it lies, how much is in it, what opens it, and some of its tokens."""

    folder: Path
    size: int
    token: str
    key: str
    tokens: Sequence[str]


@dataclass
class Found:
    """What was measured with one vault, each time anew. Latencies in milliseconds, memory and disk in bytes, times in seconds."""

    starts: list[float] = field(default_factory=list)
    unseals: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    lookups: list[float] = field(default_factory=list)
    lists: list[float] = field(default_factory=list)
    memory: int = 0
    disk: int = 0


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


def timed(count: int, ask: Callable[[], object]) -> list[float]:
    """How long each of so many calls took, in milliseconds; the first tenth is not counted."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return times[count // 10 :]


class Standing:
    """A server on a filled vault. ``found`` is what was measured so far."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._server = Server(vault.folder, workers=2, token=vault.token, unseal_keys=[vault.key])
        self._client = self._server.client()
        self._chance = random.Random(1)
        self.found = Found()

    @property
    def pid(self) -> int:
        """The process from which all others of the server descend."""
        if self._server.process is None:
            raise RuntimeError("the server is gone")
        return self._server.process.pid

    def start(self) -> None:
        """Start it, unseal it, and read a first secret."""
        began = time.perf_counter()
        self._server.start()
        self._unseal()
        self.found.starts.append(time.perf_counter() - began)

    def unseal(self) -> None:
        """Seal it, and measure from the key to the first secret that can be read."""
        self._client.must("PUT", "sys/seal")
        began = time.perf_counter()
        self._unseal()
        self.found.unseals.append(time.perf_counter() - began)

    def _unseal(self) -> None:
        self._server.unseal()
        self._client.must("GET", f"secret/data/{path_of(0)}")

    def ask(self) -> None:
        """Read, look tokens up, and list."""
        self.found.reads += timed(ASKED, self._read)
        self.found.lookups += timed(ASKED, self._look_up)
        self.found.lists += timed(LISTED, self._list)

    def stop(self) -> None:
        """End it, after a look at its memory, and look at its disk."""
        if self._server.process is not None and self._server.process.poll() is None:
            self.found.memory = memory_bytes(self.pid)
            self._client.close()
            self._server.process.terminate()
            self._server.wait()
        self.found.disk = sum(file.stat().st_size for file in (self._vault.folder / "data").iterdir())

    def _read(self) -> None:
        self._client.must("GET", f"secret/data/{path_of(self._chance.randrange(self._vault.size))}")

    def _list(self) -> None:
        last = (self._vault.size - 1) // FOLDER_NAMES
        self._client.must("LIST", f"secret/metadata/team-{self._chance.randrange(last + 1):04d}")

    def _look_up(self) -> None:
        answer = self._client.call("GET", "auth/token/lookup-self", token=self._chance.choice(self._vault.tokens))
        if not answer.is_good or answer.body["data"]["ttl"] <= 0:
            raise RuntimeError(f"a token that was made is answered with {answer.status}")


def table(found: Mapping[int, Found]) -> str:
    """The figures by size, a column for each, and how the last compares to the first."""
    middle = statistics.median
    titles: dict[str, Callable[[Found], float]] = {
        "KV v2 read, median, ms": lambda one: middle(one.reads),
        "KV v2 read, p99, ms": lambda one: percentile(one.reads, 0.99),
        "lookup-self, median, ms": lambda one: middle(one.lookups),
        "list of 1,000 names, median, ms": lambda one: middle(one.lists),
        "unseal to the first secret, s": lambda one: middle(one.unseals),
        "start and unseal to the first secret, s": lambda one: middle(one.starts),
        "memory of both processes (PSS), MiB": lambda one: one.memory / 2**20,
        "store on disk, MiB": lambda one: one.disk / 2**20,
    }
    heads = " | ".join(f"{size:,} secrets and tokens" for size in found)
    lines = [f"| | {heads} | last ÷ first |", "|---|" + "---:|" * (len(found) + 1)]
    for title, value in titles.items():
        numbers = [value(one) for one in found.values()]
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


def fill(sizes: Sequence[int], scratch: Path) -> list[Vault]:
    """One vault, filled to size after size, and copied at each."""
    folder = scratch / "vault"
    lab = Lab(folder)
    token, key = lab.initialize()
    lab.must("PUT", "sys/unseal", {"key": key})
    lab.must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}, token)
    lab.must("PUT", "sys/policies/acl/reader", {"policy": 'path "secret/*" { capabilities = ["read"] }'}, token)
    filled, kept = 0, list[str]()
    vaults = []
    for size in sizes:
        filler = Filler(lab)
        filler.resume(filled, kept)
        began = time.monotonic()
        filler.fill(size)
        filled, kept = size, filler.tokens
        lab.close()
        vaults.append(Vault(scratch / str(size), size, token, key, tuple(kept)))
        shutil.copytree(folder, vaults[-1].folder)
        sys.stderr.write(f"filled to {size:,} in {time.monotonic() - began:.0f} s\n")
        lab = Lab(folder)
        lab.must("PUT", "sys/unseal", {"key": key})
    lab.close()
    shutil.rmtree(folder)
    return vaults


def filled(sizes: Sequence[int], folder: Path) -> list[Vault]:
    """The vaults in ``folder``, filled now where they are not there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    notes = folder / "vaults.json"
    if notes.exists():
        vaults = [Vault(folder / str(note["size"]), **note) for note in json.loads(notes.read_text("utf-8"))]
        if [vault.size for vault in vaults] == list(sizes):
            return vaults
    vaults = fill(sizes, folder)
    # The keys of vaults that hold nothing but what this file puts there.
    told = [{"size": one.size, "token": one.token, "key": one.key, "tokens": one.tokens} for one in vaults]
    notes.touch(mode=0o600)
    notes.write_text(json.dumps(told), "utf-8")
    return vaults


def measure(vaults: Sequence[Vault]) -> dict[int, Found]:
    """Ask the servers on all vaults, in turns."""
    servers = [Standing(vault) for vault in vaults]
    try:
        for _ in range(STARTED):
            for server in servers:
                server.start()
                server.stop()
        for server in servers:
            server.start()
        in_turns(servers, ROUNDS, Standing.ask)
        in_turns(servers, UNSEALED, Standing.unseal)
    finally:
        for server in servers:
            server.stop()
    return {vault.size: server.found for vault, server in zip(vaults, servers, strict=True)}


def in_turns(servers: Sequence[Standing], rounds: int, ask: Callable[[Standing], None]) -> None:
    """So many rounds, in each of which every server has its turn, in another order each time."""
    pids = [server.pid for server in servers]
    for number in range(rounds):
        first = number % len(servers)
        for server in (*servers[first:], *servers[:first]):
            with turn_of(server.pid, pids):
                ask(server)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="growth-") as scratch:
        found = measure(filled(sizes, arguments.folder or Path(scratch)))
    report = f"{circumstances('make bench-growth')}\n\n{table(found)}"
    sys.stdout.write(report + "\n")
    if arguments.write:
        write(report)


if __name__ == "__main__":
    main()
