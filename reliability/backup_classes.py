"""R-19: damaged, foreign, newer and hostile backups. ``python -m reliability.backup_classes --flips 1500``.

Every class of damage is tried by restoring it, to an empty host and to one that holds a vault: whatever is not a good backup of the vault whose keys
are given must be refused before anything is touched.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from reliability.backup_lab import Origin, Parts, Target, replace_struct, with_frames, with_header
from reliability.result import Figure, Result, run
from strongroom.backup.form import Frame, Kind
from strongroom.physical.store import DATA_FORMAT, Record
from strongroom.server.restore import Wishes

Attempt = tuple[str, bytes]
"""The name of a class, and a file of it."""
_FRAME_HEAD, _LINK = 5, 32


def no_backups(scratch: Path) -> Iterator[Attempt]:
    """Files of other kinds."""
    database = scratch / "some.db"
    sqlite3.connect(database).execute("CREATE TABLE t (x)").connection.close()
    yield "not a backup", b""
    yield "not a backup", b"strongroom"
    yield "not a backup", b"# a text\n" * 100
    yield "not a backup", bytes(5000)
    yield "not a backup", random.Random(1).randbytes(100_000)
    yield "not a backup", database.read_bytes()
    yield "not a backup", b"strongroom backup 0\n" + bytes(100)
    yield "not a backup", b"strongroom backup one\n" + bytes(100)


def cut_off(good: bytes) -> Iterator[Attempt]:
    """The end is missing: at each boundary, around it, and inside of everything."""
    boundaries = [0]
    parts = Parts.of(good)
    opened = len(good) - sum(_FRAME_HEAD + len(frame.content) + _LINK for frame in parts.frames)
    boundaries += [18, 20, 24, opened]
    at = opened
    for frame in parts.frames:
        boundaries += [at + _FRAME_HEAD, at + _FRAME_HEAD + len(frame.content)]
        at += _FRAME_HEAD + len(frame.content) + _LINK
        boundaries.append(at)
    for boundary in boundaries:
        for length in {boundary - 1, boundary, boundary + 1, boundary + 100}:
            if 0 <= length < len(good):
                yield "truncated", good[:length]


def flipped(good: bytes, flips: int, chance: random.Random) -> Iterator[Attempt]:
    """One bit is another: in every byte of the beginning and the end, and anywhere else."""
    edges = [*range(600), *range(len(good) - 500, len(good))]
    places = edges[:: max(1, len(edges) // max(1, flips // 3))]
    places += [chance.randrange(len(good)) for _ in range(flips - len(places))]
    for place in places:
        content = bytearray(good)
        content[place] ^= 1 << chance.randrange(8)
        yield "flipped bit", bytes(content)


def rearranged(good: bytes) -> Iterator[Attempt]:
    """Chunks lost, doubled, exchanged or relabelled by somebody who makes the checksums fit."""
    parts = Parts.of(good)
    for at in range(len(parts.frames)):

        def double(frames: list[Frame], at: int = at) -> None:
            frames.insert(at, frames[at])

        yield "chunk lost", Parts(parts.header, parts.frames[:at] + parts.frames[at + 1 :]).joined()
        yield "chunk doubled", with_frames(parts, double).joined()
        for other in range(at):

            def exchange(frames: list[Frame], at: int = at, other: int = other) -> None:
                frames[at], frames[other] = frames[other], frames[at]

            yield "chunks exchanged", with_frames(parts, exchange).joined()

        def flip(frames: list[Frame], at: int = at) -> None:
            content = bytearray(frames[at].content)
            content[len(content) // 2] ^= 1
            frames[at] = frames[at]._replace(content=bytes(content))

        yield "chunk forged", with_frames(parts, flip).joined()
        for kind in set(Kind) - {parts.frames[at].kind}:

            def relabel(frames: list[Frame], at: int = at, kind: Kind = kind) -> None:
                frames[at] = frames[at]._replace(kind=kind)

            yield "chunk relabelled", with_frames(parts, relabel).joined()

    def end_early(frames: list[Frame]) -> None:
        frames[0] = frames[0]._replace(kind=Kind.LAST_CHUNK)
        del frames[1:-1]

    yield "end forged", with_frames(parts, end_early).joined()


def spliced(good: bytes, others: dict[str, bytes]) -> Iterator[Attempt]:
    """Parts of other backups in the place of its own."""
    parts = Parts.of(good)
    for name, other in others.items():
        theirs = Parts.of(other)
        for at in range(min(len(parts.frames), len(theirs.frames))):

            def splice(frames: list[Frame], at: int = at, theirs: Parts = theirs) -> None:
                frames[at] = theirs.frames[at]

            yield f"spliced from {name}", with_frames(parts, splice).joined()
        yield f"spliced from {name}", Parts(theirs.header, parts.frames).joined()
        yield f"spliced from {name}", Parts(parts.header, theirs.frames).joined()
        header = replace_struct(parts.header, salt=theirs.header.salt)
        yield f"spliced from {name}", Parts(header, theirs.frames).joined()
        yield f"spliced from {name}", Parts(header, parts.frames).joined()


def mislabelled(good: bytes) -> Iterator[Attempt]:
    """A header that says something else, with checksums that fit; and more than the backup in the file."""
    parts = Parts.of(good)
    header = parts.header
    for name, value in {
        "id": "0" * 32,
        "vault": "0" * 36,
        "time": "2031-01-01T00:00:00Z",
        "product": "9.9.9",
        "counter": header.counter + 1000,
        "proof": "0" * 32,
        "salt": bytes(32),
        "seal": type(header.seal)("shamir", 1, bytes(61)),
    }.items():
        yield "header forged", with_header(parts, **{name: value}).joined()
    yield "newer format", good.replace(b"strongroom backup 1\n", b"strongroom backup 2\n", 1)
    yield "newer format", good.replace(b"strongroom backup 1\n", b"strongroom backup 10\n", 1)
    yield "newer data", with_header(parts, data_format=DATA_FORMAT + 1).joined()
    yield "surplus", good + b"\0"
    yield "surplus", good + good


def hostile(origin: Origin, good: bytes, older: bytes) -> Iterator[Attempt]:
    """Made by somebody who has the vault's keys."""
    header, rows, before = Parts.of(good).header, origin.rows(good), dict(origin.rows(older))
    yield "newer data", origin.keyed(replace_struct(header, data_format=DATA_FORMAT + 1), rows)
    secrets = [at for at, (key, _) in enumerate(rows) if key.startswith("root/logical/")]
    for at in secrets[:3]:
        yield "record left out", origin.keyed(header, rows[:at] + rows[at + 1 :])
    replayed = [(key, before.get(key, record) if key.startswith("root/logical/") else record) for key, record in rows]
    yield "record replayed", origin.keyed(header, replayed)
    one, other = secrets[0], secrets[1]
    moved = list(rows)
    moved[one], moved[other] = (rows[one][0], rows[other][1]), (rows[other][0], rows[one][1])
    yield "records exchanged", origin.keyed(header, moved)
    yield "record inserted", origin.keyed(header, sorted([*rows, ("root/logical/x", rows[one][1])]))
    yield "row doubled", origin.keyed(header, [*rows[: one + 1], *rows[one:]])
    yield "rows out of order", origin.keyed(header, rows[::-1])
    for key in ("barrier/root", "barrier/keyring/0", "barrier/counter/0", "seal/config", "seal/root-key"):
        yield "row beside left out", origin.keyed(header, [row for row in rows if row[0] != key])
        edited = [
            (name, Record(record.version, record.value[:-1] + b"x") if name == key else record) for name, record in rows
        ]
        yield "row beside edited", origin.keyed(header, edited)
    yield "row beside inserted", origin.keyed(header, sorted([*rows, ("seal/more", Record(1, b"x"))]))
    yield "another state's header", origin.keyed(Parts.of(older).header, rows)
    for stream in (b"", b"\xff" * 50, b"\0\0\0\x01\xff" + bytes(12), b"\0\0\0\x01a" + b"\xff" * 12, b"\0\0\0\x01a\0\0"):
        yield "no rows", origin.keyed(header, stream)


