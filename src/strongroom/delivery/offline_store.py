# ruff: noqa: PTH103, PTH118, PTH123 -- names of files as the system has them
"""The last good answers, sealed on this machine, for times when the server does not answer.

Each copy is bound to the server, the token that read it, the path that was asked for and the version: under any other of these it
does not open. It is good for as long as whoever made it said, and no longer than whoever reads it says. What this protects
against, and what not, stands in ADR 0020.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from typing import NamedTuple

from strongroom.delivery.offline_cipher import KEY_BYTES, CannotSeal, NotTheCopy, seal, unsealed
from strongroom.delivery.private_file import CannotWrite, write_private
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.secret import Secret

_SECOND_NS = 1_000_000_000
_CLOCK_SLACK_NS = 300 * _SECOND_NS
_COPY_BYTES_MAX = 64 << 20
_MAGIC = b"SRO1"


class Asked(NamedTuple):
    """What was asked, of whom, and by whom. ``version`` is the one that was asked for, 0 for the newest."""

    server: str
    token: Secret[str]
    path: str
    version: int = 0


class Copy(NamedTuple):
    """An answer that was kept: ``values`` as JSON, and how old it is."""

    api_path: str
    values: Secret[str]
    version: int
    age_seconds: int

    def __repr__(self) -> str:
        return f"Copy({self.api_path}, version {self.version})"


class OfflineStore:
    """The copies in ``folder``. Raises CannotSeal where they cannot be kept or read."""

    def __init__(self, folder: str, clock: Clock, entropy: Entropy) -> None:
        self.folder = folder
        self._clock = clock
        self._entropy = entropy

    def keep(self, asked: Asked, api_path: str, values: Secret[str], version: int, ttl_seconds: int) -> None:
        """Keep an answer (``values`` as JSON) for ``ttl_seconds``, in place of the one before."""
        key = self._key(make=True)
        content = {
            "api_path": api_path,
            "values": values.reveal(),
            "stored_ns": self._clock.now_ns(),
            "ttl": ttl_seconds,
        }
        number = version.to_bytes(8, "big")
        sealed = seal(key, json.dumps(content).encode(), _about(key, asked, number), self._entropy)
        try:
            write_private(self._file(key, asked), _MAGIC + number + sealed)
        except CannotWrite as error:
            raise CannotSeal(f"the copy for times without the server was not kept: {error}") from None

    def find(self, asked: Asked, ttl_seconds: int) -> Copy | None:
        """The copy for exactly this question, if there is one that is young enough and undamaged."""
        try:
            key = self._key(make=False)
            with open(self._file(key, asked), "rb") as file:
                stored = file.read(_COPY_BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CannotSeal(f"the copy cannot be read: {(error.strerror or '').lower()}") from None
        number, sealed = stored[len(_MAGIC) : len(_MAGIC) + 8], stored[len(_MAGIC) + 8 :]
        try:
            content = json.loads(unsealed(key, sealed, _about(key, asked, number)))
        except NotTheCopy:
            raise CannotSeal("the copy was changed, or made for something else, and is not used") from None
        age_ns = self._clock.now_ns() - int(content["stored_ns"])
        if age_ns < -_CLOCK_SLACK_NS:
            raise CannotSeal("the copy is younger than now: the clock was set back, so nobody knows how old it is")
        age = max(0, age_ns // _SECOND_NS)
        if age > min(int(content["ttl"]), ttl_seconds):
            return None
        return Copy(str(content["api_path"]), Secret(str(content["values"])), int.from_bytes(number, "big"), age)

    def forget(self, asked: Asked) -> None:
        """Take the copy away, if there is one: the server has said that this may not be read, or is not there."""
        try:
            os.unlink(self._file(self._key(make=False), asked))  # noqa: PTH108 -- as above
        except OSError:
            return

    def _file(self, key: bytes, asked: Asked) -> str:
        # By the name nobody can tell of which secret it is a copy.
        name = hmac.digest(key, b"name\0" + _question(key, asked), "sha256").hex()
        return os.path.join(self.folder, f"{name}.copy")

    def _key(self, *, make: bool) -> bytes:
        path = os.path.join(self.folder, "key")
        if make:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            if not os.path.lexists(path):
                try:
                    write_private(path, self._entropy.bytes(KEY_BYTES), replace=False)
                except CannotWrite as error:
                    if not os.path.lexists(path):  # else another process was faster
                        raise CannotSeal(f"the key for copies cannot be kept: {error}") from None
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            key = file.read(KEY_BYTES + 1)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise CannotSeal(f"{path} must belong to you and be readable by nobody else: chmod 600 {path}")
        if len(key) != KEY_BYTES:
            raise CannotSeal(f"{path} is not a key; remove it with the copies beside it")
        return key


def _question(key: bytes, asked: Asked) -> bytes:
    identity = hmac.digest(key, b"identity\0" + asked.token.reveal().encode(), "sha256")
    parts = (
        asked.server.encode(),
        identity,
        asked.path.encode("utf-8", "surrogateescape"),
        str(asked.version).encode(),
    )
    # Each with its length, so that no two questions have one form.
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _about(key: bytes, asked: Asked, version: bytes) -> bytes:
    return hashlib.sha256(_MAGIC + version + _question(key, asked)).digest()
