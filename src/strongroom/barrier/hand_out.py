"""Key shares on their way out: as themselves, or each for the eyes of one keeper only."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from strongroom.crypto import aead
from strongroom.crypto.openpgp import Recipient
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.secret import Secret


@dataclass(frozen=True, slots=True)
class HandedOut:
    """The only copies of some shares, in their order. With ``fingerprints``, one for each, they are OpenPGP messages to these keys.

    A message holds the share in hexadecimal digits, as Vault's do.
    """

    shares: tuple[Secret[bytearray], ...] = field(default=(), repr=False)
    fingerprints: tuple[str, ...] = ()

    def wipe(self) -> None:
        """Overwrite our copies, once they are in the answer."""
        aead.wipe(*(share.reveal() for share in self.shares))


def hand_out(shares: Sequence[bytearray], recipients: Sequence[Recipient] = ()) -> HandedOut:
    """``shares`` as they leave the vault. Those that leave encrypted are wiped here; the others are the caller's no more."""
    if not recipients:
        return HandedOut(tuple(Secret(share) for share in shares))
    try:
        sealed = [
            bytearray(recipient.encrypt(binascii.hexlify(share)))
            for share, recipient in zip(shares, recipients, strict=True)
        ]
    finally:
        aead.wipe(*shares)
    return HandedOut(
        tuple(Secret(message) for message in sealed), tuple(recipient.fingerprint for recipient in recipients)
    )


def check_recipients(keys: Sequence[str], shares: int, complaint: str) -> None:
    """Raise InvalidRequest with ``complaint`` unless there is no key at all, or one for each share."""
    if keys and len(keys) != shares:
        raise InvalidRequest(f"{complaint}: {len(keys)} PGP keys for {shares} shares; give one for each share")
