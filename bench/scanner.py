"""Measures the scanner: beside kingfisher on files and on a history, its start, its memory, and what hostile bytes cost it.

    python -m bench.scanner            everything, a table, and exit code 1 if a bar is missed (10 minutes on two quiet cores)
    python -m bench.scanner --write    ... and puts the table into docs/scanner.md
    python -m bench.scanner --only files,start

What makes it fair: both scan the same bytes with two workers, with their compiled rules cached and without asking any provider, and their runs alternate.
What makes it honest: the median of the rounds counts, as time on the wall and as processor time, and the load of the machine stands beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import scanner_inputs as inputs
from bench.hostile import worse_than_linear
from bench.usage import MemoryWatch

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "scanner.md"
BIN = Path(sys.prefix) / "bin"
JOBS = "2"
MOST_RATIO = 1.0
_HISTORY_ROUNDS = 2
"""Rounds over the history: each takes a minute, and half of all the time would go there."""
MOST_START_SECONDS = 0.3
MOST_MEMORY = 400 << 20
STREAM_BYTES = 10 << 30


class Run(NamedTuple):
    """What one run took, in seconds."""

    wall: float
    cpu: float


class Row(NamedTuple):
    """One figure: what it is of, what it must be, what it is, whether that is enough."""

    name: str
    bar: str
    measured: str
    is_met: bool


def environment() -> dict[str, str]:
    """Ours, with caches of the benchmark's own, and byte code that is kept as an installed package has it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"XDG_CACHE_HOME": str(inputs.inputs_folder() / "caches")}


def run(command: Sequence[str]) -> Run:
    """Run a command to its end. Exit codes that mean findings are fine, others end the benchmark."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(), check=False, text=True
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in {0, 1, 2, 200, 205}:
        sys.exit(f"{command[0]} failed with {done.returncode}: {done.stderr[-500:]}")
    return Run(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def strongroom(*arguments: str | Path) -> list[str]:
    """Our command."""
    return [str(BIN / "strongroom"), "scan", *map(str, arguments), "-jobs", JOBS, "-format", "json"]


def kingfisher(path: Path) -> list[str]:
    """The peer's."""
    options = ("-j", JOBS, "--no-validate", "--no-update-check", "--format", "json")
    return [str(BIN / "kingfisher"), "scan", *options, str(path)]


def forget_objects() -> None:
    """Let the next scan of a history read all of it."""
    for path in (inputs.inputs_folder() / "caches" / "strongroom").glob("clean-*"):
        path.unlink()


def beside(name: str, ours: list[str], theirs: list[str], rounds: int) -> Row:
    """Our time by theirs, in alternating runs after one that fills caches."""
    runs: dict[str, list[Run]] = {"ours": [], "theirs": []}
    for number in range(rounds + 1):
        for who, command in (
            (("ours", ours), ("theirs", theirs)) if number % 2 else (("theirs", theirs), ("ours", ours))
        ):
            forget_objects()
            measured = run(command)
            print(f"{name}: {who} {measured.wall:.2f} s, {measured.cpu:.2f} s of processor", file=sys.stderr)
            if number:
                runs[who].append(measured)
    wall, cpu = ({who: statistics.median(found) for who, found in _columns(runs, number).items()} for number in (0, 1))
    ratio, of_processor = wall["ours"] / wall["theirs"], cpu["ours"] / cpu["theirs"]
    told = (
        f"**{ratio:.2f}** ({wall['ours']:.2f} s by {wall['theirs']:.2f} s);"
        f" of processor time {of_processor:.2f} ({cpu['ours']:.2f} s by {cpu['theirs']:.2f} s)"
    )
    return Row(name, f"≤ {MOST_RATIO:.1f} of kingfisher's time", told, ratio <= MOST_RATIO)


def _columns(runs: dict[str, list[Run]], column: int) -> dict[str, list[float]]:
    return {who: [found[column] for found in measured] for who, measured in runs.items()}


def files(rounds: int) -> list[Row]:
    """A tree of 106 MB of sources."""
    tree = inputs.made(inputs.inputs_folder() / "tree", inputs.make_tree)
    return [beside("106 MB of sources", strongroom("dir", tree), kingfisher(tree), rounds)]


def history(rounds: int) -> list[Row]:
    """A history of 1 GB of blobs, and the same again without any change."""
    repository = inputs.made(inputs.inputs_folder() / "history", inputs.make_history)
    command = strongroom("git", repository)
    row = beside("git history, 1 GB of blobs", command, kingfisher(repository), min(rounds, _HISTORY_ROUNDS))
    forget_objects()
    first, second = run(command), run(command)
    told = f"{second.wall / first.wall:.2f} ({second.wall:.2f} s by {first.wall:.2f} s)"
    return [
        row,
        Row("the same history again, unchanged", "≤ 0.5 of the first time", told, second.wall <= first.wall / 2),
    ]


