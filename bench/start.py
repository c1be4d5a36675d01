"""How long a secret takes into a program: `strongroom run -- true` beside OpenBao's `bao kv get`, on one server of ours.

    python -m bench.start            prints the table; exit code 1 where the bar is passed

Wall time of whole processes, the smallest and the median of rounds in which each command runs once, in another order each time:
what a neighbour of the machine takes, it takes from all of them.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.servers import ENVIRONMENT, Product, Server, openbao_binary, serving

ROUNDS = 40
BAR = 0.6
"""The most that `run` over TCP may take of what `bao kv get` takes."""

STORAGE = """storage "sqlite" {{ path = "{data}" }}
listener "unix" {{ address = "{data}/../socket" }}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_disable = true
}}"""
PRODUCT = Product("Strongroom", (str(ENVIRONMENT / "strongroom"), "server"), STORAGE)


def main() -> None:
    """Measure, print, and judge."""
    with tempfile.TemporaryDirectory(prefix="start-") as scratch, serving(PRODUCT, Path(scratch)) as server:
        server.initialize()
        server.must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        server.must("PUT", "secret/data/app", {"data": {"USER": "service", "PASSWORD": "correct horse battery"}})
        times = measured(commands(server))
    print(f"{'command':<38} {'least':>8} {'median':>8}   (milliseconds, {ROUNDS} rounds)")
    for name, found in times.items():
        print(f"{name:<38} {min(found) * 1e3:>8.1f} {statistics.median(found) * 1e3:>8.1f}")
    ours, theirs = times["strongroom run, TCP"], times["bao kv get, TCP"]
    ratio = min(ours) / min(theirs)
    print(f"run takes {ratio:.2f} of bao kv get; the bar is {BAR}")
    sys.exit(ratio > BAR)


def commands(server: Server) -> dict[str, tuple[list[str], dict[str, str]]]:
    """The commands by name, each with its environment."""
    port = re.findall(r"127\.0\.0\.1:(\d+)\"\n  tls_disable", (server.folder / "config.hcl").read_text())[0]
    base = {"PATH": os.environ["PATH"], "HOME": str(server.folder), "VAULT_TOKEN": server.token}
    tcp = {**base, "VAULT_ADDR": f"http://127.0.0.1:{port}"}
    unix = {**base, "VAULT_ADDR": f"unix://{server.folder}/socket"}
    run = [str(ENVIRONMENT / "strongroom"), "run", "-path", "secret/app", "--", "true"]
    return {
        "strongroom run, unix socket": (run, unix),
        "strongroom run, TCP": (run, tcp),
        "strongroom kv get, TCP": ([run[0], "kv", "get", "secret/app"], tcp),
        "bao kv get, TCP": ([openbao_binary(), "kv", "get", "secret/app"], tcp),
    }


def measured(wanted: dict[str, tuple[list[str], dict[str, str]]]) -> dict[str, list[float]]:
    """Seconds of each command in each round."""
    times: dict[str, list[float]] = {name: [] for name in wanted}
    order = list(wanted)
    for number in range(ROUNDS + 1):
        order = order[1:] + order[:1]
        for name in order:
            words, environ = wanted[name]
            start = time.perf_counter()
            subprocess.run(words, env=environ, stdout=subprocess.DEVNULL, check=True)
            if number:  # the first round fills the caches
                times[name].append(time.perf_counter() - start)
    return times


if __name__ == "__main__":
    main()
