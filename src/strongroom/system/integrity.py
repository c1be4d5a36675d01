"""Whether the store is what the vault left behind: what is compared at an unseal, what was found since, and what is done about it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from strongroom.barrier.anchor import AnchorFile, BadAnchor, anchor_of, compare
from strongroom.barrier.barrier import Barrier
from strongroom.barrier.store_root import Root
from strongroom.barrier.tampering import Finding, TamperedStore, Tampering
from strongroom.crypto.aead import Damaged
from strongroom.evidence.checkpoint import Checkpoint, read_checkpoint, statement_of
from strongroom.evidence.signature import PublicKey
from strongroom.logical.errors import Sealed
from strongroom.physical.store import StoreError

_MARK = b'"type":"checkpoint"'
_MINOR = frozenset({Tampering.ANCHOR_MISSING})
"""What is said but keeps nobody from opening the vault: a new anchor begins like this."""


class OnTamper(Enum):
    """What happens when the store is not what the vault left behind."""

    ALARM = "alarm"
    """Say so."""
    REFUSE = "refuse"
    """Say so, and do not open a store that was rolled back."""
    SEAL = "seal"
    """The same, and seal the vault when an inspection finds something."""


class State(Enum):
    """How far the inspection of the store is."""

    UNKNOWN = "unknown"
    RUNNING = "running"
    INTACT = "intact"
    TAMPERED = "tampered"


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the last inspection came to; times are nanoseconds since the epoch, 0 for not yet."""

    state: State = State.UNKNOWN
    records: int = 0
    counter: int = 0
    began_ns: int = 0
    ended_ns: int = 0


class Integrity:
    """The state of one server. Safe to use from several threads. ``on_alarm`` is told a sentence, without the place."""

    def __init__(self, on_tamper: OnTamper = OnTamper.REFUSE, anchor_path: str = "") -> None:
        self.on_tamper = on_tamper
        self.on_alarm: Callable[[str], None] = lambda _sentence: None
        self.count: Callable[[int], None] = lambda _findings: None
        """Told how many new findings there are, for the metrics."""
        self.anchor = AnchorFile(Path(anchor_path)) if anchor_path else None
        self.inspected = Inspected()
        self.anchored = 0
        """The counter that the anchor file holds as far as this process knows."""
        self._findings: dict[Finding, None] = {}
        self._lock = threading.Lock()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found since the last unseal, in order."""
        with self._lock:
            return tuple(self._findings)

    @property
    def is_tampered(self) -> bool:
        """Whether anything was found but that an anchor is missing, as it is before there was a first one."""
        return any(finding.kind not in _MINOR for finding in self.findings)

    def check(self, barrier: Barrier, key: PublicKey, tails: Mapping[str, bytes]) -> None:
        """Compare the store with its anchor, and with the last checkpoints in the ``tails`` of the audit log's devices.

        Raises TamperedStore where the vault must not be opened.
        """
        with self._lock:
            self._findings.clear()
        self.inspected = Inspected()
        root, tools = barrier.root(), barrier.witness.tools
        found = self.anchor.check(root, tools) if self.anchor is not None else []
        for name, content in tails.items():
            recorded = last_root(content, key)
            if recorded is not None:
                found += compare(root, tools, *recorded, f"audit device {name}")
        self.alarm(found)
        grave = tuple(finding for finding in found if finding.kind not in _MINOR)
        if grave and self.on_tamper is not OnTamper.ALARM:
            raise TamperedStore(grave)

    def alarm(self, findings: Iterable[Finding]) -> None:
        """Remember ``findings`` and tell of those that are new."""
        with self._lock:
            new = [finding for finding in findings if finding not in self._findings]
            self._findings.update(dict.fromkeys(new))
        if new:
            self.count(len(new))
        for sentence in dict.fromkeys(finding.sentence for finding in new):
            self.on_alarm(sentence)

    def move_anchor(self, barrier: Barrier, vault: str) -> None:
        """Bring the anchor file up to date. What cannot be written now is written the next time; a foreign file is an alarm."""
        if self.anchor is None:
            return
        try:
            root, tools = barrier.root(), barrier.witness.tools
            if root.counter > self.anchored:
                self.anchor.advance(anchor_of(root, tools, vault), tools)
                self.anchored = root.counter
        except BadAnchor:
            self.alarm([Finding(Tampering.ANCHOR_EDITED)])
        except Damaged:
            self.alarm([Finding(Tampering.ROOT_EDITED)])
        except OSError:
            self.alarm([Finding(Tampering.ANCHOR_MISSING, "", "it cannot be written")])
        except (Sealed, StoreError):
            return


def statement(barrier: Barrier | None) -> dict[str, Any] | None:
    """What an audit checkpoint says of the store: its counter and the proof of its state. None where nobody can tell."""
    if barrier is None:
        return None
    with contextlib.suppress(Sealed, Damaged, StoreError):
        root: Root = barrier.root()
        return {"counter": root.counter, "proof": barrier.witness.tools.proof(root)}
    return None


def holds_signed_checkpoint(content: bytes) -> bool:
    """Whether one of the lines in ``content`` was signed by a vault, whichever. What was signed is not looked at."""
    return any(checkpoint.signature for _, checkpoint in _checkpoints(content))


def last_root(content: bytes, key: PublicKey) -> tuple[int, str] | None:
    """The counter and proof in the last checkpoint among the lines in ``content`` that the vault signed."""
    for line, checkpoint in _checkpoints(content):
        if isinstance(checkpoint.root, dict) and key.is_signed(statement_of(line), checkpoint.signature):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                return int(checkpoint.root["counter"]), str(checkpoint.root["proof"])
    return None


def _checkpoints(content: bytes) -> Iterator[tuple[bytes, Checkpoint]]:
    """The lines in ``content`` that can be read as checkpoints, the last one first."""
    end = len(content)
    while (mark := content.rfind(_MARK, 0, end)) >= 0:
        end = content.rfind(b"\n", 0, mark) + 1
        line = content[end:].partition(b"\n")[0]
        if (checkpoint := read_checkpoint(line)) is not None:
            yield line, checkpoint
