"""The rules that hold now: an immutable picture that is replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from strongroom.logical.ambient import Clock
from strongroom.logical.storage import Storage
from strongroom.quotas import store
from strongroom.quotas.counts import Counts
from strongroom.quotas.gate import Gate
from strongroom.quotas.ruleset import Ruleset, compile_rules


class QuotaBook:
    """The compiled quotas of an unsealed vault. ``counts`` are those of all processes of this server."""

    def __init__(self, clock: Clock, counts: Counts) -> None:
        self._clock = clock
        self._counts = counts
        self._rules: Ruleset | None = None
        self._made_for: object = None
        self._changes_seen = -1

    def is_current(self, mounts: object) -> bool:
        """Whether the rules are those for this picture of the mounts, and no process has changed them since they were read."""
        return self._made_for is mounts and self._changes_seen == self._counts.changes

    @property
    def changes(self) -> int:
        """What to give to ``refresh``, looked at before the rules are read: a change in between is then seen the next time."""
        return self._counts.changes

    def note_change(self) -> None:
        """Rules were changed, and every process shall read them before its next request."""
        self._counts.note_change()

    def refresh(self, storage: Storage, mount_paths: Mapping[str, str], *, made_for: object, changes: int) -> None:
        """Read the rules again. ``mount_paths`` are by uuid, and those of the picture ``made_for``."""
        self._rules = compile_rules(store.rules(storage), store.config(storage), mount_paths, self._counts)
        self._made_for = made_for
        self._changes_seen = changes

    def gate(self) -> Gate | None:
        """The gate for a batch that is to be answered now; None where there are no rules."""
        rules = self._rules
        return None if rules is None else Gate(rules, self._clock.monotonic())
