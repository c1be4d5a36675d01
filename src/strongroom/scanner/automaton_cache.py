"""Compiled automata on disk, so that a scan of one small file does not wait for the compiler.

An entry is a file of one user alone, named by the hash of all that decides its content: the expressions, the engine's version, the
processor's features. It holds the engine's own serialization, which the engine trusts; therefore nothing is handed to it that is
not owned by this user, closed to others, and whole by its SHA-256. Anything else is compiled again and replaced.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from strongroom.scanner.cache_file import CacheFile
from strongroom.scanner.expressions import Expression

_MAGIC = b"strongroom automaton 2\n"
_LARGEST = 256 * 1024 * 1024
_LEFT_OUT_BYTE = 255


class AutomatonCache:
    """The place of one automaton in `folder`. Without a folder, or with one that cannot be written, nothing is kept."""

    def __init__(self, folder: Path | None, engine: str, expressions: Sequence[Expression]) -> None:
        self._count = len(expressions)
        self._file = None
        if folder is not None:
            self._file = CacheFile(folder / f"automaton-{_name(engine, expressions)}.db", _MAGIC, _LARGEST)

    def load(self) -> tuple[list[int], bytes] | None:
        """How each expression is held, and the serialized database; None where there is none that can be trusted."""
        payload = self._file.read() if self._file is not None else None
        if payload is None or len(payload) < self._count:
            return None
        modes = [-1 if byte == _LEFT_OUT_BYTE else byte for byte in payload[: self._count]]
        return modes, payload[self._count :]

    def store(self, modes: Sequence[int], serialized: bytes) -> None:
        """Keep an automaton, if that is possible; else the next scan compiles again."""
        if self._file is not None:
            self._file.write(bytes(_LEFT_OUT_BYTE if mode < 0 else mode for mode in modes) + serialized)


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
        digest.update(len(expression.pattern).to_bytes(8, "big") + expression.pattern + b"g" * expression.is_gate)
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