def start(rounds: int) -> list[Row]:
    """One small file."""
    file = inputs.inputs_folder() / "small.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("import this\n")
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(ROOT / "src")], check=True)
    command = strongroom("dir", file)
    run(command)
    runs = [run(command) for _ in range(4 * rounds + 1)]
    wall, cpu = (statistics.median(found[column] for found in runs) for column in (0, 1))
    told = f"{wall:.2f} s (processor {cpu:.2f} s)"
    return [Row("one small file, compiled rules cached", f"≤ {MOST_START_SECONDS} s", told, wall <= MOST_START_SECONDS)]


def compiling(_rounds: int) -> list[Row]:
    """The first scan of all, which compiles the rules."""
    for path in (inputs.inputs_folder() / "caches" / "strongroom").glob("automaton-*"):
        path.unlink()
    first = run(strongroom("dir", Path(__file__)))
    return [Row("the very first scan, which compiles the rules", "told only", f"{first.wall:.1f} s", is_met=True)]


def memory(_rounds: int) -> list[Row]:
    """10 GB: many files, large ones, a line without an end, an archive; and a history with a large blob."""
    large = inputs.made(inputs.inputs_folder() / "large", inputs.make_large)
    repository = inputs.made(inputs.inputs_folder() / "large-history", inputs.make_large_history)
    forget_objects()
    rows = []
    for name, command in (
        ("memory, 10 GB of files: many, a large one, a line without an end, an archive", strongroom("dir", large)),
        ("memory, a history with a blob of 1 GB", strongroom("git", repository)),
    ):
        most = peak(command)
        rows.append(Row(name, f"≤ {MOST_MEMORY >> 20} MiB", f"{most / 2**20:.0f} MiB", most <= MOST_MEMORY))
    return rows


def stream(_rounds: int) -> list[Row]:
    """10 GB through a pipe, made as they are read."""
    most = peak(strongroom("stdin"), inputs.endless_text(STREAM_BYTES))
    row = Row(
        "memory, 10 GB through standard input",
        f"≤ {MOST_MEMORY >> 20} MiB",
        f"{most / 2**20:.0f} MiB",
        most <= MOST_MEMORY,
    )
    return [row]


def peak(command: Sequence[str], stream: Iterable[bytes] = ()) -> int:
    """The most memory of a command and all its processes at one time, in bytes; `stream` is its standard input.

    A command that did not scan everything ends the benchmark: what was not read takes no memory.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment()) as process:
        feeder = threading.Thread(target=_feed, args=(process, stream), daemon=True)
        feeder.start()
        watch = MemoryWatch(process.pid, every_seconds=0.1)
        most = 0
        while process.poll() is None:
            try:
                watch._look()  # noqa: SLF001 -- the process may end at any moment, which its thread does not expect
            except OSError:
                continue
            most = watch.most
            time.sleep(0.1)
    if process.returncode not in {0, 1}:
        sys.exit(f"{command[0]} {command[2]} ended with {process.returncode}: not everything was scanned")
    return most


def _feed(process: subprocess.Popen[bytes], stream: Iterable[bytes]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        for part in stream:
            process.stdin.write(part)


def hostile(_rounds: int) -> list[Row]:
    """Bytes that are made to cost much, for each rule and each decoder."""
    checked, worse = worse_than_linear()
    for name in worse:
        print(f"worse than linear: {name}", file=sys.stderr)
    told = f"{len(worse)} of {checked}"
    return [Row("hostile inputs that take more than linear work", "0", told, not worse)]


PARTS: dict[str, Callable[[int], list[Row]]] = {
    "files": files,
    "history": history,
    "start": start,
    "compiling": compiling,
    "memory": memory,
    "stream": stream,
    "hostile": hostile,
}


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, with where they come from."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    lines = ["| figure | bar | measured | |", "|---|---|---|---|"]
    lines += [f"| {row.name} | {row.bar} | {row.measured} | {'met' if row.is_met else '**missed**'} |" for row in rows]
    where = f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), Python {platform.python_version()}"
    when = f"Measured by `make bench-scanner` on {time.strftime('%Y-%m-%d')} beside kingfisher 2.14.0"
    lines += ["", f"{when}, {where}; load average meanwhile {os.getloadavg()[1]:.1f}."]
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the table between its marks in the page; make the section if it is not there."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- speed -->", "<!-- end of speed -->"
    marked = f"{begin}\n{text}\n{end}"
    if begin in page:
        page = re.sub(f"{begin}.*?{end}", lambda _: marked, page, flags=re.DOTALL)
    elif "\n## Figures\n" in page:
        page = page.replace("\n## Figures\n", f"\n## Figures\n\n{marked}\n", 1)
    else:
        page = f"{page.rstrip()}\n\n## Figures\n\n{marked}\n"
    PAGE.write_text(page, encoding="utf-8")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    rows = [row for name in arguments.only.split(",") for row in PARTS[name](arguments.rounds)]
    text = table(rows)
    print(text)
    if arguments.write:
        write(text)
    sys.exit(0 if all(row.is_met for row in rows) else 1)


if __name__ == "__main__":
    main()
