"""How long a secret takes into a program: `strongroom run -- true` beside OpenBao's `bao kv get`, on one server of ours.

    python -m bench.start            prints the table; exit code 1 where the bar is passed

Whole processes, in rounds in which each command runs once, in another order each time: what a neighbour of the machine takes, it
takes from all of them. The bar is about wall time; on a machine with more work than cores the processor time says more.
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

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
    print(
        f"{'milliseconds, ' + str(ROUNDS) + ' rounds':<30} {'wall, least':>12} {'median':>8} {'cpu, least':>12} {'median':>8}"
    )
    for name, found in times.items():
        wall, processor = [taken.wall for taken in found], [taken.processor for taken in found]
        numbers = (min(wall), statistics.median(wall), min(processor), statistics.median(processor))
        print("{:<30} {:>12.1f} {:>8.1f} {:>12.1f} {:>8.1f}".format(name, *(seconds * 1e3 for seconds in numbers)))
    ours, theirs = times["strongroom run, TCP"], times["bao kv get, TCP"]
    ratio = min(taken.wall for taken in ours) / min(taken.wall for taken in theirs)
    share = min(taken.processor for taken in ours) / min(taken.processor for taken in theirs)
    load = os.getloadavg()[0]
    print(
        f"run takes {ratio:.2f} of the wall time of bao kv get (the bar is {BAR}), {share:.2f} of its processor time; load {load:.1f}"
    )
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


class Taken(NamedTuple):
    """What one process took, in seconds."""

    wall: float
    processor: float


def measured(wanted: dict[str, tuple[list[str], dict[str, str]]]) -> dict[str, list[Taken]]:
    """What each command took in each round."""
    times: dict[str, list[Taken]] = {name: [] for name in wanted}
    order = list(wanted)
    for number in range(ROUNDS + 1):
        order = order[1:] + order[:1]
        for name in order:
            words, environ = wanted[name]
            taken = one(words, environ)
            if number:  # the first round fills the caches
                times[name].append(taken)
    return times


def one(words: list[str], environ: dict[str, str]) -> Taken:
    """Run one command to its end. Raises RuntimeError where it fails."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    start = time.perf_counter()
    process = os.posix_spawn(words[0], words, environ, file_actions=quiet)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"{words[0]} failed with status {status}")
    return Taken(time.perf_counter() - start, usage.ru_utime + usage.ru_stime)


if __name__ == "__main__":
    main()
