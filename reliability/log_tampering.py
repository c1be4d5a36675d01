"""R-21: whoever can write to the audit files changes them. ``python -m reliability.log_tampering --places 40``.

The log is a real vault's: three files of a rotation, in which a process was killed and another went on. Every class of change is tried at ``places``
drawn by chance: edited (with hashes made anew, too), inserted, deleted, doubled, moved, signatures edited; heads, tails and whole files cut; files
exchanged; a chain of another vault put in. Each must be noticed, and told as one of what it can be told as.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reliability.lab import Lab
from reliability.result import Figure, Result, run
from strongroom.evidence.anchor import Anchor, read_anchor
from strongroom.evidence.chain import BEFORE_ALL, hash_of, place_of
from strongroom.evidence.findings import Kind
from strongroom.evidence.signature import PublicKey
from strongroom.evidence.verify import verify

Lines = list[bytes]
Files = list[Lines]
FORGED = b'{"time":"2030-03-17T17:46:40.000000000Z","type":"request"}\n'


@dataclass
class Vault:
    """A vault that records into ``folder``, with what an operator keeps elsewhere."""

    folder: Path
    token: str = ""
    unseal_key: str = ""
    lab: Lab = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(mode=0o700)
        self.lab = Lab(self.folder)
        self.token, self.unseal_key = self.lab.initialize()
        self.lab.node.submit_unseal_share(self.unseal_key)

    def work(self, requests: int) -> None:
        """So many requests, and the signature that the next second would bring."""
        for _ in range(requests):
            self.lab.must("GET", "auth/token/lookup-self", None, self.token)

    def rotate(self, name: str) -> None:
        """As logrotate does."""
        (self.folder / "audit.log").rename(self.folder / name)
        self.lab.node.broker.reopen()

    def crash(self) -> None:
        """The process is killed, and another one goes on."""
        before = self.lab
        store = before.node.lifecycle.surroundings.store
        store.close()
        self.lab = Lab(self.folder)
        self.lab.node.submit_unseal_share(self.unseal_key)

    def told(self, path: str) -> dict[str, object]:
        """The data of an answer."""
        return dict(self.lab.must("GET", path, None, self.token)["data"])


@dataclass(frozen=True)
class Log:
    """The files of the log with their lines, the oldest first, and what proves them."""

    files: Files
    key: PublicKey
    anchor: Anchor
    foreign: Lines


def prepare(folder: Path) -> Log:
    """A log of three files."""
    vault = Vault(folder / "one")
    vault.work(8)
    vault.rotate("audit.log.1")
    vault.work(4)
    vault.crash()
    vault.work(4)
    vault.rotate("audit.log.2")
    vault.work(8)
    key, anchor = PublicKey.read(str(vault.told("sys/audit-key")["public_key"])), vault.told("sys/audit-anchor")
    vault.lab.close()
    other = Vault(folder / "other")
    other.work(4)
    other.lab.close()
    names = ("audit.log.1", "audit.log.2", "audit.log")
    files = [(vault.folder / name).read_bytes().splitlines(keepends=True) for name in names]
    foreign = (other.folder / "audit.log").read_bytes().splitlines(keepends=True)
    return Log(files, key, read_anchor(json.dumps(anchor)), foreign)


Change = Callable[[Files, random.Random, Log], Files]


def _place(files: Files, chance: random.Random) -> tuple[int, int]:
    number = chance.randrange(len(files))
    # What comes after the anchor, the last lines of the last file, has the stop's signature and nothing that outlives it.
    last = len(files[number]) - (6 if number == len(files) - 1 else 1)
    return number, chance.randrange(max(1, last))


def _with(files: Files, number: int, lines: Lines) -> Files:
    return [*files[:number], lines, *files[number + 1 :]]


def edit(files: Files, chance: random.Random, _: Log) -> Files:
    """A character of a line."""
    number, at = _place(files, chance)
    line = bytearray(files[number][at])
    place = chance.randrange(len(line) - 1)
    line[place] = line[place] ^ 1 if line[place] ^ 1 not in b'\n"\\' else line[place] ^ 2
    return _with(files, number, [*files[number][:at], bytes(line), *files[number][at + 1 :]])


def hash_anew(files: Files, chance: random.Random, _: Log) -> Files:
    """A character of a line of the first file, and every hash of its chain made anew, over all files."""
    at = chance.randrange(1, len(files[0]) - 1)
    first = place_of(files[0][at].rstrip())
    digest, changed = BEFORE_ALL, []
    for number, lines in enumerate(files):
        made = []
        for row, line in enumerate(lines):
            text = line.rstrip()
            if (number, row) == (0, at):
                text = text.replace(b'{"time":"2', b'{"time":"1', 1)
            place = place_of(text)
            if place is not None and first is not None and place.id == first.id:
                digest = hash_of(digest, text, place)
                text = text.replace(place.hash.hex().encode(), digest.hex().encode())
            made.append(text + b"\n")
        changed.append(made)
    return changed


def insert(files: Files, chance: random.Random, _: Log) -> Files:
    """A line of somebody's making."""
    number, at = _place(files, chance)
    return _with(files, number, [*files[number][:at], FORGED, *files[number][at:]])


def delete(files: Files, chance: random.Random, _: Log) -> Files:
    """A line."""
    number, at = _place(files, chance)
    return _with(files, number, [*files[number][:at], *files[number][at + 1 :]])


def double(files: Files, chance: random.Random, _: Log) -> Files:
    """A line stands a second time, further down."""
    number, at = _place(files, chance)
    lines = list(files[number])
    lines.insert(chance.randrange(at + 1, len(lines) + 1), lines[at])
    return _with(files, number, lines)


