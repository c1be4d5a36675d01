"""Making every token worthless at once: for a store that was restored and does not know which of them were revoked since."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from strongroom.logical.ambient import Entropy
from strongroom.logical.storage import Storage
from strongroom.tokens.lineage import ENTRY_PREFIX
from strongroom.tokens.store import install_keys

_AREA = "core/token/"
_PARTS = tuple(
    f"{_AREA}{part}/" for part in ("id", "accessor", "child", "expiry", "lease", "doomed", "doomed-mount", "family")
)
"""Everything but the keys. Older servers wrote ``family``."""


def invalidate_all(storage: Storage, entropy: Entropy) -> None:
    """Exchange the keys: no token that was made before is known any more, and no batch token opens."""
    install_keys(storage, entropy)


def erase(storage: Storage, limit: int) -> int:
    """Remove up to ``limit`` of the rows that are kept of tokens; returns how many. For after :func:`invalidate_all`."""
    erased = 0
    for part in _PARTS:
        for key in list(islice(storage.scan(part), limit - erased)):
            storage.delete(key)
            erased += 1
    return erased


def missing_from(storage: Storage, is_known: Callable[[str], bool]) -> list[str]:
    """The ids of the stored tokens whose entries ``is_known`` denies, told their keys."""
    return [key.removeprefix(ENTRY_PREFIX) for key in storage.scan(ENTRY_PREFIX) if not is_known(key)]
