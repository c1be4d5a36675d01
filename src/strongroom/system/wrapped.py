"""Making wrapping tokens: used by the pipeline for any answer, and by ``sys/wrapping/rewrap`` for what is wrapped already.

The wrapped answer's envelope is kept, byte for byte, in the cubbyhole of the wrapping token. The token has one use and the
``response-wrapping`` policy, so whoever unwraps second learns that somebody was first.
"""

from __future__ import annotations

from typing import Any

from strongroom.encoding import json
from strongroom.logical.ambient import Clock
from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.policy_name import RESPONSE_WRAPPING
from strongroom.logical.request import WrapInfo
from strongroom.logical.storage import Storage
from strongroom.tokens.entry import TokenEntry
from strongroom.tokens.store import TokenStore


class WrappedAnswers:
    """The answers that wait for their unwrapping, in the cubbyhole's storage."""

    def __init__(self, tokens: TokenStore, clock: Clock, cubbyhole_prefix: str) -> None:
        self._tokens = tokens
        self._clock = clock
        self._prefix = cubbyhole_prefix

    def put(
        self,
        storage: Storage,
        kept: dict[str, Any],
        *,
        wrapped_accessor: str = "",
        environments: tuple[str, ...] = (),
    ) -> WrapInfo:
        """Keep ``kept`` (``response``, ``creation_path``, ``creation_time``, ``creation_ttl``) under a fresh token.

        ``environments`` are those that the answer comes from: who is bound to others may not unwrap it with their own token.
        """
        now = self._clock.now_ns()
        ttl = int(kept["creation_ttl"])
        entry = TokenEntry(
            id="",
            accessor="",
            policies=(RESPONSE_WRAPPING,),
            path=kept["creation_path"],
            display_name="",
            creation_time_ns=now,
            expire_time_ns=now + ttl * NANOSECONDS,
            creation_ttl=ttl,
            explicit_max_ttl=ttl,
            num_uses=1,
            use_limited=True,
            orphan=True,
            environments=environments,
        )
        token = self._tokens.create(storage, entry)
        storage.put(f"{self._prefix}{entry.id}/response", json.encode(kept))
        return WrapInfo(
            token=token,
            accessor=entry.accessor,
            ttl=ttl,
            creation_time_ns=now,
            creation_path=kept["creation_path"],
            wrapped_accessor=wrapped_accessor,
        )

    def get(self, storage: Storage, token_id: str) -> dict[str, Any] | None:
        """What is kept for a wrapping token, or None."""
        stored = storage.get(f"{self._prefix}{token_id}/response")
        if stored is None:
            return None
        kept: dict[str, Any] = json.decode(stored)
        return kept
