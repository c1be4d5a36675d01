"""A token store on a bare map, with a clock that jumps."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.kit import JumpingClock, SeededEntropy

from strongroom.logical.secret import Secret
from strongroom.tokens.entry import TokenEntry
from strongroom.tokens.store import TokenStore, install_keys, load_keys


class Shelf:
    """A storage that is only a dictionary with ordered keys."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self._keys: list[str] = []
        self._versions: dict[str, int] = {}
        self._written = 0
        self.read: set[str] = set()

    def get(self, key: str) -> bytes | None:
        self.read.add(key)
        return self.content.get(key)

    def version(self, key: str) -> int | None:
        self.read.add(key)
        return self._versions[key] if key in self.content else None

    def put(self, key: str, value: bytes) -> None:
        if key not in self.content:
            bisect.insort(self._keys, key)
        self.content[key] = value
        self._written += 1
        self._versions[key] = self._written

    def delete(self, key: str) -> None:
        if self.content.pop(key, None) is not None:
            self._keys.pop(bisect.bisect_left(self._keys, key))

    def scan(self, prefix: str, after: str = "") -> Iterator[str]:
        first = bisect.bisect_right(self._keys, after) if after else bisect.bisect_left(self._keys, prefix)
        rest = itertools.islice(self._keys, first, None)
        return iter(list(itertools.takewhile(lambda key: key.startswith(prefix), rest)))

    def children(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        below = (key.removeprefix(prefix) for key in self.scan(prefix))
        names = sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in below})
        return [name for name in names if name > after][:limit]

    def view(self, prefix: str) -> Shelf:
        raise NotImplementedError


@dataclass
class Scene:
    """A token store and what it works on."""

    tokens: TokenStore
    storage: Shelf
    clock: JumpingClock
    dropped: list[str] = field(default_factory=list)

    def entry(self, **members: Any) -> TokenEntry:
        """An entry that expires in an hour, unless ``members`` say otherwise."""
        now = self.clock.now_ns()
        defaults: dict[str, Any] = {
            "id": "",
            "accessor": "",
            "policies": ("default",),
            "path": "auth/token/create",
            "display_name": "token",
            "creation_time_ns": now,
            "expire_time_ns": now + 3600 * 10**9,
            "orphan": "parent" not in members,
        }
        return TokenEntry(**{**defaults, **members})

    def made(self, **members: Any) -> tuple[Secret[str], TokenEntry]:
        """A token that is in the store, and its entry."""
        entry = self.entry(**members)
        return self.tokens.create(self.storage, entry), entry

    def is_good(self, token: Secret[str]) -> bool:
        return self.tokens.find(self.storage, token) is not None

    def mount(self, uuid: str) -> None:
        """Have an auth method with this uuid."""
        self.storage.put(f"core/mounts/{uuid}", b"{}")

    def unmount(self, uuid: str) -> None:
        """Take it away, as a request does."""
        self.storage.delete(f"core/mounts/{uuid}")
        self.tokens.revoke_of_mount(self.storage, uuid)

    def clear(self, limit: int = 50) -> int:
        """Remove what is left of the dead, a few at a time; returns how many steps there were."""
        steps = 0
        while self.tokens.clear(self.storage, limit):
            steps += 1
            assert steps < 10_000
        return steps


@pytest.fixture
def scene() -> Scene:
    storage, clock, entropy = Shelf(), JumpingClock(), SeededEntropy("tokens")
    install_keys(storage, entropy)
    dropped: list[str] = []
    tokens = TokenStore(load_keys(storage), clock, entropy, lambda _, token_id: dropped.append(token_id))
    return Scene(tokens, storage, clock, dropped)
