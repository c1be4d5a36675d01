"""Checkpoints: lines of the log in which the vault says, signed, how far it got and what stands before.

The signature covers the line from its first brace up to the member ``signature``; the hash in ``covers`` covers everything before.
So one signature vouches for every line of its chain up to there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from strongroom.evidence.chain import Head, place_of

_DOMAIN = b"strongroom audit checkpoint 1\n"
_OPENING = b'{"time":"'
_MARK = b'","type":"checkpoint","checkpoint":{'
_SIGNATURE = b',"signature":"'
_ENDS_MAX = 64

Sign = Callable[[bytes], str]


class Reason(Enum):
    """Why a checkpoint was written."""

    START = "start"
    """The first line of a chain: the server's process began to use the device."""
    RESUME = "resume"
    """The first line of a chain that goes on where a failure of the device had cut the one before."""
    INTERVAL = "interval"
    """Lines were waiting for a signature."""
    UNSEAL = "unseal"
    SEAL = "seal"
    ROTATE = "rotate"
    """The last line of a file: it is about to be let go of (SIGHUP)."""
    REOPENED = "reopened"
    """The first line of the file that was opened after that."""
    ENABLE = "enable"
    ANCHOR = "anchor"
    STOP = "stop"
    """The last line before the device was let go of in good order."""


class Stored(NamedTuple):
    """A checkpoint that the vault remembered behind its barrier when it was unsealed: why it was written, and whether the device
    still had it.
    """

    head: Head
    reason: str
    is_found: bool


BEGINNINGS = frozenset({Reason.START, Reason.RESUME})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a checkpoint says.

    ``covers`` is the last line before it in its own chain (number 0: none). ``previous`` is what the device held before the chain
    began, and ``beside`` are the ends of other chains there for which nobody had vouched: those of processes that were killed. ``stored`` is what the vault remembered of the device when it was unsealed; only the first signed checkpoint after that says
    so. ``missed`` counts lines that the device did not keep. ``root`` is the store's root counter. ``generation`` counts the files
    of the device; 0 is not known yet.
    """

    time: str
    device: str
    reason: Reason
    generation: int
    covers: Head
    previous: Head | None = None
    beside: tuple[Head, ...] = ()
    stored: tuple[Stored, ...] = ()
    missed: int = 0
    root: Any = None
    vault: str = ""
    key_id: str = ""
    signature: str = ""

    @property
    def is_beginning(self) -> bool:
        """Whether it is the first line of its chain."""
        return self.reason in BEGINNINGS

    def record(self, sign: Sign | None) -> bytes:
        """The line, without its place in the chain; signed where there is somebody to sign."""
        members: dict[str, Any] = {
            "device": self.device,
            "reason": self.reason.value,
            "generation": self.generation,
            "covers": _members(self.covers),
            "previous": _members(self.previous),
            "missed": self.missed,
        }
        if self.beside:
            members["beside"] = [head._asdict() for head in self.beside]
        if sign is not None:
            members |= {"vault": self.vault, "key_id": self.key_id, "root": self.root}
            members["stored"] = [
                {**one.head._asdict(), "reason": one.reason, "found": one.is_found} for one in self.stored
            ]
        body = {"time": self.time, "type": "checkpoint", "checkpoint": members}
        statement = json.dumps(body, separators=(",", ":")).encode()[:-1]
        if sign is None:
            return statement
        return b'%b%b%b"' % (statement, _SIGNATURE, sign(_DOMAIN + statement).encode())


def is_checkpoint(line: bytes) -> bool:
    """Whether ``line`` has the form of a checkpoint. Quick, because every line of a log is asked."""
    return line.find(_MARK, 0, 160) >= 0


def read_checkpoint(line: bytes) -> Checkpoint | None:
    """What the checkpoint in ``line`` says, or None where it cannot be read as one."""
    opening = line.find(_OPENING)
    try:
        document = json.loads(line[opening:])
        members = document["checkpoint"]
        return Checkpoint(
            time=str(document["time"]),
            device=str(members["device"]),
            reason=Reason(members["reason"]),
            generation=int(members["generation"]),
            covers=_head(members["covers"]),
            previous=_head(members["previous"]) if members["previous"] else None,
            beside=tuple(_head(one) for one in members.get("beside") or ()),
            stored=tuple(
                Stored(_head(one), str(one["reason"]), bool(one["found"])) for one in members.get("stored") or ()
            ),
            missed=int(members["missed"]),
            root=members.get("root"),
            vault=str(members.get("vault", "")),
            key_id=str(members.get("key_id", "")),
            signature=str(document.get("signature", "")),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def statement_of(line: bytes) -> bytes:
    """The bytes that the signature of the checkpoint in ``line`` is for."""
    opening = line.find(_OPENING)
    return _DOMAIN + line[opening : line.rfind(_SIGNATURE)]


def last_generation(content: bytes) -> int:
    """The file generation that the last checkpoint in ``content`` names; 0 where there is none."""
    mark = content.rfind(_MARK)
    if mark < 0:
        return 0
    start = content.rfind(b"\n", 0, mark) + 1
    checkpoint = read_checkpoint(content[start : content.find(b"\n", mark)])
    return checkpoint.generation if checkpoint else 0


def open_ends(content: bytes) -> tuple[Head, ...]:
    """The last lines of the chains in ``content`` for which no signature in it vouches and which no later chain names, the newest last.

    A server of several processes leaves more than one when all of them are killed. The very last line counts like the others.
    """
    ends: dict[str, Head] = {}
    for line in content.split(b"\n"):
        place = place_of(line)
        if place is None:
            continue
        ends.pop(place.id, None)
        checkpoint = read_checkpoint(line) if is_checkpoint(line) else None
        if checkpoint is None or not checkpoint.signature:
            ends[place.id] = place.head
        for named in (checkpoint.previous, *checkpoint.beside) if checkpoint is not None else ():
            if named is not None and ends.get(named.id) == named:
                del ends[named.id]
    return tuple(ends.values())[-_ENDS_MAX:]


def _members(head: Head | None) -> Mapping[str, Any] | None:
    return None if head is None else head._asdict()


def _head(members: Mapping[str, Any]) -> Head:
    return Head(str(members["id"]), int(members["sequence"]), str(members["hash"]))
