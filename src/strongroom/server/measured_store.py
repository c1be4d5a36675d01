"""A store whose commits are counted and timed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from strongroom.barrier.transaction import TENANT_PREFIX
from strongroom.logical.ambient import Clock
from strongroom.physical.store import Conflict, Record, Snapshot, Store, Survey, Unavailable, Unknown, Witness
from strongroom.telemetry import catalog
from strongroom.telemetry.instruments import Telemetry
from strongroom.telemetry.labels import CommitOutcome
from strongroom.tokens.lineage import ENTRY_PREFIX

_TOKEN = TENANT_PREFIX + ENTRY_PREFIX


class MeasuredStore:
    """``inner``, and a look at every commit: how long it took, what came of it, and how many tokens came and went with it."""

    def __init__(self, inner: Store, telemetry: Telemetry, clock: Clock) -> None:
        self._inner = inner
        self._telemetry = telemetry
        self._clock = clock
        # Once for each batch, and nothing to add to it.
        self.snapshot: Callable[[], Snapshot] = inner.snapshot
        self.survey: Callable[[str], Survey] = inner.survey

    @property
    def name(self) -> str:
        """What the configuration calls this kind of store."""
        return self._inner.name

    @property
    def is_founded(self) -> bool:
        """Whether a vault was made in this place."""
        return self._inner.is_founded

    def mark_founded(self) -> None:
        """Have that remembered."""
        self._inner.mark_founded()

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        witness: Witness | None = None,
        *,
        is_urgent: bool = False,
    ) -> None:
        """Commit; see ``physical.store``."""
        started = self._clock.monotonic()
        outcome = CommitOutcome.UNKNOWN
        try:
            self._inner.commit(expected, puts, deletes, witness, is_urgent=is_urgent)
            outcome = CommitOutcome.OK
        except Conflict:
            outcome = CommitOutcome.CONFLICT
            raise
        except Unavailable:
            outcome = CommitOutcome.UNAVAILABLE
            raise
        except Unknown:
            raise
        finally:
            self._telemetry.add(catalog.COMMITS, outcome)
            self._telemetry.observe(catalog.COMMIT_SECONDS, self._clock.monotonic() - started)
        self._count_tokens(expected, puts, deletes)

    def close(self) -> None:
        """Release everything."""
        self._inner.close()

    def _count_tokens(
        self, expected: Mapping[str, int | None], puts: Mapping[str, Record], deletes: Collection[str]
    ) -> None:
        created = sum(1 for key in puts if key.startswith(_TOKEN) and expected.get(key, 0) is None)
        removed = sum(1 for key in deletes if key.startswith(_TOKEN))
        if created:
            self._telemetry.add(catalog.TOKENS_CREATED, count=created)
        if removed:
            self._telemetry.add(catalog.TOKENS_REMOVED, count=removed)
