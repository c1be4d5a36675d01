"""What each of several processes has in hand, in memory that they share: for whoever asks after one of them died."""

from __future__ import annotations

import mmap

_SLOT = 1024
_LENGTH = 2


class Whereabouts:
    """A slot for each of `workers` processes that are forked after it was made."""

    def __init__(self, workers: int) -> None:
        self._memory = mmap.mmap(-1, _SLOT * workers)

    def tell(self, number: int, path: str) -> None:
        """Worker `number` begins with `path`, of which the first thousand bytes are kept."""
        name = path.encode("utf-8", "backslashreplace")[: _SLOT - _LENGTH]
        start = number * _SLOT
        self._memory[start : start + _LENGTH + len(name)] = len(name).to_bytes(_LENGTH, "little") + name

    def last_told(self, number: int) -> str:
        """What worker `number` told last; nothing if it did not come so far."""
        start = number * _SLOT
        length = int.from_bytes(self._memory[start : start + _LENGTH], "little")
        return self._memory[start + _LENGTH : start + _LENGTH + length].decode("utf-8", "ignore")

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()
