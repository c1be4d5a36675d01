"""A second, tiny protocol of secrets engines: which secrets they hold, as the system asks on behalf of a caller.

The matrix of environments, search, promotion and moves go through it, so that they know neither versions nor records of any engine.
An engine answers whatever it is asked: what the caller may know was decided before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from strongroom.logical.ambient import Entropy
from strongroom.logical.backend import Fingerprints
from strongroom.logical.secret_notes import Criticality
from strongroom.logical.storage import Storage


class Layout(NamedTuple):
    """Below which folder of the mount the API has each part of a secret; ``""`` or with a slash at its end.

    What is listed and removed for good is below ``metadata``. ``subkeys`` and ``undelete`` are None where there is no such thing.
    """

    data: str
    metadata: str
    subkeys: str | None = None
    undelete: str | None = None

    @property
    def has_versions(self) -> bool:
        """Whether values stand in ``data`` of a write, beside its options."""
        return bool(self.data)

    def body(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The body of a request that writes ``values``."""
        return {"data": values, "options": {}} if self.has_versions else dict(values)


@dataclass(frozen=True, slots=True)
class Interior:
    """The inside of one mount, in one transaction. ``now_ns`` is the one instant of the whole request."""

    storage: Storage
    mount_uuid: str
    entropy: Entropy
    fingerprints: Fingerprints
    now_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretState:
    """What a secret holds now.

    ``values`` is None where its newest version cannot be read: there is none, it was deleted, or (``is_damaged``) it does not open.
    ``version`` is the number of the newest version, 0 where there is none or the engine keeps none. ``written_ns`` tells when those that
    are kept were written. ``notes`` are texts of the user's own about it. ``size`` is in bytes, about. ``has_deleted`` tells that some version
    cannot be read and could be restored.
    """

    values: Mapping[str, Any] | None = field(default=None, repr=False)
    version: int = 0
    written_ns: Mapping[int, int] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    is_damaged: bool = False
    has_deleted: bool = False

    def since_ns(self, version: int) -> int:
        """When ``version`` was written; of one that is not kept any more, that of the oldest that is. 0 where nothing is known."""
        known = self.written_ns.get(version)
        return known if known is not None else min(self.written_ns.values(), default=0)


@runtime_checkable
class Inventory(Protocol):
    """A secrets engine that can say which secrets it holds."""

    def layout(self) -> Layout:
        """Where the API has the parts of a secret."""
        ...

    def secret_paths(self, storage: Storage, folder: str, after: str) -> Iterator[str]:
        """The path of every secret below ``folder`` (``""`` or with a slash at its end) that is greater than ``after``, in order."""
        ...

    def state(self, interior: Interior, path: str) -> SecretState | None:
        """What the secret at ``path`` holds, or None where nothing is known of it."""
        ...

    def store(self, interior: Interior, path: str, values: Mapping[str, Any]) -> int:
        """Write the secret at ``path`` like any other write; the number of the new version, 0 where there are none.

        Raises InvalidRequest where it may not be stored here.
        """
        ...

    def transfer(self, source: Interior, path: str, into: Interior, target: str, *, removes: bool) -> int:
        """Put the secret at ``path``, which must be there, at ``target`` of the same or another mount of this kind, where nothing is.

        With all that is known of it. ``removes`` takes it away where it was. Answers how many versions it has, 0 where there are none.
        Raises InvalidRequest where it is too large or may not be stored there.
        """
        ...


@runtime_checkable
class KeepsNotes(Protocol):
    """A secrets engine that finds secrets by what their notes say (``logical.secret_notes``)."""

    def expiring(self, storage: Storage, until_ns: int, *, by_reminder: bool) -> Iterator[tuple[int, str]]:
        """The secrets that expire, or whose first reminder is, until then: the second and the path, the soonest first."""
        ...

    def critical(self, storage: Storage, least: Criticality) -> Iterator[tuple[Criticality, str]]:
        """The secrets that are at least so critical, the most critical first."""
        ...