@dataclass
class Judge:
    """Tries attempts and counts what came of them."""

    empty: Target
    full: Target
    unseal_key: str
    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def judge(self, name: str, content: bytes, unseal_key: str = "") -> None:
        """Try one file on both hosts; the vault that is there would be replaced if the file were good."""
        number = self.tried.total()
        self.tried[name] += 1
        target, wishes = (self.full, Wishes(force=True)) if number % 2 else (self.empty, Wishes())
        before = target.state()
        done = target.restore(content, unseal_key or self.unseal_key, wishes)
        if done.refusal and target.state() == before:
            self.refused[name] += 1
        else:
            self.findings.append(f"{name}: {'something was touched' if done.refusal else 'restored'}")


def attempts(scratch: Path, flips: int, chance: random.Random) -> Iterator[tuple[str, bytes, str, str]]:
    """Every file, with the key to try it with ("": that of the vault), and the key of the vault."""
    origin, stranger = Origin(scratch / "origin"), Origin(scratch / "stranger")
    older = origin.backup()
    for number in range(4):
        origin.must("POST", f"kv/s{number}", {"value": f"newer {number} " * 8000})
    good = origin.backup()
    again, strange = origin.backup(), stranger.backup()
    yield "", good, "", origin.unseal_key
    yield "wrong key", good, stranger.unseal_key, ""
    yield "wrong key", good, "00" * 32, ""
    yield "backup of another vault", strange, "", ""
    others = {"another backup": again, "an older backup": older, "another vault": strange}
    for source in (
        no_backups(scratch),
        cut_off(good),
        flipped(good, flips, chance),
        rearranged(good),
        spliced(good, others),
        mislabelled(good),
        hostile(origin, good, older),
        forbidden_devices(scratch),
    ):
        for name, content in source:
            yield name, content, "", ""
    origin.close()
    stranger.close()


