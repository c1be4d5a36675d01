"""What the guard against reuse costs a write as a client meets it: the same load on mounts with and without it, in turns.

    python -m bench.reuse_guard_served FOLDER [--fingerprints 1000000] [--rounds 15]

FOLDER must not exist; it takes about 600 bytes for each fingerprint. One vault is filled in this process (see bench.reuse_guard) and served by two processes
over plain HTTP, with a file audit device and SQLite with ``synchronous=FULL``. Of its mounts one is in the lower of two environments, one in the upper, and one in
none, where the guard has nothing to do. ``wrk`` writes two new values to one of many secrets over 32 connections, on each mount in turn, so that all meet the same
server in the same moments. What is counted is processor time of the server's processes for each answer, and answers per second.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import cast

from tests.kit import Vault

from bench.reuse_guard import fill, learn
from bench.run import CONNECTIONS, HERE, THREADS, Round, read_wrk
from bench.usage import cpu_seconds
from reliability.lab import Lab
from reliability.server import Server

SECONDS = 4
ENVIRONMENTS = ("dev", "prod")
APART = "apart"
"""The mount that is in no environment."""


def main() -> int:
    """Fill, serve, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fingerprints", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    token, key = filled(options.folder, options.fingerprints)
    server = Server(options.folder, workers=2, token=token, unseal_keys=[key])
    try:
        server.start()
        server.unseal()
        found = measure(server, options.rounds)
    finally:
        server.kill()
    for mount in ENVIRONMENTS:
        report(mount, found[mount], found[APART])
    return 0


def filled(folder: Path, fingerprints: int) -> tuple[str, str]:
    """Make and fill a vault; its root token and its key."""
    folder.mkdir(mode=0o700)
    lab = Lab(folder)
    token, key = lab.initialize()
    lab.must("PUT", "sys/unseal", {"key": key})
    for rank, name in enumerate(ENVIRONMENTS):
        lab.must("POST", f"sys/mounts/{name}", {"type": "kv", "options": {"version": "2"}}, token)
        lab.must("POST", f"sys/environments/{name}", {"rank": rank, "mounts": [name]}, token)
    lab.must("POST", f"sys/mounts/{APART}", {"type": "kv", "options": {"version": "2"}}, token)
    vault = cast("Vault", lab)  # both are a node with a store
    fill(vault, fingerprints)
    sys.stdout.write(f"{fingerprints:,} fingerprints of production; {learn(vault):.1f} s to learn which there are\n")
    lab.close()
    return token, key


def measure(server: Server, rounds: int) -> dict[str, list[Round]]:
    """The rounds of each mount, in turns; the first of each is not counted."""
    mounts = [*ENVIRONMENTS, APART]
    found: dict[str, list[Round]] = {name: [] for name in mounts}
    for number in range(rounds + 1):
        for name in mounts if number % 2 else reversed(mounts):
            measured = load(server, name)
            if measured.errors and number:
                sys.exit(f"{measured.errors} writes failed; nothing was measured")
            if number:
                found[name].append(measured)
    return found


def load(server: Server, mount: str, seconds: int = SECONDS) -> Round:
    """Load one server for a while."""
    if server.process is None:
        raise RuntimeError("the server is gone")
    before = cpu_seconds(server.process.pid)
    command = [
        "wrk",
        f"-t{THREADS}",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "--latency",
        "-s",
        f"{HERE}/kv_write_new.lua",
    ]
    environment = os.environ | {"BENCH_TOKEN": server.token, "BENCH_MOUNT": mount}
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}"], env=environment, capture_output=True, text=True, check=True
    )
    return read_wrk(done.stdout, cpu_seconds(server.process.pid) - before, 0)


def report(mount: str, with_guard: list[Round], without: list[Round]) -> None:
    """Print what one mount's writes cost, round by round beside those of the mount without a guard."""
    pairs = list(zip(with_guard, without, strict=True))
    cpu = statistics.median(one.cpu_microseconds / other.cpu_microseconds for one, other in pairs)
    rate = statistics.median(one.per_second / other.per_second for one, other in pairs)
    spread = statistics.quantiles((one.cpu_microseconds / other.cpu_microseconds for one, other in pairs), n=4)
    sys.stdout.write(
        f"{mount}: {statistics.median(other.cpu_microseconds for other in without):.0f} us of the server for a write without the guard, {cpu - 1:+.1%} with it"
        f" (half of the rounds between {spread[0] - 1:+.1%} and {spread[2] - 1:+.1%});"
        f" {statistics.median(other.per_second for other in without):.0f} writes/s without, {rate - 1:+.1%} with it\n"
    )


if __name__ == "__main__":
    sys.exit(main())
