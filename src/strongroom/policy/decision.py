"""What can be asked of an ACL, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from strongroom.logical.operation import Capability


class Question(msgspec.Struct, kw_only=True):
    """What a request wants to do.

    ``path`` is canonical, without a leading slash. ``wrap_ttl`` is in seconds, None where no wrapping was asked for. ``body``
    is decoded. ``now_ns`` is the time at which rules may have expired, in nanoseconds since the Unix epoch.
    """

    path: str
    capability: Capability
    now_ns: int
    body: Mapping[str, Any] = msgspec.field(default_factory=dict)
    wrap_ttl: int | None = None
    needs_sudo: bool = False

    def __repr__(self) -> str:
        return f"<may one {self.capability.value} {self.path}?>"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. ``reasons`` are the paths of the rules that decided, empty where none matched; they hold no value.

    ``pagination_limit`` is how many keys an allowed list may answer at most, None where no rule says so.
    """

    allowed: bool
    is_root: bool = False
    reasons: tuple[str, ...] = ()
    pagination_limit: int | None = None
