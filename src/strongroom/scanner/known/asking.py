"""Asks a server which values are ours: prefixes first, then half of the digest of what may be one, for which the server must show the other half.

What either side learns of the other stands in docs/adr/0019-known-values-by-prefix.md.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

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
    holder_from_json,
    identifier,
    rising,
    to_text,
    whole,
)
from strongroom.scanner.known.values import CannotAsk, Recognition

_PATIENCE = 20_000
_BLOCK = 64
"""Bytes that SHA-256 takes in at once."""
_REMEMBERED = 50_000
_PREFIXES = 1 << (8 * PREFIX_BYTES)
# A server that says "perhaps" to more than it can mean would be shown more of what is scanned than it needs.
_PLAUSIBLE_SHARE = 4
_ALWAYS_PLAUSIBLE = 256


class Transport(Protocol):
    """The way to a server, and back."""

    def send(self, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to message `name`. Raises CannotAsk."""
        ...

    def forked(self) -> None:
        """This process is a copy: do not use the connection of the one that it was copied from."""
        ...


class _Expired(Exception):
    """The server knows this scan no more."""


class ServerValues:
    """The values that a server knows. Opens a scan there as soon as it is made. Raises CannotAsk."""

    patience = _PATIENCE
    heads: frozenset[bytes] | None = None

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.looked = 0
        """Prefixes that the server was shown."""
        self.shown = 0
        """First halves that it was shown."""
        with _agreed():
            self._open()

    def ask(self, digests: Sequence[bytes]) -> Mapping[bytes, Recognition]:
        """Those of `digests` that the server proves to know. Raises CannotAsk."""
        with _agreed():
            try:
                return self._asked(digests)
            except _Expired:
                self._open()
            try:
                return self._asked(digests)
            except _Expired:
                raise CannotAsk("The server ended the question about known values as soon as it had begun") from None

    def forked(self) -> None:
        """Open a connection of this process's own."""
        self._transport.forked()

    def _open(self) -> None:
        answer = self._send("open", {"version": VERSION, "forms": FORMS_VERSION})
        check_version(answer)
        whole(answer, "forms", FORMS_VERSION, FORMS_VERSION)
        whole(answer, "prefix_bytes", PREFIX_BYTES, PREFIX_BYTES)
        self._scan = identifier(answer)
        keys = from_text(answer, "key", KEY_BYTES, 1)
        if not keys:
            raise BadMessage("key is empty")
        self._key = keys[0]
        self._looked_at = bytearray(_PREFIXES // 8)
        self._perhaps = bytearray(_PREFIXES // 8)
        self._answers: dict[bytes, Recognition | None] = {}

    def _asked(self, digests: Sequence[bytes]) -> dict[bytes, Recognition]:
        of = keyed_with(self._key)
        keyed = {of(digest): digest for digest in digests}
        self._look({one[:PREFIX_BYTES] for one in keyed})
        perhaps = set(_within({one[:PREFIX_BYTES] for one in keyed}, self._perhaps))
        candidates = [one for one in keyed if one[:PREFIX_BYTES] in perhaps] if perhaps else []
        self._prove(sorted(one for one in candidates if one not in self._answers))
        answers = ((keyed[one], self._answers[one]) for one in candidates)
        found = {digest: answer for digest, answer in answers if answer is not None}
        if len(self._answers) > _REMEMBERED:
            self._answers.clear()
        return found

    def _look(self, prefixes: set[bytes]) -> None:
        """Ask which prefixes are those of known values, as far as that was not asked before."""
        new = sorted(prefixes.difference(_within(prefixes, self._looked_at)))
        found_in_all = 0
        for batch in _batches(new, MOST_PREFIXES):
            answer = self._send("look", {"version": VERSION, "scan": self._scan, "prefixes": to_text(batch)})
            self._check(answer, len(batch))
            found = rising(from_text(answer, "found", PREFIX_BYTES, len(batch)), "found")
            if not set(batch).issuperset(found):
                raise BadMessage("found holds what was not asked")
            found_in_all += len(found)
            if found_in_all > len(new) // _PLAUSIBLE_SHARE + _ALWAYS_PLAUSIBLE:
                raise CannotAsk("The server asks to see more of what is scanned than it can need: nothing was shown")
            for prefix in batch:
                _set_bit(self._looked_at, prefix)
            for prefix in found:
                _set_bit(self._perhaps, prefix)
        self.looked += len(new)

    def _prove(self, candidates: list[bytes]) -> None:
        for batch in _batches(candidates, MOST_DIGESTS):
            halves = to_text(one[:HALF_BYTES] for one in batch)
            answer = self._send("prove", {"version": VERSION, "scan": self._scan, "digests": halves})
            self._check(answer, len(batch))
            proved = _proved(answer, batch)
            self._answers.update({one: proved.get(one) for one in batch})
            self.shown += len(batch)

    def _check(self, answer: Mapping[str, Any], asked: int) -> None:
        check_version(answer)
        if answer.get("expired") is True:
            raise _Expired
        whole(answer, "looked", asked, asked)

    def _send(self, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self._transport.send(name, body)
        if not isinstance(answer, Mapping):
            raise BadMessage("the answer must be an object")
        return answer


def _proved(answer: Mapping[str, Any], batch: Sequence[bytes]) -> dict[bytes, Recognition]:
    known = answer.get("known")
    if not isinstance(known, list) or len(known) > len(batch):
        raise BadMessage("known must be a list, no longer than what was asked")
    found: dict[bytes, Recognition] = {}
    for one in known:
        if not isinstance(one, dict):
            raise BadMessage("known must hold objects")
        asked = batch[whole(one, "at", 0, len(batch) - 1)]
        proof = from_text(one, "proof", HALF_BYTES, 1)
        if len(proof) != 1 or not hmac.compare_digest(proof[0], asked[HALF_BYTES:]):
            raise BadMessage("the server says that it knows a value, and does not")
        holders = one.get("holders")
        if not isinstance(holders, list) or len(holders) > MOST_HOLDERS or asked in found:
            raise BadMessage("holders must be a list, and each value is named once")
        found[asked] = Recognition(tuple(holder_from_json(holder) for holder in holders))
    return found


@contextmanager
def _agreed() -> Iterator[None]:
    """What a server says and ought not to, as the end of the question."""
    try:
        yield
    except BadMessage as error:
        raise CannotAsk(f"The server's answer about known values is not as agreed: {error}") from None


def _batches(items: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def keyed_with(key: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA-256 with `key` (RFC 2104). What the key makes of the hash is made once, for there are hundreds of thousands of short messages."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def of(message: bytes) -> bytes:
        within, around = inner.copy(), outer.copy()
        within.update(message)
        around.update(within.digest())
        return around.digest()

    return of


def _within(prefixes: set[bytes], bits: bytearray) -> list[bytes]:
    """Those of `prefixes` whose bits are set."""
    of = int.from_bytes
    return [prefix for prefix in prefixes if bits[(number := of(prefix, "big")) >> 3] & (1 << (number & 7))]


def _set_bit(bits: bytearray, prefix: bytes) -> None:
    number = int.from_bytes(prefix, "big")
    bits[number >> 3] |= 1 << (number & 7)
