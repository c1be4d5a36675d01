"""The trail of one device: the chain that its lines form, and the checkpoints in it.

A trail belongs to the thread of its device. A chain ends where the device failed, because nobody knows what it kept of the last
batch; the next one begins with a checkpoint that names the last line which is known to be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from strongroom.audit.devices import Rereads
from strongroom.audit.enabled import Enabled
from strongroom.audit.text import Stamp
from strongroom.evidence.chain import Chain, Head, last_head
from strongroom.evidence.checkpoint import Checkpoint, Reason, Stored, last_generation, open_ends
from strongroom.evidence.signature import SigningKey
from strongroom.logical.ambient import Clock, Entropy

LINES_MAX = 4096
"""After so many lines a checkpoint is written at the latest."""
SECONDS_MAX = 0.25
"""After so many seconds with an unsigned line in them, too."""
_CHAIN_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint that a device kept: what the vault remembers, and what an anchor holds."""

    head: Head
    generation: int
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What checkpoints need of the unsealed vault: who it is, its key, what it remembers of each device, the store's counter.

    ``root`` gives what shall stand in each checkpoint for the state of the store, in types that JSON has; None is nothing.
    """

    vault: str
    key: SigningKey
    stored: Mapping[str, Sequence[Kept]]
    root: Callable[[], Any] = lambda: None


class Source:
    """What all devices share. ``evidence`` is set while the vault is unsealed, and None else; ``deadline_seconds`` is how long a device
    may take for anything.
    """

    __slots__ = ("clock", "deadline_seconds", "entropy", "evidence")

    def __init__(self, clock: Clock, entropy: Entropy, deadline_seconds: float) -> None:
        self.clock = clock
        self.entropy = entropy
        self.deadline_seconds = deadline_seconds
        self.evidence: Evidence | None = None


class Trail:
    """Turns records into the lines of one device. Not safe to use from several threads."""

    def __init__(self, enabled: Enabled, source: Source) -> None:
        self._name = enabled.name
        self._prefix = enabled.prefix.encode()
        self._device = enabled.device
        self._source = source
        self._clock = source.clock
        self._stamp = Stamp(source.clock)
        self._chain: Chain | None = None
        self._acknowledged: Head | None = None
        """The last line that the device is known to have kept."""
        self._previous: Head | None = None
        self._beside: tuple[Head, ...] = ()
        """Ends of other chains that stood on the device when the present one began."""
        self._has_begun = False
        self._generation = 0
        self._unsigned = 0
        self._signed_at = source.clock.monotonic()
        self._evidence: Evidence | None = None
        self._stored: tuple[Stored, ...] = ()
        self._stored_generation = 0
        self.is_tampered = False
        """Whether the device lacked, at unseal, a line that the vault remembers."""
        self.missed = 0
        self.last_kept: Kept | None = None
        """The last checkpoint that is known to be kept."""
        self._promised: Kept | None = None

    @property
    def is_due(self) -> bool:
        """Whether lines wait for a signature for long enough, and somebody is there to sign."""
        return (
            self._evidence is not None
            and self._unsigned > 0
            and (self._unsigned >= LINES_MAX or self._clock.monotonic() - self._signed_at >= SECONDS_MAX)
        )

    def lines(self, records: Sequence[bytes], *reasons: Reason) -> bytes:
        """``records`` as lines, with a checkpoint after them for each of ``reasons``, and others where it is time for one.

        What it answers must be written, and then :meth:`kept` or :meth:`lost` be called.
        """
        is_new = self._source.evidence is not self._evidence and self._look_at_evidence()
        chain = self._chain or self._begin()
        content = b""
        if not chain.sequence:
            content = self._checkpoint(chain, Reason.RESUME if self._acknowledged else Reason.START)
        elif is_new:
            content = self._checkpoint(chain, Reason.UNSEAL)
        if records:
            prefix = self._prefix
            content += chain.link([prefix + record for record in records] if prefix else records)
            self._unsigned += len(records)
        for reason in reasons:
            content += self._checkpoint(chain, reason)
        if self.is_due:
            content += self._checkpoint(chain, Reason.INTERVAL)
        return content

    def kept(self) -> None:
        """What was made since the last call is kept."""
        if self._chain is not None:
            self._acknowledged = self._chain.head
        if self._promised is not None:
            self.last_kept, self._promised = self._promised, None
            self._stored = ()

    def lost(self, lines: int) -> None:
        """It may be kept, in whole or in part, or not: the chain ends here."""
        self.missed += lines
        self._chain = None
        self._promised = None

    def reopened(self) -> None:
        """The device writes to another file from now on."""
        self._generation += 1

    def _look_at_evidence(self) -> bool:
        """The vault was sealed or unsealed: sign no more, or sign from now on. Whether it was unsealed."""
        evidence = self._evidence = self._source.evidence
        if evidence is None:
            return False
        remembered = evidence.stored.get(self._name, ())
        self._stored = tuple(Stored(kept.head, kept.reason, self._still_has(kept.head)) for kept in remembered)
        self._stored_generation = max((kept.generation for kept in remembered), default=0)
        self.is_tampered = not all(stored.is_found for stored in self._stored)
        return True

    def _begin(self) -> Chain:
        content = self._tail()
        if self._acknowledged is not None:
            self._previous = self._acknowledged
        else:
            self._previous = last_head(content)
            self._generation = last_generation(content)
        self._beside = tuple(head for head in open_ends(content) if head != self._previous)
        chain = self._chain = Chain(self._source.entropy.bytes(_CHAIN_ID_BYTES).hex())
        return chain

    def _checkpoint(self, chain: Chain, reason: Reason) -> bytes:
        evidence = self._evidence
        key = evidence.key if evidence else None
        if self._generation == 0 and evidence is not None:
            self._generation = self._stored_generation + 1
        checkpoint = Checkpoint(
            time=self._stamp.now(),
            device=self._name,
            reason=reason,
            generation=self._generation,
            covers=chain.head,
            previous=self._previous,
            beside=() if chain.sequence else self._beside,
            stored=self._stored if key else (),
            missed=self.missed,
            root=evidence.root() if evidence else None,
            vault=evidence.vault if evidence else "",
            key_id=key.id if key else "",
        )
        line = chain.link([self._prefix + checkpoint.record(key.sign if key else None)])
        if key is not None:
            self._unsigned = 0
            self._signed_at = self._clock.monotonic()
            self._promised = Kept(chain.head, self._generation, reason.value)
        return line

    def _still_has(self, head: Head) -> bool:
        """Whether the line is among the last ones of the device. A device that cannot be read is believed."""
        if not isinstance(self._device, Rereads):
            return True
        content = self._tail()
        return b'"sequence":%d,"hash":"%b"' % (head.sequence, head.hash.encode()) in content

    def _tail(self) -> bytes:
        return self._device.tail() if isinstance(self._device, Rereads) else b""
