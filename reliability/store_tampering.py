"""R-20: whoever has the disk and no key changes the store of a vault at rest. ``python -m reliability.store_tampering``.

Every class of change, on every kind of row that it can be done to: edited, exchanged, copied, replayed, deleted, put back, foreign; the rows that hold
the keys; and the store as a whole, set back before its anchor or its audit log, or sent another way. Each must be noticed twice: by
``operator verify``, without a server, and by the vault itself, at the unseal or in the inspection that follows it; and told as what it is.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from reliability.lab import Lab, copy_vault
from reliability.result import Figure, Result, run
from strongroom.barrier.tampering import Tampering
from strongroom.core.inspector import Inspector
from strongroom.logical.errors import LogicalError
from strongroom.physical.store import Unavailable
from strongroom.server import verify

Row = tuple[int, bytes]
Rows = dict[str, Row]
Change = Callable[[Rows, "Traces"], Rows]
_MORE = 'integrity_anchor = "{folder}/anchor"\n'
_CONFIGURATION = """
storage "sqlite" {{ path = "{folder}/data" }}
listener "tcp" {{ tls_disable = true }}
audit "file" "main" {{ options {{ file_path = "{folder}/audit.log" }} }}
integrity_anchor = "{folder}/anchor"
"""
ANY_KEYS = frozenset({Tampering.KEYRING_EDITED, Tampering.COUNTER_SET_BACK, Tampering.SEAL_EDITED})


@dataclass
class Traces:
    """What an attacker may have: the rows as they were at two moments before."""

    first: Rows = field(default_factory=dict)
    """Before the last changes."""
    shares: Rows = field(default_factory=dict)
    """Before the term was rotated."""


@dataclass(frozen=True)
class Class:
    """A class of tampering: how it is done, and what it must be told as (one of ``told``)."""

    name: str
    change: Change
    told: frozenset[Tampering]


def prepare(folder: Path) -> tuple[str, Traces]:
    """A vault in ``folder``, its unseal key, and what was seen of it before."""
    folder.mkdir(mode=0o700)
    traces = Traces()
    lab = Lab(folder, more=_MORE)
    token, unseal_key = lab.initialize()
    lab.node.submit_unseal_share(unseal_key)
    for mount in ("kv", "other"):
        lab.must("POST", f"sys/mounts/{mount}", {"type": "kv"}, token)
    for mount in ("kv", "other"):
        for name in "abc":
            lab.must("POST", f"{mount}/{name}", {"value": f"{mount} {name}"}, token)
    lab.must("POST", "kv/gone", {"value": "gone"}, token)
    traces.shares = read(folder)
    lab.must("POST", "sys/rotate", {}, token)
    traces.first = read(folder)
    lab.must("POST", "kv/a", {"value": "newer"}, token)
    lab.must("DELETE", "kv/gone", None, token)
    lab.close()
    return unseal_key, traces


def read(folder: Path) -> Rows:
    """Every row, as somebody reads them who has the disk."""
    connection = apsw.Connection(str(folder / "data" / "strongroom.db"))
    try:
        return {
            key: (version, value)
            for key, version, value in connection.execute("SELECT key, version, value FROM records")
        }
    finally:
        connection.close()


def write(folder: Path, rows: Rows) -> None:
    """The same the other way round."""
    connection = apsw.Connection(str(folder / "data" / "strongroom.db"))
    try:
        with connection:
            connection.execute("DELETE FROM records")
            for key, (version, value) in rows.items():
                connection.execute("INSERT INTO records (key, version, value) VALUES (?, ?, ?)", (key, version, value))
    finally:
        connection.close()


def place_of(rows: Rows, name: str, nth: int = 0) -> str:
    """The key of the secret ``name`` of the first or second mount."""
    return sorted(key for key in rows if _is_secret(key, name))[nth]


def _is_secret(key: str, name: str) -> bool:
    return key.startswith("root/logical/") and key.endswith(f"/{name}")


def edited(key: Callable[[Rows], str], at: int) -> Change:
    """A bit of the row's value flipped."""

    def change(rows: Rows, _: Traces) -> Rows:
        version, value = rows[key(rows)]
        flipped = bytearray(value)
        flipped[at] ^= 1
        return {**rows, key(rows): (version, bytes(flipped))}

    return change


