"""Measures Strongroom beside the real OpenBao, on this machine, with the same work for both.

    python -m bench.run                    all, interleaved rounds, medians, a table
    python -m bench.run --write            ... and puts the table into docs/performance.md
    python -m bench.run --only openbao     one of the three: strongroom, synced (its audit log power-loss durable), openbao
    python -m bench.run --profile kv_read  where Strongroom's time goes: the functions of one scenario, by their own time

What makes it fair: both servers run on the same cores as the load generator, with TLS and the same certificate, a file audit
device and a store that is durable when it answers; rounds alternate between them, and the server whose turn it is not stands
still. What makes it honest: every scenario is asked once and its answer checked before it is measured, every answer over 399
and every socket error counts as an error, and a run with errors prints no table.
"""

from __future__ import annotations

import argparse
import os
import platform
import pstats
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.turns import turn_of
from bench.usage import MemoryWatch, cpu_seconds
from tools.servers import Product, Server, openbao, serving, strongroom, strongroom_synced

HERE = Path(__file__).resolve().parent
TABLE_PAGE = HERE.parent / "docs" / "performance.md"
CONNECTIONS = 32
THREADS = 2
SECRET = {"username": "service", "password": "correct horse battery staple"}
SCENARIOS = {
    "kv_read": "KV v2 read",
    "kv_write": "KV v2 write",
    "lookup_self": "token lookup-self",
    "approle_login": "AppRole login",
}
BARS = {
    "Strongroom": {"kv_read": 5, "kv_write": 3, "lookup_self": 5, "approle_login": 2.5},
    "Strongroom, synced": {"kv_read": 3.5, "kv_write": 3, "lookup_self": 3.5, "approle_login": 2.5},
}
"""How many times OpenBao's rate each mode of our audit log must reach at least."""


@dataclass(frozen=True)
class Round:
    """One run of the load generator: answers per second, the 99th percentile, server CPU per answer, errors, and the server's memory.

    ``memory_bytes`` is the most that all processes of the server had at once (PSS).
    """

    per_second: float
    p99_ms: float
    cpu_microseconds: float
    errors: int
    memory_bytes: int


