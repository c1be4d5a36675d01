"""Files of the cache: of one user alone, whole or not there at all.

What is read back is trusted, so it is read only where it is owned by this user, closed to others, no link, not too large, and whole by its SHA-256.
Everything else counts as absent, and is replaced by the next that is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import stat
from dataclasses import dataclass
from pathlib import Path

_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class CacheFile:
    """The file at `path`, which begins with `magic` and holds at most `largest` bytes."""

    path: Path
    magic: bytes
    largest: int

    def read(self) -> bytes | None:
        """What was written, or None where there is nothing that can be trusted."""
        content = self._read_own()
        header = len(self.magic) + _DIGEST
        if content is None or len(content) < header or not content.startswith(self.magic):
            return None
        payload = content[header:]
        if not hmac.compare_digest(hashlib.sha256(payload).digest(), content[len(self.magic) : header]):
            return None
        return payload

    def write(self, payload: bytes) -> None:
        """Keep `payload`. A folder that cannot be written is no error: then nothing is kept."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write_atomically(self.magic + hashlib.sha256(payload).digest() + payload)

    def _read_own(self) -> bytes | None:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            status = os.fstat(descriptor)
            is_own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
            if not is_own or status.st_size > self.largest:
                return None
            with open(descriptor, "rb", closefd=False) as file:
                return file.read()
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _write_atomically(self, content: bytes) -> None:
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            temporary.replace(self.path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
