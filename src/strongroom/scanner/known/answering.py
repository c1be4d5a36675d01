"""The answering side: what a server does with the three messages. It knows digests of forms and who holds them, and no HTTP.

A scan key is drawn anew for each period of time and never was the key of the vault's fingerprints. Digests under it are all that is compared, so neither
what arrives nor what leaves means anything once the period is over.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from strongroom.logical.ambient import Clock, Entropy
from strongroom.scanner.known.forms import FORMS_VERSION
from strongroom.scanner.known.messages import (
    HALF_BYTES,
    KEY_BYTES,
    MOST_DIGESTS,
    MOST_HOLDERS,
    MOST_PREFIXES,
    PREFIX_BYTES,
    VERSION,
    BadMessage,
    check_version,
    from_text,
    holder_to_json,
    identifier,
    rising,
    to_text,
    whole,
)
from strongroom.scanner.known.values import Holder

SCAN_SECONDS = 3600
"""How long a scan may go on asking."""
PREFIXES_PER_SCAN = 8_000_000
DIGESTS_PER_SCAN = 500_000
SCANS = 256
"""Scans at once. Who opens more ends the oldest."""

MaySee = Callable[[Holder], bool]
"""Whether whoever asks may know that a secret holds a value."""


@dataclass(slots=True)
class _Period:
    """A scan key, and all that is known under it."""

    key: bytes
    ends: float
    holders: dict[bytes, tuple[bytes, tuple[Holder, ...]]]
    prefixes: frozenset[bytes]

    def __repr__(self) -> str:
        return f"<_Period of {len(self.holders)} values>"


@dataclass(slots=True)
class _Scan:
    caller: str
    period: _Period
    prefixes_left: int = field(default=PREFIXES_PER_SCAN)
    digests_left: int = field(default=DIGESTS_PER_SCAN)


class Answerer:
    """Answers questions about known values. `load` gives the digest of each form, and who holds it; it is called once in a period."""

    def __init__(self, load: Callable[[], Mapping[bytes, tuple[Holder, ...]]], clock: Clock, entropy: Entropy) -> None:
        self._load = load
        self._clock = clock
        self._entropy = entropy
        self._period: _Period | None = None
        self._scans: dict[str, _Scan] = {}

    def answer(self, name: str, message: Mapping[str, Any], caller: str, may_see: MaySee) -> dict[str, Any]:
        """The answer to a message from `caller`, who alone may go on with a scan that he opened. Raises BadMessage."""
        check_version(message)
        if name == "open":
            return self._open(message, caller)
        scan = self._scans.get(identifier(message))
        if scan is None or scan.caller != caller or self._clock.monotonic() >= scan.period.ends:
            return {"version": VERSION, "expired": True}
        if name == "look":
            return self._look(message, scan)
        if name == "prove":
            return self._prove(message, scan, may_see)
        raise BadMessage("the message must be open, look or prove")

    def _open(self, message: Mapping[str, Any], caller: str) -> dict[str, Any]:
        whole(message, "forms", FORMS_VERSION, FORMS_VERSION)
        now = self._clock.monotonic()
        if self._period is None or now >= self._period.ends - SCAN_SECONDS / 2:
            self._period = self._new_period(now)
        self._scans = {name: scan for name, scan in self._scans.items() if now < scan.period.ends}
        while len(self._scans) >= SCANS:
            del self._scans[next(iter(self._scans))]
        name = self._entropy.bytes(16).hex()
        self._scans[name] = _Scan(caller, self._period)
        return {
            "version": VERSION,
            "forms": FORMS_VERSION,
            "scan": name,
            "key": to_text([self._period.key]),
            "prefix_bytes": PREFIX_BYTES,
        }

    def _new_period(self, now: float) -> _Period:
        key = self._entropy.bytes(KEY_BYTES)
        keyed = ((hmac.digest(key, digest, "sha256"), holders) for digest, holders in self._load().items())
        known = {one[:HALF_BYTES]: (one[HALF_BYTES:], holders) for one, holders in keyed}
        return _Period(key, now + SCAN_SECONDS, known, frozenset(half[:PREFIX_BYTES] for half in known))

    def _look(self, message: Mapping[str, Any], scan: _Scan) -> dict[str, Any]:
        asked = rising(from_text(message, "prefixes", PREFIX_BYTES, MOST_PREFIXES), "prefixes")
        scan.prefixes_left -= len(asked)
        if scan.prefixes_left < 0:
            raise BadMessage("too many prefixes in one scan")
        found = [prefix for prefix in asked if prefix in scan.period.prefixes]
        return {"version": VERSION, "looked": len(asked), "found": to_text(found)}

    def _prove(self, message: Mapping[str, Any], scan: _Scan, may_see: MaySee) -> dict[str, Any]:
        asked = rising(from_text(message, "digests", HALF_BYTES, MOST_DIGESTS), "digests")
        scan.digests_left -= len(asked)
        if scan.digests_left < 0:
            raise BadMessage("too many digests in one scan")
        known = []
        for at, half in enumerate(asked):
            found = scan.period.holders.get(half)
            if found is not None:
                seen = [holder_to_json(holder) for holder in found[1] if may_see(holder)][:MOST_HOLDERS]
                known.append({"at": at, "proof": to_text([found[0]]), "holders": seen})
        return {"version": VERSION, "looked": len(asked), "known": known}
