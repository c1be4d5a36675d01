"""Compiled automata on disk, so that a scan of one small file does not wait for the compiler.

An entry is a file of one user alone, named by the hash of all that decides its content: the expressions, the engine's version, the
processor's features. It holds the engine's own serialization, which the engine trusts; therefore nothing is handed to it that is
not owned by this user, closed to others, and whole by its SHA-256. Anything else is compiled again and replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from strongroom.scanner.expressions import Expression

_MAGIC = b"strongroom automaton 2\n"
_DIGEST = hashlib.sha256().digest_size
_LARGEST = 256 * 1024 * 1024
_LEFT_OUT_BYTE = 255


class AutomatonCache:
    """The place of one automaton in `folder`. Without a folder, or with one that cannot be written, nothing is kept."""

    def __init__(self, folder: Path | None, engine: str, expressions: Sequence[Expression]) -> None:
        self._count = len(expressions)
        self._path = None if folder is None else folder / f"automaton-{_name(engine, expressions)}.db"

    def load(self) -> tuple[list[int], bytes] | None:
        """How each expression is held, and the serialized database; None where there is none that can be trusted."""
        if self._path is None:
            return None
        content = _read_own(self._path)
        header = len(_MAGIC) + _DIGEST
        if content is None or len(content) < header + self._count or not content.startswith(_MAGIC):
            return None
        payload = content[header:]
        if not hmac.compare_digest(hashlib.sha256(payload).digest(), content[len(_MAGIC) : header]):
            return None
        modes = [-1 if byte == _LEFT_OUT_BYTE else byte for byte in payload[: self._count]]
        return modes, payload[self._count :]

    def store(self, modes: Sequence[int], serialized: bytes) -> None:
        """Keep an automaton. A folder that cannot be written is no error: the next scan compiles again."""
        if self._path is None:
            return
        payload = bytes(_LEFT_OUT_BYTE if mode < 0 else mode for mode in modes) + serialized
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_atomically(self._path, _MAGIC + hashlib.sha256(payload).digest() + payload)


def default_folder(environ: dict[str, str] | os._Environ[str]) -> Path | None:
    """`$XDG_CACHE_HOME/strongroom`, or `~/.cache/strongroom`; None where there is no home."""
    base = environ.get("XDG_CACHE_HOME", "")
    if base and Path(base).is_absolute():
        return Path(base) / "strongroom"
    home = environ.get("HOME", "")
    return Path(home) / ".cache" / "strongroom" if home and Path(home).is_absolute() else None


def _name(engine: str, expressions: Sequence[Expression]) -> str:
    digest = hashlib.sha256()
    for part in (_MAGIC, engine.encode(), _processor_features()):
        digest.update(len(part).to_bytes(8, "big") + part)
    for expression in expressions:
        digest.update(len(expression.pattern).to_bytes(8, "big") + expression.pattern)
    return digest.hexdigest()[:32]


def _processor_features() -> bytes:
    """What the database was compiled for: the features that the kernel names of the first processor."""
    try:
        with open("/proc/cpuinfo", "rb") as file:  # noqa: PTH123 -- the first lines only, of what may be very long
            first = file.read(8192)
    except OSError:
        return os.uname().machine.encode()
    lines = [line for line in first.splitlines() if line.startswith((b"flags", b"Features"))]
    return lines[0] if lines else os.uname().machine.encode()


def _read_own(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        is_own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
        if not is_own or status.st_size > _LARGEST:
            return None
        try:
            return file.read()
        except OSError:
            return None


def _write_atomically(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
