"""Known values that are here: those of a file, or those that somebody read from a vault with his own token."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence

from strongroom.logical.ambient import Entropy, SystemEntropy
from strongroom.scanner.known.held import Held, strings_for
from strongroom.scanner.known.values import HEAD_BYTES, Holder, Recognition, digest_of, holders_in_order

_KEY_BYTES = 32


class LocalValues:
    """Answers from memory. It keeps keyed digests, under a key of this process alone, and the first bytes of values, but no value."""

    patience = 0

    def __init__(self, held: Iterable[Held], entropy: Entropy | None = None) -> None:
        self._key = (entropy or SystemEntropy()).bytes(_KEY_BYTES)
        holders: dict[bytes, list[Holder]] = {}
        heads: set[bytes] = set()
        for one in held:
            for form in strings_for(one.value):
                heads.add(form[:HEAD_BYTES])
                holders.setdefault(self._keyed(digest_of(form)), []).append(one.holder)
        self._known = {keyed: Recognition(holders_in_order(found)) for keyed, found in holders.items()}
        self.heads: frozenset[bytes] | None = frozenset(heads)

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"<LocalValues, {len(self)} forms>"

    def ask(self, digests: Sequence[bytes]) -> Mapping[bytes, Recognition]:
        """Those of `digests` that are ours."""
        known, key = self._known, self._key
        keyed = ((digest, known.get(hmac.digest(key, digest, "sha256"))) for digest in digests)
        return {digest: found for digest, found in keyed if found is not None}

    def forked(self) -> None:
        """Nothing is shared that matters."""

    def _keyed(self, digest: bytes) -> bytes:
        return hmac.digest(self._key, digest, "sha256")
