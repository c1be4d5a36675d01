"""What may stand in a label: members of enumerations, and words of a vocabulary that is closed when the server starts.

Whatever is not in its set counts as ``other``, so nothing that a client or an operator named can get out through a metric
(SECURITY INV-10).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, StrEnum
from types import MappingProxyType

from strongroom.logical import errors


class Outcome(StrEnum):
    """What came of a request, in classes that an operator acts on."""

    OK = "ok"
    INVALID = "invalid"
    DENIED = "denied"
    NOT_FOUND = "not_found"
    UNSUPPORTED = "unsupported"
    LIMITED = "limited"
    SEALED = "sealed"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


class Way(StrEnum):
    """Where a request ran: with others in a batch on the loop, or by itself on the pool."""

    BATCH = "batch"
    POOL = "pool"


class BackupOutcome(StrEnum):
    """Whether a scheduled backup was written and read back."""

    OK = "ok"
    FAILED = "failed"


class LoginOutcome(StrEnum):
    """Whether a login gave a token."""

    OK = "ok"
    FAILED = "failed"


class CommitOutcome(StrEnum):
    """What came of a commit."""

    OK = "ok"
    CONFLICT = "conflict"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


class DeviceState(StrEnum):
    """How an audit device does."""

    HEALTHY = "healthy"
    FAILED = "failed"


class QuotaScope(StrEnum):
    """What the quota that refused a request is about."""

    GLOBAL = "global"
    MOUNT = "mount"
    PATH = "path"
    ROLE = "role"


class Word(str):
    """A word of a vocabulary. Only a vocabulary makes one."""

    __slots__ = ()


class Vocabulary:
    """A closed set of words, such as the types of mounts that this server knows."""

    OTHER = Word("other")

    def __init__(self, words: Iterable[str]) -> None:
        self._words = {word: Word(word) for word in words}

    def of(self, text: str) -> Word:
        """The word for ``text``, or ``other``."""
        return self._words.get(text, self.OTHER)

    @property
    def words(self) -> tuple[Word, ...]:
        """All words, with ``other`` at the end."""
        return (*(self._words[word] for word in sorted(self._words)), self.OTHER)


LabelValue = Enum | Word

_OUTCOME_OF = MappingProxyType(
    {
        errors.InvalidRequest: Outcome.INVALID,
        errors.UnsupportedMediaType: Outcome.INVALID,
        errors.PermissionDenied: Outcome.DENIED,
        errors.NotFound: Outcome.NOT_FOUND,
        errors.UnsupportedOperation: Outcome.UNSUPPORTED,
        errors.RateLimited: Outcome.LIMITED,
        errors.Overdue: Outcome.UNAVAILABLE,
        errors.Sealed: Outcome.SEALED,
        errors.AuditUnavailable: Outcome.UNAVAILABLE,
        errors.UpstreamFailed: Outcome.UNAVAILABLE,
    }
)


def outcome_of(error: BaseException | None) -> Outcome:
    """The class of what a request ended with. What no class names is a mistake of ours, or an outcome that nobody knows."""
    if error is None:
        return Outcome.OK
    for kind in type(error).__mro__:
        outcome = _OUTCOME_OF.get(kind)
        if outcome is not None:
            return outcome
    return Outcome.FAILED


def text_of(value: LabelValue) -> str:
    """How a label's value is written."""
    return str(value.value) if isinstance(value, Enum) else str(value)
