"""One transaction: a snapshot of the store, and on top of it what was put and deleted but not committed yet.

The commit is optimistic. Each key that was *read by name* (``get``, ``version``) must still be what it was, or the commit raises
Conflict and nothing happens. What ``children`` and ``scan`` list comes from the same snapshot but is not checked again at the
commit: who decides by a listing must also read a key that every writer of that folder changes. A write without a read is never
in conflict; the last one wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import NamedTuple, Self

from strongroom.barrier.listing import list_children, scan_keys
from strongroom.barrier.memory import ROW_BYTES, Seen
from strongroom.barrier.record import TENANT
from strongroom.barrier.view import View
from strongroom.physical.store import Record, Snapshot

TENANT_PREFIX = f"{TENANT}/"
_Writes = dict[str, bytes | None]
_FEW = 32
"""So many changes are looked through faster than they are put in order."""


class _Layer:
    """The uncommitted changes of one transaction of a stack, and the reads that they rest on."""

    __slots__ = ("_folders", "_in_folders", "pending_versions", "reads", "writes")

    def __init__(self) -> None:
        self.writes: dict[str, bytes | None] = {}
        self.reads: dict[str, int | None] = {}
        self.pending_versions: dict[str, int] = {}
        # The keys of ``writes`` by each folder above them, made when it is asked for; and how many of the keys are in there.
        self._folders: dict[str, list[str]] = {}
        self._in_folders = 0

    def forget(self) -> None:
        self.drop_writes()
        self.reads.clear()

    def drop_writes(self) -> None:
        self.writes.clear()
        self.pending_versions.clear()
        self._folders.clear()
        self._in_folders = 0

    def changed_below(self, prefix: str) -> Sequence[str]:
        """The changed keys that begin with ``prefix``.

        Costs what is new since it was asked last, and what is found: whoever revokes ten thousand tokens asks for each of them.
        """
        writes = self.writes
        if len(writes) <= _FEW or not prefix.endswith("/"):
            return [key for key in writes if key.startswith(prefix)]
        # A key that is changed again keeps its place, so what is new stands at the end.
        for key in islice(reversed(writes), len(writes) - self._in_folders):
            end = key.find("/") + 1
            while end:
                self._folders.setdefault(key[:end], []).append(key)
                end = key.find("/", end) + 1
        self._in_folders = len(writes)
        return self._folders.get(prefix, ())

    def absorb(self, upper: _Layer) -> None:
        """Take over what the layer on top changed, if anything."""
        if not upper.writes:
            return
        if self.pending_versions:
            for key in upper.writes:
                self.pending_versions.pop(key, None)
        self.writes.update(upper.writes)
        self.reads.update(upper.reads)
        self.pending_versions.update(upper.pending_versions)


class Mark(NamedTuple):
    """The changes of a transaction at one moment."""

    writes: Mapping[str, bytes | None]
    pending_versions: Mapping[str, int]


class Footprint(NamedTuple):
    """What a transaction would write, and which versions it rests on."""

    writes: Mapping[str, bytes | None]
    reads: Mapping[str, int | None]


class _Stack:
    """What all transactions of a stack share: what is known of the state that they see, since the requests of one batch share tokens,
    mounts and often secrets; and whether anybody looked at what the lowest one would write.
    """

    __slots__ = ("found", "has_leaned", "opened", "seen")

    def __init__(self, seen: Seen) -> None:
        self.has_leaned = False
        self.seen = seen
        self.found = seen.found
        self.opened: dict[str, tuple[int, bytes]] = {}
        """Of what lies in the store, that which was opened: its version and its plaintext."""


class Transaction:
    """A ``logical.storage.Storage`` over the whole barrier. For one thread at a time; finished by commit or close.

    ``begin_nested`` puts another one on top, which sees everything below it and whose changes fall away unless merged.
    """

    __slots__ = (
        "_ground",
        "_layer",
        "_layers",
        "_number_pending",
        "_open",
        "_reads",
        "_snapshot",
        "_stack",
        "_writes_of_layers",
    )

    def __init__(
        self,
        snapshot: Snapshot,
        opener: Callable[[str, Record], bytes],
        number_pending: Callable[[], int],
        below: tuple[_Layer, ...] = (),
        writes_below: tuple[_Writes, ...] = (),
        stack: _Stack | None = None,
        seen: Seen | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._open = opener
        self._number_pending = number_pending
        self._layer = layer = _Layer()
        self._layers = (layer, *below)
        self._stack = stack or _Stack(seen or Seen())
        # These are looked at in every read, so they are found without a detour.
        self._reads = layer.reads
        self._writes_of_layers = (layer.writes, *writes_below)
        self._ground = self._writes_of_layers[-1]

    def get(self, key: str) -> bytes | None:
        """The value at ``key``, or None. Raises Damaged where the stored bytes are not what was written there."""
        for writes in self._writes_of_layers:
            if key in writes:
                if writes is self._ground:
                    self._stack.has_leaned = True
                return writes[key]
        opened = self._stack.opened
        seen = opened.get(key)
        if seen is None:
            record = self._find(key)
            if record is None:
                self._reads[key] = None
                return None
            seen = opened[key] = (record.version, self._open(key, record))
        self._reads[key] = seen[0]
        return seen[1]

    def version(self, key: str) -> int | None:
        """A number that stands for this writing of ``key`` and no other, ever; None where nothing is there.

        Cheaper than ``get``: caches of decoded values compare it. Negative for what is not committed yet; a cache
        that outlives the barrier must not keep those. Counts as a read.
        """
        for writes in self._writes_of_layers:
            if key in writes:
                return self._version_of_write(key)
        found = self._stack.found
        record = found[key] if key in found else self._find(key)
        version = self._reads[key] = None if record is None else record[0]
        return version

    def stored(self, key: str) -> Record | None:
        """What lies in the store at ``key``, unopened. Does not count as a read."""
        return self._find(key)

    def put(self, key: str, value: bytes) -> None:
        """Set ``key`` to ``value``, which is copied unless it is immutable."""
        if not key or key[-1] == "/":
            raise ValueError("a storage key may be neither empty nor end in '/'")
        layer = self._layer
        layer.writes[key] = value if type(value) is bytes else bytes(value)
        if layer.pending_versions:
            layer.pending_versions.pop(key, None)

    def delete(self, key: str) -> None:
        """Remove ``key``; nothing happens if it is not there."""
        layer = self._layer
        layer.writes[key] = None
        if layer.pending_versions:
            layer.pending_versions.pop(key, None)

    def children(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """The names directly below ``prefix``, in order; a folder, which ends in ``/``, costs one look whatever it holds."""
        return list_children(self._stored_keys, self._overlay(prefix), prefix, after, limit)

    def scan(self, prefix: str, after: str = "") -> Iterator[str]:
        """Every key that starts with ``prefix`` and is greater than ``after``, in order, as things are at the call."""
        return scan_keys(self._stored_keys, self._overlay(prefix), prefix, after)

    def stored_beside(self, keys: Sequence[str], size: int, limit: int) -> list[str] | None:
        """The keys that share their first ``size`` characters, which end in a slash, with one of ``keys``, before what was changed here.

        None where there are more than ``limit``. For hints: it counts as no read. Which of ``keys`` are not there is known from then on, so
        that reading them costs no look of its own.
        """
        end, known = size - 1, self._stack.found
        found = self._snapshot.keys_in([TENANT_PREFIX + key[:end] for key in keys], limit)
        if found is None:
            return None
        if found:  # which is rare
            found = [one[len(TENANT_PREFIX) :] for one in found]
        for key in keys:
            if key not in found:
                known[key] = None
        self._stack.seen.size += ROW_BYTES * len(keys)
        return found

    def view(self, prefix: str) -> View:
        """The part of the barrier below ``prefix`` (which ends in ``/``)."""
        return View(self, prefix)

    @property
    def has_changes(self) -> bool:
        """Whether a commit would write anything."""
        return bool(self._layer.writes)

    @property
    def is_nested(self) -> bool:
        """Whether this one was begun on top of another."""
        return len(self._layers) > 1

    def begin_nested(self) -> Transaction:
        """A transaction on top of this one. Leave this one alone until it was merged or dropped."""
        return Transaction(
            self._snapshot, self._open, self._number_pending, self._layers, self._writes_of_layers, self._stack
        )

    def mark(self) -> Mark | None:
        """The changes until now, to go back to; None where there are none."""
        writes = self._layer.writes
        return Mark(dict(writes), dict(self._layer.pending_versions)) if writes else None

    def go_back(self, mark: Mark | None) -> None:
        """Drop what was changed since ``mark``. What was read since stays read."""
        self._layer.drop_writes()
        if mark is not None:
            self._layer.writes.update(mark.writes)
            self._layer.pending_versions.update(mark.pending_versions)

    def merge(self) -> None:
        """Give the changes to the transaction below, with the reads that they rest on. This one is then empty.

        Without changes nothing is given, so that those who only read are never the reason of a conflict.
        """
        if not self.is_nested:
            raise ValueError("only a nested transaction can be merged; commit this one")
        self._layers[1].absorb(self._layer)
        self._layer.forget()

    def take_leaning(self) -> bool:
        """Whether anybody has looked at what the lowest transaction of the stack would write since this was asked last."""
        has_leaned, self._stack.has_leaned = self._stack.has_leaned, False
        return has_leaned

    def footprint(self) -> Footprint:
        """What would be written and what it rests on, as it is now."""
        return Footprint(dict(self._layer.writes), dict(self._reads))

    def holds(self, footprint: Footprint) -> bool:
        """Whether what another transaction rests on is in the store as it was."""
        for key, version in footprint.reads.items():
            record = self._find(key)
            if version != (None if record is None else record.version):
                return False
        return True

    def adopt(self, footprint: Footprint) -> None:
        """Write what another transaction would have written, if what it rests on still holds at the commit."""
        self._layer.writes.update(footprint.writes)
        self._reads.update(footprint.reads)

    def changes(self) -> Mapping[str, bytes | None]:
        """What would be written: values by key, None where the key is deleted. For the barrier's commit."""
        return self._layer.writes

    def expectations(self) -> dict[str, int | None]:
        """The versions that were read, by key of the store. For the barrier's commit."""
        return {TENANT_PREFIX + key: version for key, version in self._reads.items()}

    def close(self) -> None:
        """Drop the changes and, unless nested, the snapshot. Closing twice is fine."""
        self._layer.forget()
        if not self.is_nested:
            self._snapshot.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _find(self, key: str) -> Record | None:
        stack = self._stack
        try:
            return stack.found[key]
        except KeyError:
            record = stack.found[key] = self._snapshot.get(TENANT_PREFIX + key)
            stack.seen.size += ROW_BYTES if record is None else ROW_BYTES + len(record.value)
            return record

    def _version_of_write(self, key: str) -> int | None:
        layer = next(layer for layer in self._layers if key in layer.writes)
        if layer.writes is self._ground:
            self._stack.has_leaned = True
        if layer.writes[key] is None:
            return None
        version = layer.pending_versions.get(key)
        if version is None:
            version = layer.pending_versions[key] = self._number_pending()
        return version

    def _overlay(self, prefix: str) -> Mapping[str, bytes | None]:
        """What is changed below ``prefix``."""
        if self._ground:
            self._stack.has_leaned = True
        return {key: layer.writes[key] for layer in reversed(self._layers) for key in layer.changed_below(prefix)}

    def _stored_keys(self, prefix: str, after: str, limit: int, start: str) -> list[str]:
        found = self._snapshot.keys(
            TENANT_PREFIX + prefix,
            TENANT_PREFIX + after if after else "",
            limit,
            start=TENANT_PREFIX + start if start else "",
        )
        return [key[len(TENANT_PREFIX) :] for key in found]