def populate(server: Server) -> dict[str, str]:
    """Everything that the scenarios need; returns the variables that the Lua scripts read. Checks every answer once."""
    server.must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    server.must("POST", "sys/auth/approle", {"type": "approle"})
    server.must(
        "PUT", "sys/policies/acl/bench", {"policy": 'path "secret/*" { capabilities = ["create","read","update"] }'}
    )
    for number in range(100):
        server.must("POST", f"secret/data/read/{number}", {"data": SECRET})
    for number in range(1000):
        server.must("POST", f"secret/data/write/{number}", {"data": SECRET})
    server.must("POST", "auth/approle/role/bench", {"token_policies": "bench", "token_ttl": "10m"})
    role_id = server.must("GET", "auth/approle/role/bench/role-id")["data"]["role_id"]
    secret_id = server.must("POST", "auth/approle/role/bench/secret-id")["data"]["secret_id"]
    login = server.must("POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret_id})
    token = login["auth"]["client_token"]
    check_answers(server, token)
    return {"BENCH_TOKEN": token, "BENCH_ROLE_ID": role_id, "BENCH_SECRET_ID": secret_id}


def check_answers(server: Server, token: str) -> None:
    """Ask what will be asked a million times, and look at the answers. Raises RuntimeError where one is wrong."""
    root, server.token = server.token, token
    try:
        read = server.must("GET", "secret/data/read/7")["data"]["data"]
        written = server.must("POST", "secret/data/write/7", {"data": SECRET})["data"]["version"]
        policies = server.must("GET", "auth/token/lookup-self")["data"]["policies"]
    finally:
        server.token = root
    if read != SECRET or written < 2 or "bench" not in policies:
        raise RuntimeError(f"{server.product.name} gives wrong answers; nothing to measure")


def measure(server: Server, scenario: str, variables: dict[str, str], seconds: int) -> Round:
    """Load the server with one scenario for a while."""
    before = cpu_seconds(server.process.pid)
    memory = MemoryWatch(server.process.pid, every_seconds=1.0)
    command = ["wrk", f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", f"{HERE}/{scenario}.lua"]
    with memory:
        done = subprocess.run(
            [*command, server.address], env=os.environ | variables, capture_output=True, text=True, check=True
        )
    return read_wrk(done.stdout, cpu_seconds(server.process.pid) - before, memory.most)


def read_wrk(text: str, cpu: float, memory: int) -> Round:
    """What the load generator printed, as numbers."""
    count = int(number_in(text, r"(\d+) requests in"))
    bad = int(number_in(text, r"Non-2xx or 3xx responses: (\d+)"))
    socket_errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    errors = bad + sum(map(int, socket_errors.groups()) if socket_errors else ())
    found = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    p99_ms = float(found[1]) * scale[found[2]] if found else float("nan")
    return Round(float(number_in(text, r"Requests/sec:\s+([\d.]+)")), p99_ms, cpu / max(count, 1) * 1e6, errors, memory)


def number_in(text: str, pattern: str) -> str:
    """The first group of the pattern, or zero where the text has no such line."""
    found = re.search(pattern, text)
    return found[1] if found else "0"


def compare(products: list[Product], rounds: int, seconds: int) -> dict[tuple[str, str], list[Round]]:
    """The rounds of each scenario and product, interleaved."""
    results: dict[tuple[str, str], list[Round]] = {}
    with ExitStack() as stack:
        servers: list[Server] = []
        for product in products:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            servers.append(stack.enter_context(serving(product, folder)))
        variables = {}
        pids = [server.process.pid for server in servers]
        for server in servers:
            with turn_of(server.process.pid, pids):
                server.initialize()
                variables[server.product.name] = populate(server)
        for number in range(rounds):
            for scenario in SCENARIOS:
                for server in [*servers[number % len(servers) :], *servers[: number % len(servers)]]:
                    with turn_of(server.process.pid, pids):
                        measure(
                            server, scenario, variables[server.product.name], 1
                        )  # it stood still: that is not measured
                        measured = measure(server, scenario, variables[server.product.name], seconds)
                    results.setdefault((scenario, server.product.name), []).append(measured)
                    print(f"round {number + 1}  {server.product.name:10} {scenario:14} {measured}", file=sys.stderr)
    return results


def table(results: dict[tuple[str, str], list[Round]], names: list[str]) -> str:
    """The medians as a Markdown table: the rates, how many times the last one's each is, then what requests cost and how long they take."""
    peer = names[-1]
    heads = [f"{name}, requests/s" for name in names]
    heads += [f"{name} ÷ {peer} (bar)" for name in names[:-1]]
    heads += [f"{name}, {what}" for name in names for what in ("CPU µs/request", "p99 ms")]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    for scenario, title in SCENARIOS.items():
        median = {
            (name, what): statistics.median(getattr(measured, what) for measured in results[scenario, name])
            for name in names
            for what in ("per_second", "cpu_microseconds", "p99_ms")
        }
        cells = [f"{median[name, 'per_second']:,.0f}" for name in names]
        cells += [
            f"{median[name, 'per_second'] / median[peer, 'per_second']:.1f}× ({BARS[name][scenario]:g}×)"
            for name in names[:-1]
        ]
        for name in names:
            cells += [f"{median[name, 'cpu_microseconds']:.0f}", f"{median[name, 'p99_ms']:.1f}"]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def memory_line(results: dict[tuple[str, str], list[Round]], names: list[str]) -> str:
    """The most memory that each server had in any round, as a sentence."""
    most = {
        name: max(
            measured.memory_bytes for (_, product), rounds in results.items() if product == name for measured in rounds
        )
        for name in names
    }
    told = ", ".join(f"{name} {found / 2**20:.0f} MiB" for name, found in most.items())
    return f"Most memory under this load, of all processes together (PSS): {told}."


def circumstances(rounds: int, seconds: int) -> str:
    """What was measured where, as a sentence."""
    model = number_in(Path("/proc/cpuinfo").read_text(), r"model name\s*: (.+)")
    return (
        f"Medians of {rounds} interleaved rounds of {seconds} s, {CONNECTIONS} connections, TLS, a file audit device (in "
        f"the mode `written` unless it says `synced`), durable stores (Strongroom with `workers = 2` on SQLite with `synchronous=FULL`; OpenBao 2.7.2 with Raft), server and load generator on the same "
        f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}."
    )


def profile(scenario: str, seconds: int) -> None:
    """Load Strongroom under a profiler and print the functions that cost most by themselves."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        dump = folder / "profile.out"
        # Isolated already, or the server would start Python again without the profiler.
        prefix = (sys.executable, "-I", "-B", "-m", "cProfile", "-o", str(dump))
        with serving(strongroom(), folder, prefix) as server:
            server.initialize()
            measured = measure(server, scenario, populate(server), seconds)
        print(f"{scenario} under the profiler (which costs most of the speed): {measured}")
        pstats.Stats(str(dump)).sort_stats("tottime").print_stats(40)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["strongroom", "synced", "openbao"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--profile", choices=SCENARIOS, metavar="SCENARIO")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed. On Debian and Ubuntu: apt-get install wrk")
    if arguments.profile:
        profile(arguments.profile, arguments.seconds)
        return
    makers = (("strongroom", strongroom), ("synced", strongroom_synced), ("openbao", openbao))
    products = [make() for name, make in makers if arguments.only in {None, name}]
    results = compare(products, arguments.rounds, arguments.seconds)
    errors = sum(measured.errors for rounds in results.values() for measured in rounds)
    if errors:
        sys.exit(f"{errors} requests failed; a benchmark with errors measures nothing")
    names = [product.name for product in products]
    report = f"{circumstances(arguments.rounds, arguments.seconds)}\n\n{table(results, names)}\n\n{memory_line(results, names)}"
    print(report)
    if arguments.write:
        write(report)


def write(report: str) -> None:
    """Put the report between the marks of the page."""
    page = TABLE_PAGE.read_text()
    marked = re.sub(
        r"(<!-- measured -->\n).*?(<!-- end -->)", lambda m: f"{m[1]}{report}\n{m[2]}", page, flags=re.DOTALL
    )
    if marked == page:
        sys.exit(f"{TABLE_PAGE.name} has no place marked for the table")
    TABLE_PAGE.write_text(marked)


if __name__ == "__main__":
    main()
