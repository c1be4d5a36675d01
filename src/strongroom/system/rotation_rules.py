"""When encryption keys are rotated by themselves: kept in ``core/rotation``."""

from __future__ import annotations

import msgspec

from strongroom.logical.storage import Storage

OPERATIONS_MIN = 1_000_000
INTERVAL_SECONDS_MIN = 24 * 3600
_KEY = "core/rotation"


class RotationRules(msgspec.Struct, frozen=True, kw_only=True):
    """A term ends after ``max_operations`` encryptions (0: only where it must) and after ``interval_seconds`` (0: whatever its age).

    Neither holds where ``enabled`` is false; a term that may not encrypt any more ends in any case (NIST SP 800-38D, section 8.3).
    """

    max_operations: int = 0
    interval_seconds: int = 0
    enabled: bool = True

    def is_due(self, *, age_seconds: float, encryptions: int) -> bool:
        """Whether a term of this age, which encrypted so often, has to end."""
        if not self.enabled:
            return False
        is_used_up = 0 < self.max_operations <= encryptions
        return is_used_up or 0 < self.interval_seconds <= age_seconds


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(RotationRules).decode


def rotation_rules(storage: Storage) -> RotationRules:
    """The rules, or what holds where nobody wrote any."""
    stored = storage.get(_KEY)
    return RotationRules() if stored is None else _decode(stored)


def put_rotation_rules(storage: Storage, rules: RotationRules) -> None:
    """Let these rules hold from now on."""
    storage.put(_KEY, _encode(rules))
