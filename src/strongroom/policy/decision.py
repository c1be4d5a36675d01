"""What can be asked of an ACL, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strongroom.logical.operation import Capability


@dataclass(slots=True, kw_only=True)
class Question:
    """What a request wants to do.

    ``path`` is canonical, without a leading slash. ``wrap_ttl`` is in seconds, None where no wrapping was asked for. ``body``
    is decoded. ``now_ns`` is the time at which rules may have expired, in nanoseconds since the Unix epoch.
    """

    path: str
    capability: Capability
    now_ns: int
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    wrap_ttl: int | None = None
    needs_sudo: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. ``reasons`` are the paths of the rules that decided, empty where none matched; they hold no value.

    ``pagination_limit`` is how many keys an allowed list may answer at most, None where no rule says so.
    """

    allowed: bool
    is_root: bool = False
    reasons: tuple[str, ...] = ()
    pagination_limit: int | None = None
