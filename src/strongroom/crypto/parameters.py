"""Named cost parameters, each with its source. No other module holds a literal cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """What one argon2id hash costs (RFC 9106, section 3.1): passes, memory in KiB, lanes; sizes in bytes."""

    passes: int
    memory_kib: int
    lanes: int
    salt_bytes: int = 16
    tag_bytes: int = 32


RFC_9106_LOW_MEMORY = Argon2Parameters(passes=3, memory_kib=64 * 1024, lanes=4)
"""RFC 9106, section 4, second recommended option: for memory-constrained environments. About 0.1 s on one core."""

OWASP_LOGIN = Argon2Parameters(passes=2, memory_kib=19 * 1024, lanes=1)
"""OWASP Password Storage Cheat Sheet, first of its equivalent argon2id settings: for logins in great number."""

CHEAPEST = Argon2Parameters(passes=1, memory_kib=8, lanes=1)
"""The least that argon2 accepts. Only for tests."""