def move(files: Files, chance: random.Random, _: Log) -> Files:
    """A line stands elsewhere in its file."""
    number, at = _place(files, chance)
    lines = list(files[number])
    line = lines.pop(at)
    lines.insert(chance.choice([place for place in range(len(lines) - 1) if place != at]), line)
    return _with(files, number, lines)


def sign_anew(files: Files, chance: random.Random, _: Log) -> Files:
    """A signature with another character in it, and the hash of its line made to fit."""
    signed = [
        (number, at) for number, lines in enumerate(files) for at, line in enumerate(lines) if b'"signature":"' in line
    ]
    number, at = chance.choice(signed)
    text = files[number][at].rstrip()
    where = text.index(b'"signature":"') + len(b'"signature":"') + chance.randrange(80)
    text = text[:where] + (b"A" if text[where : where + 1] != b"A" else b"B") + text[where + 1 :]
    return _with(files, number, [*files[number][:at], text + b"\n", *files[number][at + 1 :]])


def cut_head(files: Files, chance: random.Random, _: Log) -> Files:
    """The beginning of a file."""
    number = chance.randrange(len(files))
    return _with(files, number, files[number][chance.randrange(1, len(files[number]) // 2) :])


def cut_tail(files: Files, chance: random.Random, _: Log) -> Files:
    """The end of a file, past the anchor in the last one."""
    number = chance.randrange(len(files))
    return _with(files, number, files[number][: -chance.randrange(8 if number == len(files) - 1 else 1, 12)])


def lose_file(files: Files, _chance: random.Random, _: Log) -> Files:
    """The middle file."""
    return [files[0], files[2]]


def exchange_files(files: Files, chance: random.Random, _: Log) -> Files:
    """Two files have each other's names."""
    one, other = chance.sample(range(len(files)), 2)
    changed = list(files)
    changed[one], changed[other] = files[other], files[one]
    return changed


def graft(files: Files, chance: random.Random, log: Log) -> Files:
    """Lines of another vault's log, from their beginning on or from their middle."""
    number, at = _place(files, chance)
    first = chance.choice((0, 3))
    return _with(files, number, [*files[number][:at], *log.foreign[first:], *files[number][at:]])


_ENDS = frozenset({Kind.HEAD_TRUNCATED, Kind.TAIL_TRUNCATED})
CLASSES: dict[str, tuple[Change, frozenset[Kind]]] = {
    "edited": (
        edit,
        _ENDS | {Kind.EDITED, Kind.INSERTED, Kind.BAD_SIGNATURE, Kind.FOREIGN_CHAIN, Kind.DELETED, Kind.SWAPPED_FILES},
    ),
    "hashed anew": (hash_anew, frozenset({Kind.BAD_SIGNATURE, Kind.EDITED})),
    "inserted": (insert, frozenset({Kind.INSERTED})),
    "deleted": (delete, _ENDS | {Kind.DELETED}),
    "doubled": (double, frozenset({Kind.DUPLICATED})),
    "moved": (move, _ENDS | {Kind.REORDERED, Kind.FOREIGN_CHAIN, Kind.SWAPPED_FILES}),
    "signature edited": (sign_anew, frozenset({Kind.BAD_SIGNATURE, Kind.EDITED})),
    "head cut": (cut_head, frozenset({Kind.HEAD_TRUNCATED})),
    "tail cut": (cut_tail, frozenset({Kind.TAIL_TRUNCATED})),
    "file missing": (lose_file, frozenset({Kind.MISSING_FILE, Kind.TAIL_TRUNCATED})),
    "files exchanged": (exchange_files, frozenset({Kind.SWAPPED_FILES})),
    "foreign chain": (graft, frozenset({Kind.FOREIGN_CHAIN})),
}


def prove(arguments: argparse.Namespace) -> Result:
    """Every class, at many places."""
    chance = random.Random(arguments.seed)
    tried = missed = misnamed = 0
    findings: list[str] = []
    told: set[Kind] = set()
    with tempfile.TemporaryDirectory(prefix="log-") as scratch:
        log = prepare(Path(scratch))
        paths = [Path(scratch) / f"{number}.log" for number in range(len(log.files))]

        def kinds_in(files: Files) -> tuple[str, list[Kind]]:
            for path, lines in zip(paths, files, strict=False):
                path.write_bytes(b"".join(lines))
            report = verify(paths[: len(files)], key=log.key, anchor=log.anchor)
            return report.verdict, [finding.kind for finding in report.findings]

        if kinds_in(log.files) != ("intact", []):
            findings.append(f"the log that nobody touched is told as {kinds_in(log.files)}")
        for name, (change, expected) in CLASSES.items():
            for _ in range(arguments.places):
                changed = change(log.files, chance, log)
                if changed == log.files:
                    continue
                tried += 1
                verdict, kinds = kinds_in(changed)
                told.update(kinds)
                if verdict != "broken":
                    missed += 1
                    findings.append(f"{name}: {verdict}")
                elif not expected & set(kinds):
                    misnamed += 1
                    findings.append(f"{name}: told as {sorted(kind.value for kind in set(kinds))}")
    figures: dict[str, Figure] = {
        "n": tried,
        "classes": len(CLASSES),
        "not_noticed": missed,
        "told_as_another_class": misnamed,
        "classes_told": len(told),
    }
    return Result("R-21 audit tampering", figures, ("not_noticed", "told_as_another_class"), {}, findings)


if __name__ == "__main__":
    run(prove, places=40)
