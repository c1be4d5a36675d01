"""Keeps the root record in step with every change of the store: what the store calls in each of its transactions.

Nothing of the store's state is remembered from one call to the next but the highest counter seen, and that only to notice a store that
goes backwards: several processes share one store, and the truth is the row that is read inside of the transaction.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import NamedTuple

from strongroom.barrier.keyring import Keyring
from strongroom.barrier.set_hash import TOTAL_BYTES, Elements
from strongroom.barrier.store_root import ROOT_KEY, Pinner, Root, RootCipher, encode_pins, parse_pins
from strongroom.barrier.tampering import Finding, Tampering
from strongroom.barrier.transaction import TENANT_PREFIX
from strongroom.crypto import aead, kdf
from strongroom.crypto.aead import Damaged
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.errors import Sealed
from strongroom.physical.store import Change, Record, Unavailable

_ELEMENTS = b"strongroom store elements"
_PINS = b"strongroom store pins"
_ROOT = b"strongroom store root"
_PROOF = b"strongroom store proof"


class Tools(NamedTuple):
    """The keyed functions behind the root record. ``proof_key`` and the cipher's key are wiped by :meth:`wipe`."""

    elements: Elements
    pinner: Pinner
    cipher: RootCipher
    proof_key: bytearray

    @classmethod
    def of(cls, keyring: Keyring, entropy: Entropy) -> Tools:
        """Derived from the keyring's first term, which stays for ever: a new root key seals the keyring anew and changes nothing here."""
        first = keyring.terms[0].key
        element_key, pin_key = kdf.derive(first, _ELEMENTS), kdf.derive(first, _PINS)
        try:
            return cls(
                Elements(element_key),
                Pinner(pin_key),
                RootCipher(kdf.derive(first, _ROOT), entropy),
                kdf.derive(first, _PROOF),
            )
        finally:
            aead.wipe(element_key, pin_key)

    def proof(self, root: Root) -> str:
        """What stands for the state ``root`` outside of the store: 32 hexadecimal digits that tell nothing of it."""
        message = root.counter.to_bytes(8, "big") + root.total.to_bytes(TOTAL_BYTES, "big") + root.pins
        return hmac.digest(self.proof_key, message, "sha256")[:16].hex()

    def wipe(self) -> None:
        """Overwrite the keys."""
        self.cipher.wipe()
        aead.wipe(self.proof_key)


class StoreWitness:
    """``physical.store.Witness`` for the barrier. ``may_found`` lets it begin where there is no root record yet.

    It raises Sealed once :meth:`forget` was called, and Unavailable where the root record is not what this vault wrote; ``on_alarm``
    hears of that.
    """

    key = ROOT_KEY

    def __init__(self, tools: Tools, clock: Clock, *, may_found: bool = False) -> None:
        self._tools: Tools | None = tools
        self._clock = clock
        self._may_found = may_found
        self._highest = 0
        self.on_alarm: Callable[[Finding], None] = lambda _finding: None

    @property
    def tools(self) -> Tools:
        """The keyed functions. Raises Sealed."""
        tools = self._tools
        if tools is None:
            raise Sealed
        return tools

    def __call__(self, changes: Sequence[Change], found: Record | None) -> Record:
        """The root record after ``changes``."""
        tools = self.tools
        root = self._open(tools, found)
        count, pins = root.records, root.pins
        moved: list[tuple[str, int]] = []
        pinned: list[Change] = []
        for change in changes:
            key, before, after, _ = change
            if not key.startswith(TENANT_PREFIX):
                pinned.append(change)
                continue
            if before is not None:
                moved.append((key, before))
                count -= 1
            if after is not None:
                moved.append((key, after))
                count += 1
        total = tools.elements.fold(root.total, moved)
        if pinned:
            pins = _repinned(pins, pinned, tools.pinner)
        return tools.cipher.seal(Root(root.counter + 1, max(count, 0), self._clock.now_ns(), total, pins))

    def forget(self) -> None:
        """Overwrite the keys. Whoever is called from now on is refused."""
        tools, self._tools = self._tools, None
        if tools is not None:
            tools.wipe()

    def _open(self, tools: Tools, found: Record | None) -> Root:
        if found is None:
            if self._may_found:
                return Root(0, 0, 0, 0, b"")
            raise self._refusal(Tampering.ROOT_MISSING)
        try:
            root = tools.cipher.open(found)
        except Damaged:
            raise self._refusal(Tampering.ROOT_EDITED) from None
        if root.counter < self._highest:
            raise self._refusal(Tampering.ROLLED_BACK)
        self._highest = root.counter
        return root

    def _refusal(self, kind: Tampering) -> Unavailable:
        finding = Finding(kind, ROOT_KEY)
        self.on_alarm(finding)
        return Unavailable(f"{finding.sentence}; nothing is written any more")


def _repinned(pins: bytes, changes: Sequence[Change], pinner: Pinner) -> bytes:
    by_key = parse_pins(pins)
    for key, _, after, value in changes:
        if after is None or value is None:
            by_key.pop(key, None)
        else:
            by_key[key] = pinner.pin(key, after, value)
    return encode_pins(by_key)
