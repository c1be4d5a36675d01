"""The rules that hold now: an immutable picture that is replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping

from strongroom.logical.ambient import Clock
from strongroom.logical.storage import Storage
from strongroom.quotas import store
from strongroom.quotas.gate import Gate
from strongroom.quotas.ruleset import Ruleset, compile_rules


class QuotaBook:
    """The compiled quotas of an unsealed vault."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rules: Ruleset | None = None
        self._made_for: object = None

    @property
    def made_for(self) -> object:
        """The picture of the mounts for which the rules were compiled; None before the first time."""
        return self._made_for

    def refresh(self, storage: Storage, mount_paths: Mapping[str, str], *, made_for: object) -> None:
        """Read the rules again. ``mount_paths`` are by uuid, and those of the picture ``made_for``."""
        self._made_for = made_for
        self._rules = compile_rules(store.rules(storage), store.config(storage), mount_paths, self._rules)

    def gate(self) -> Gate | None:
        """The gate for a batch that is to be answered now; None where there are no rules."""
        rules = self._rules
        return None if rules is None else Gate(rules, self._clock.monotonic())
