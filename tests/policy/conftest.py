from __future__ import annotations

from collections.abc import Iterator

import pytest


class DictStorage:
    """A Storage over a dict: enough of one for policies."""

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}
        self.reads = 0

    def get(self, key: str) -> bytes | None:
        self.reads += 1
        return self.entries.get(key)

    def version(self, key: str) -> int | None:
        raise NotImplementedError

    def put(self, key: str, value: bytes) -> None:
        self.entries[key] = value

    def delete(self, key: str) -> None:
        self.entries.pop(key, None)

    def children(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        raise NotImplementedError

    def scan(self, prefix: str, after: str = "") -> Iterator[str]:
        return iter(sorted(key for key in self.entries if key.startswith(prefix) and key > after))

    def view(self, prefix: str) -> DictStorage:
        raise NotImplementedError


@pytest.fixture
def storage() -> DictStorage:
    return DictStorage()
