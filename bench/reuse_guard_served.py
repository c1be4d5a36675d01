"""What the guard against reuse costs a write as a client meets it: the same load on two real servers with as many fingerprints, in turns.

    python -m bench.reuse_guard_served FOLDER [--fingerprints 1000000] [--rounds 9]

FOLDER must not exist; it takes about 600 bytes for each fingerprint. One vault is filled in this process (see bench.reuse_guard) and copied. The one copy keeps
its two environments, and with them the guard; from the other they are removed, and their mounts stay. Both are served by two processes over plain HTTP, with a file audit device
and SQLite with ``synchronous=FULL``. ``wrk`` writes two new values to one of many secrets over 32 connections. The server whose turn it is not stands still.
What is counted is processor time of the server's processes for each answer, and answers per second.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
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


def main() -> int:
    """Fill, serve, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fingerprints", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    guarded, plain = options.folder / "guarded", options.folder / "plain"
    options.folder.mkdir(mode=0o700)
    token, key = filled(guarded, options.fingerprints)
    shutil.copytree(guarded, plain)
    servers = {
        name: Server(folder, workers=2, token=token, unseal_keys=[key])
        for name, folder in (("with", guarded), ("without", plain))
    }
    try:
        for server in servers.values():
            server.start()
            server.unseal()
        client = servers["without"].client()
        for name in ENVIRONMENTS:
            client.must("POST", f"sys/environments/{name}", {"mounts": []})
            client.must("DELETE", f"sys/environments/{name}")
        for mount in ENVIRONMENTS:
            report(mount, measure(servers, mount, options.rounds))
    finally:
        for server in servers.values():
            server.kill()
    return 0


def filled(folder: Path, fingerprints: int) -> tuple[str, str]:
    """Make and fill a vault; its root token and its key."""
    lab = Lab(folder)
    token, key = lab.initialize()
    lab.must("PUT", "sys/unseal", {"key": key})
    for rank, name in enumerate(ENVIRONMENTS):
        lab.must("POST", f"sys/mounts/{name}", {"type": "kv", "options": {"version": "2"}}, token)
        lab.must("POST", f"sys/environments/{name}", {"rank": rank, "mounts": [name]}, token)
    vault = cast("Vault", lab)  # both are a node with a store
    fill(vault, fingerprints)
    sys.stdout.write(f"{fingerprints:,} fingerprints of production; {learn(vault):.1f} s to learn which there are\n")
    lab.close()
    return token, key


def measure(servers: dict[str, Server], mount: str, rounds: int) -> dict[str, list[Round]]:
    """The rounds of each server, in turns; the first of each is not counted."""
    found: dict[str, list[Round]] = {name: [] for name in servers}
    for number in range(rounds + 1):
        for name in sorted(servers, reverse=bool(number % 2)):
            for other in servers.values():
                other.signal(signal.SIGCONT if other is servers[name] else signal.SIGSTOP)
            load(servers[name], mount, 1)  # it stood still: that is not measured
            measured = load(servers[name], mount)
            if measured.errors:
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


def report(mount: str, found: dict[str, list[Round]]) -> None:
    """Print what one mount's writes cost."""
    cpu = {name: [one.cpu_microseconds for one in rounds] for name, rounds in found.items()}
    rate = {name: statistics.median(one.per_second for one in rounds) for name, rounds in found.items()}
    pairs = statistics.median(one / other for one, other in zip(cpu["with"], cpu["without"], strict=True))
    middle = {name: statistics.median(values) for name, values in cpu.items()}
    sys.stdout.write(
        f"{mount}: {middle['without']:.0f} us of the server for a write without, {middle['with'] / middle['without'] - 1:+.1%} with it"
        f" (fastest rounds {min(cpu['with']) / min(cpu['without']) - 1:+.1%}, median of pairs {pairs - 1:+.1%});"
        f" {rate['without']:.0f} writes/s without, {rate['with'] / rate['without'] - 1:+.1%} with it\n"
    )


if __name__ == "__main__":
    sys.exit(main())
