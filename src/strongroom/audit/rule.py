"""The rule that says when a record counts as kept (``audit_required`` of the configuration)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

ANY = "any"


@dataclass(frozen=True, slots=True)
class Rule:
    """Any one device is enough where ``required`` is empty; else every device that it names must keep the record."""

    required: frozenset[str] = frozenset()

    def holds(self, kept: Collection[str]) -> bool:
        """Whether a record that these devices kept is kept."""
        return self.required.issubset(kept) if self.required else bool(kept)
