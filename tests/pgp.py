"""People with PGP keys: made by the library, and by the real gpg where there is one."""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pysequoia import Cert, Tsk, decrypt
from pysequoia.packet import PacketPile, Tag

needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed (apt-get install gnupg)")


class Person:
    """Somebody with a new key, which never expires unless asked otherwise."""

    def __init__(self, name: str, validity_seconds: int | None = None) -> None:
        self._key = Tsk.generate(f"{name} <{name}@example.com>", validity_seconds=validity_seconds)

    @property
    def cert(self) -> Cert:
        return self._key.extract_certificate()

    @property
    def fingerprint(self) -> str:
        return self.cert.fingerprint

    @property
    def public(self) -> str:
        """The public key as the API takes it."""
        return text_of(bytes(self.cert))

    @property
    def private(self) -> bytes:
        return bytes(self._key)

    def read(self, message: bytes) -> bytes:
        """What is in a message to this person."""
        content = decrypt(message, decryptor=self._key.decryptor()).bytes
        assert content is not None
        return content

    def revoked(self) -> str:
        """The public key after its owner revoked it."""
        return text_of(bytes(self.cert) + bytes(self.cert.revoke(self._key.certifier())))

    def for_signing_alone(self) -> str:
        """The public key without its subkeys for encryption."""
        kept, is_kept = [], True
        packets = list(PacketPile.from_bytes(bytes(self.cert)))
        for at, packet in enumerate(packets):
            if packet.tag == Tag.PublicSubkey:
                flags = packets[at + 1].key_flags
                is_kept = flags is not None and not flags.transport_encryption
            if is_kept:
                kept.append(packet)
        return text_of(bytes(Cert.from_packets(kept)))


def text_of(content: bytes) -> str:
    """As the API takes it."""
    return base64.b64encode(content).decode()


class Gpg:
    """The real gpg with a keyring of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        command = ["gpg", "--homedir", str(self.folder), "--batch", "--quiet", "--pinentry-mode", "loopback"]
        done = subprocess.run(
            [*command, "--passphrase", "", *arguments], input=given, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def new_key(self, name: str, algorithm: str = "future-default", validity: str = "never") -> Path:
        """A new key; answers the file with its armored public part."""
        self.run("--quick-gen-key", f"{name}@example.com", algorithm, "default", validity)
        file = self.folder / f"{name}.asc"
        file.write_bytes(self.run("--armor", "--export", f"{name}@example.com"))
        return file

    def read(self, message: str) -> str:
        """What is in a message, which is base64."""
        return self.run("--decrypt", given=base64.b64decode(message)).decode()


@contextmanager
def gpg_keyring() -> Iterator[Gpg]:
    """An empty keyring, whose agent ends with it."""
    # Not in pytest's folder: the agent's socket must have a short name.
    with tempfile.TemporaryDirectory(prefix="gpg-") as folder:
        try:
            yield Gpg(Path(folder))
        finally:
            subprocess.run(["gpgconf", "--homedir", folder, "--kill", "all"], check=False, capture_output=True)