def renumbered(key: Callable[[Rows], str]) -> Change:
    """The row's version changed."""
    return lambda rows, _: {**rows, key(rows): (rows[key(rows)][0] + 1, rows[key(rows)][1])}


def without(key: Callable[[Rows], str]) -> Change:
    """The row deleted."""
    return lambda rows, _: {name: row for name, row in rows.items() if name != key(rows)}


def older(key: Callable[[Rows], str], moment: str = "first") -> Change:
    """The row as it was before."""
    return lambda rows, traces: {**rows, key(rows): getattr(traces, moment)[key(rows)]}


def exchanged(one: Callable[[Rows], str], other: Callable[[Rows], str], *, versions: bool) -> Change:
    """Two rows in each other's place, with their versions or without."""

    def change(rows: Rows, _: Traces) -> Rows:
        first, second = rows[one(rows)], rows[other(rows)]
        if not versions:
            first, second = (second[0], first[1]), (first[0], second[1])
        return {**rows, one(rows): second, other(rows): first}

    return change


def secret(name: str, nth: int = 0) -> Callable[[Rows], str]:
    """Where a secret lies."""
    return lambda rows: place_of(rows, name, nth)


def fixed(key: str) -> Callable[[Rows], str]:
    """A row whose key everybody knows."""
    return lambda _: key


def replayed(rows: Rows, traces: Traces) -> Rows:
    """The secret that was written again is as it was."""
    key = next(key for key, row in traces.first.items() if _is_secret(key, "a") and rows[key] != row)
    return {**rows, key: traces.first[key]}


def put_back(rows: Rows, traces: Traces) -> Rows:
    """A row that was deleted in good order is there again."""
    key = place_of(traces.first, "gone")
    return {**rows, key: traces.first[key]}


def classes() -> Iterator[Class]:
    """All of them."""

    def one(name: str, change: Change, *told: Tampering) -> Class:
        return Class(name, change, frozenset(told))

    a, b, other = secret("a"), secret("b"), secret("a", 1)
    for at in (0, 20, -1):
        yield one(f"record edited at byte {at}", edited(a, at), Tampering.EDITED)
    yield one("record renumbered", renumbered(a), Tampering.EDITED)
    for second, name in ((b, "in one mount"), (other, "between mounts")):
        for versions in (True, False):
            yield one(
                f"records exchanged {name}, versions {versions}",
                exchanged(a, second, versions=versions),
                Tampering.MOVED,
            )
    yield one("record copied over another", lambda rows, _: {**rows, other(rows): rows[a(rows)]}, Tampering.MOVED)
    yield one("record replayed", replayed, Tampering.REPLAYED)
    yield one("record deleted", without(a), Tampering.DELETED)
    yield one("deleted record put back", put_back, Tampering.INSERTED)
    yield one(
        "foreign record",
        lambda rows, _: {**rows, "root/zzz/new": (7, b"\x01" + bytes(60))},
        Tampering.INSERTED,
        Tampering.EDITED,
    )
    yield one(
        "all secrets deleted",
        lambda rows, _: {k: r for k, r in rows.items() if not k.startswith("root/logical/")},
        Tampering.DELETED,
        Tampering.UNLOCATED,
    )
    root = fixed("barrier/root")
    yield one("root record missing", without(root), Tampering.ROOT_MISSING)
    yield one("root record edited", edited(root, -1), Tampering.ROOT_EDITED)
    yield one("root record renumbered", renumbered(root), Tampering.ROOT_EDITED)
    yield one("root record replayed", older(root), Tampering.ROOT_REPLAYED, Tampering.ROLLED_BACK)
    keyring, counter = fixed("barrier/keyring/0"), fixed("barrier/counter/0")
    yield one("keyring missing", without(keyring), Tampering.KEYRING_EDITED)
    yield one("keyring edited", edited(keyring, -1), Tampering.KEYRING_EDITED)
    yield one("keyring replayed", older(keyring, "shares"), Tampering.KEYRING_EDITED)
    yield one("counter missing", without(counter), Tampering.COUNTER_SET_BACK)
    yield one("counter edited", edited(counter, -1), Tampering.COUNTER_SET_BACK)
    for row in ("seal/config", "seal/root-key"):
        yield one(f"{row} missing", without(fixed(row)), Tampering.SEAL_EDITED)
        yield one(f"{row} edited", edited(fixed(row), -2), *ANY_KEYS)
    yield one("whole store set back", lambda _, traces: traces.first, Tampering.ROLLED_BACK)