def forbidden_devices(scratch: Path) -> Iterator[Attempt]:
    """A good backup of a vault whose audit file lies where the configuration of the new host allows none (INV-15)."""
    yield "audit path not allowed", (scratch / "forbidden.backup").read_bytes()


def prove(arguments: argparse.Namespace) -> Result:
    """Everything once."""
    chance = random.Random(arguments.seed)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="backups-", dir=memory if memory.is_dir() else None) as name:
        scratch = Path(name)
        more = 'unsafe_allow_api_audit_creation = true\naudit_paths_allowed = ["{folder}"]'
        lax = Origin(scratch / "lax", more, secrets=1)
        judge = Judge(Target(scratch / "empty"), Target(scratch / "full"), "")
        options = {"file_path": str(scratch / "lax" / "second.log")}
        lax.must("POST", "sys/audit/second", {"type": "file", "options": options})
        (scratch / "forbidden.backup").write_bytes(lax.backup())
        for kind, content, key, right_key in attempts(scratch, arguments.flips, chance):
            if not kind:
                judge.unseal_key = right_key
                if (done := judge.full.restore(content, right_key)).refusal:
                    judge.findings.append(f"the good backup was refused: {done.refusal}")
                continue
            judge.judge(kind, content, lax.unseal_key if kind == "audit path not allowed" else key)
        lax.close()
    classes = len(judge.tried)
    whole = sum(1 for kind, count in judge.tried.items() if judge.refused[kind] == count)
    figures: dict[str, Figure] = {
        "n": judge.tried.total(),
        "classes_refused_of_tried": f"{whole}/{classes}",
        "not_refused_or_touched": judge.tried.total() - judge.refused.total(),
    }
    return Result("R-19 backup classes", figures, ("not_refused_or_touched",), {}, judge.findings)


if __name__ == "__main__":
    run(prove, flips=1500)
