"""OpenPGP (RFC 9580) as far as the vault needs it: a public key of somebody, and what is encrypted to it.

Owns the reading of a certificate and the decision whether it may be used. Refuses private keys, whole keyrings, and certificates that are
revoked, expired, or cannot encrypt. Asks no directory and no network. The library is loaded with the first key, and says nothing to clients
by itself: its texts quote what it read.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import NANOSECONDS

if TYPE_CHECKING:
    from pysequoia import Cert
    from pysequoia.packet import Packet

TEXT_MOST = 256 * 1024
"""So many characters of base64 one key may have."""
_KEYBASE = "keybase:"
_T = TypeVar("_T")


class Recipient:
    """Somebody's certificate that can be encrypted to. ``fingerprint`` is that of its primary key, in small hexadecimal digits."""

    __slots__ = ("_cert", "fingerprint")

    def __init__(self, cert: Cert) -> None:
        self._cert = cert
        self.fingerprint: str = cert.fingerprint

    def encrypt(self, content: bytes) -> bytes:
        """``content`` as a binary OpenPGP message that only the owner of the key can read. Two calls never give the same bytes."""
        from pysequoia import encrypt

        return encrypt(content, recipients=[self._cert], armor=False)


def read_recipients(texts: Sequence[str], now_ns: int) -> tuple[Recipient, ...]:
    """The certificates in ``texts``, in their order, each base64 of its binary or armored form.

    Raises InvalidRequest, which says which one cannot be used at ``now_ns`` (ns since the epoch), and why.
    """
    return tuple(_read(text, number, len(texts), now_ns) for number, text in enumerate(texts, 1))


def read_recipient(text: str, now_ns: int) -> Recipient:
    """The same for a single one."""
    return _read(text, 1, 1, now_ns)


def _read(text: str, number: int, count: int, now_ns: int) -> Recipient:
    who = "the PGP key" if count == 1 else f"PGP key {number} of {count}"
    if text.startswith(_KEYBASE):
        raise InvalidRequest(
            f"{who} is the name of a Keybase user, whom this server does not ask for: export the key and send it as base64"
        )
    if len(text) > TEXT_MOST:
        raise InvalidRequest(
            f"{who} is larger than {TEXT_MOST // 1024} KiB; export it with gpg --export-options export-minimal"
        )
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest(f"{who} is not base64; send the output of gpg --export as base64") from None
    cert, is_private = _attempt(
        lambda: _parsed(content),
        f"{who} is not one OpenPGP certificate; send the output of gpg --export for one key as base64",
    )
    if is_private:
        raise InvalidRequest(f"{who} is a private key, which must not leave its owner: send the public one")
    now = dt.datetime.fromtimestamp(now_ns / NANOSECONDS, dt.UTC)
    unusable = f"{who} cannot encrypt: it has no encryption key that may be used"
    usable = _attempt(lambda: _usable(cert, who, now), unusable)
    recipient = Recipient(usable)
    # What cannot be done must be known before anything was changed.
    _attempt(lambda: recipient.encrypt(b""), unusable)
    return recipient


def _parsed(content: bytes) -> tuple[Cert, bool]:
    """The certificate, and whether it came with private keys, of which it keeps nothing."""
    from pysequoia import Cert
    from pysequoia.packet import PacketPile, Tag

    secret = (Tag.SecretKey, Tag.SecretSubkey)
    return Cert.from_bytes(content), any(packet.tag in secret for packet in PacketPile.from_bytes(content))


def _usable(cert: Cert, who: str, now: dt.datetime) -> Cert:
    """The certificate without the subkeys that are over, for the library would encrypt to them all the same."""
    from pysequoia import Cert
    from pysequoia.packet import PacketPile

    sections = _sections(PacketPile.from_bytes(bytes(cert)))
    if cert.is_revoked:
        raise InvalidRequest(f"{who} is revoked; send the key that took its place")
    if cert.expiration is not None and cert.expiration <= now:
        raise InvalidRequest(f"{who} is expired; renew it or send another one")
    living = [section for section in sections[1:] if not _is_over(section, now)]
    if len(living) < len(sections) - 1 and not any(_encrypts(section) for section in living):
        raise InvalidRequest(f"{who} has no encryption key that is not expired; renew it or send another one")
    kept = [packet for section in (sections[0], *living) for packet in section]
    return Cert.from_packets(kept)


def _sections(packets: Iterable[Packet]) -> list[list[Packet]]:
    """The primary key with what belongs to it, and each subkey with its signatures."""
    from pysequoia.packet import Tag

    keys = (Tag.PublicKey, Tag.SecretKey, Tag.PublicSubkey, Tag.SecretSubkey)
    sections: list[list[Packet]] = []
    for packet in packets:
        if packet.tag in keys or not sections:
            sections.append([])
        sections[-1].append(packet)
    return sections


def _binding(section: list[Packet]) -> Packet | None:
    """The newest signature that binds a subkey."""
    from pysequoia.packet import SignatureType

    bindings = [packet for packet in section[1:] if packet.signature_type == SignatureType.SubkeyBinding]
    never = dt.datetime.fromtimestamp(0, dt.UTC)
    return max(bindings, key=lambda packet: packet.signature_created or never, default=None)


def _is_over(section: list[Packet], now: dt.datetime) -> bool:
    binding, created = _binding(section), section[0].key_created
    if binding is None or binding.key_validity_period is None or created is None:
        return False
    return created + binding.key_validity_period <= now


def _encrypts(section: list[Packet]) -> bool:
    binding = _binding(section)
    flags = binding.key_flags if binding is not None else None
    return flags is not None and (flags.transport_encryption or flags.storage_encryption)


def _attempt(work: Callable[[], _T], complaint: str) -> _T:
    """What ``work`` gives. Whatever the library raises means that the key is of no use; its texts and traces stay here."""
    try:
        return work()
    except (KeyboardInterrupt, SystemExit, InvalidRequest):
        raise
    except BaseException:  # noqa: BLE001 -- a panic of the library is no Exception
        raise InvalidRequest(complaint) from None