@dataclass
class Judge:
    """Tries one class after the other on copies of one vault."""

    base: Path
    unseal_key: str
    traces: Traces
    tried: int = 0
    missed: int = 0
    misnamed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def judge(self, one: Class, folder: Path, keep: frozenset[str]) -> None:
        """Offline and online; of anchor and audit log only ``keep`` is there."""
        for look in (self._offline, self._online):
            copy_vault(self.base, folder)
            for name in {"anchor", "audit.log"} - keep:
                (folder / name).unlink()
            write(folder, one.change(read(folder), self.traces))
            told, is_noticed = look(folder)
            self.tried += 1
            where = (
                f"{one.name}, {look.__name__.strip('_')}, with {' and '.join(sorted(keep)) or 'neither anchor nor log'}"
            )
            if not is_noticed:
                self.missed += 1
                self.findings.append(f"{where}: not noticed")
            elif not told & one.told and told:
                self.misnamed += 1
                self.findings.append(f"{where}: told as {sorted(kind.value for kind in told)}")
            self.kinds.update(kind.value for kind in told)

    def _offline(self, folder: Path) -> tuple[frozenset[Tampering], bool]:
        config = folder / "server.hcl"
        config.write_text(_CONFIGURATION.format(folder=folder), "utf-8")
        report = verify.run([str(config)], lambda _number, _of: self.unseal_key)
        told = frozenset(finding.kind for finding in report.findings) - {Tampering.ANCHOR_MISSING}
        return told, bool(told) or bool(report.doubts)

    def _online(self, folder: Path) -> tuple[frozenset[Tampering], bool]:
        try:
            lab = Lab(folder, more=_MORE)
        except Unavailable:
            # A server does not even start on rows of the seal that cannot be read.
            return frozenset(), True
        try:
            try:
                lab.node.submit_unseal_share(self.unseal_key)
            except LogicalError:
                return self._told(lab), lab.node.unsealed is None
            Inspector(lab.node, lab.failures.append).round(lambda _seconds: False)
            told = self._told(lab)
            return told, bool(told) or lab.node.unsealed is None
        finally:
            lab.close()

    @staticmethod
    def _told(lab: Lab) -> frozenset[Tampering]:
        return frozenset(finding.kind for finding in lab.node.integrity.findings) - {Tampering.ANCHOR_MISSING}


def prove(arguments: argparse.Namespace) -> Result:
    """Every class; a store that is set back as a whole needs the anchor or the log to be noticed, so with each of them alone, too."""
    del arguments
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="tamper-", dir=memory if os.access(memory, os.W_OK) else None) as scratch:
        base = Path(scratch) / "base"
        judge = Judge(base, *prepare(base))
        untouched = Class("untouched", lambda rows, _: rows, frozenset())
        for look in (judge._offline, judge._online):  # noqa: SLF001 -- its own
            copy_vault(base, Path(scratch) / "run")
            told, is_noticed = look(Path(scratch) / "run")
            if told or is_noticed:
                judge.findings.append(f"{untouched.name}: told as {sorted(kind.value for kind in told)}")
        both, count = frozenset({"anchor", "audit.log"}), 0
        for one in classes():
            count += 1
            whole = one.name.startswith("whole")
            for keep in (frozenset({"anchor"}), frozenset({"audit.log"})) if whole else (both, frozenset[str]()):
                judge.judge(one, Path(scratch) / "run", keep)
    figures: dict[str, Figure] = {
        "n": judge.tried,
        "classes": count,
        "not_noticed": judge.missed,
        "told_as_another_class": judge.misnamed,
        "classes_told": len(judge.kinds),
    }
    return Result("R-20 store tampering", figures, ("not_noticed", "told_as_another_class"), {}, judge.findings)


if __name__ == "__main__":
    run(prove)
