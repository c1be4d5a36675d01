"""What is stored about a versioned secret, besides the bodies of its versions. Pure data: no storage, no clock.

Instants are nanoseconds since the Unix epoch; 0 as a deletion time means "none".
"""

from __future__ import annotations

from typing import Any

import msgspec

from strongroom.logical.instant import NANOSECONDS, format_duration, rfc3339

DEFAULT_MAX_VERSIONS = 10
MAX_VERSIONS_LIMIT = 10_000
"""The most versions that one secret may keep. They share one metadata record, which every read decodes."""

DELETE_VERSION_AFTER_DISABLED = -1
"""In the engine's configuration: no version of any secret gets a deletion time by itself."""


class Config(msgspec.Struct, kw_only=True):
    """The settings of one mount. ``delete_version_after`` in seconds; 0 is unset."""

    max_versions: int = 0
    cas_required: bool = False
    metadata_cas_required: bool = False
    delete_version_after: int = 0


class Version(msgspec.Struct, array_like=True):
    """One version: when it was written, from when it counts as deleted, and whether its body is gone for good."""

    number: int
    created_ns: int
    deletion_ns: int = 0
    destroyed: bool = False

    def is_deleted(self, now_ns: int) -> bool:
        """Whether its deletion time has come. A time in the future (``delete_version_after``) does not count yet."""
        return self.deletion_ns != 0 and self.deletion_ns <= now_ns

    def is_readable(self, now_ns: int) -> bool:
        """Whether its body may be shown."""
        return not self.destroyed and not self.is_deleted(now_ns)

    def times(self) -> dict[str, Any]:
        """What the listing of versions says of it."""
        return {
            "created_time": rfc3339(self.created_ns),
            "deletion_time": rfc3339(self.deletion_ns) if self.deletion_ns else "",
            "destroyed": self.destroyed,
        }


class Metadata(msgspec.Struct, kw_only=True):
    """One secret: its data key, its settings and its versions, oldest first.

    ``metadata_version`` counts changes of the settings, and not of the data. ``oldest_version`` is 0 as long as fewer versions were
    written than are kept.
    """

    key: bytes
    created_ns: int
    updated_ns: int
    format: int = 1
    current_version: int = 0
    oldest_version: int = 0
    metadata_version: int = 0
    max_versions: int = 0
    cas_required: bool = False
    metadata_cas_required: bool = False
    delete_version_after: int = 0
    custom_metadata: dict[str, str] = {}
    versions: list[Version] = []

    def find(self, number: int) -> Version | None:
        """The version with this number; 0 or less means the newest. None where there is none (any more)."""
        if not self.versions:
            return None
        if number <= 0 or number == self.current_version:
            return self.versions[-1]
        return next((version for version in self.versions if version.number == number), None)

    def versions_to_keep(self, config: Config) -> int:
        """How many versions stay. The larger of the two settings wins, as in Vault: a default never costs history."""
        return max(config.max_versions, self.max_versions) or DEFAULT_MAX_VERSIONS

    def next_deletion_ns(self, config: Config, now_ns: int) -> int:
        """When a version that is written or restored now will count as deleted: the shorter of the two settings; 0 is never."""
        if config.delete_version_after == DELETE_VERSION_AFTER_DISABLED:
            return 0
        set_ones = [seconds for seconds in (config.delete_version_after, self.delete_version_after) if seconds > 0]
        return now_ns + min(set_ones) * NANOSECONDS if set_ones else 0

    def describe(self) -> dict[str, Any]:
        """The answer to a read of the secret's metadata. Never the data key."""
        return {
            "cas_required": self.cas_required,
            "created_time": rfc3339(self.created_ns),
            "current_metadata_version": self.metadata_version,
            "current_version": self.current_version,
            "custom_metadata": self.custom_metadata or None,
            "delete_version_after": format_duration(self.delete_version_after),
            "max_versions": self.max_versions,
            "metadata_cas_required": self.metadata_cas_required,
            "oldest_version": self.oldest_version,
            "updated_time": rfc3339(self.updated_ns),
            "versions": {str(version.number): version.times() for version in self.versions},
        }

    def describe_version(self, version: Version) -> dict[str, Any]:
        """The ``metadata`` that stands beside the body of one version."""
        return {
            "created_time": rfc3339(version.created_ns),
            "custom_metadata": self.custom_metadata or None,
            "deletion_time": rfc3339(version.deletion_ns) if version.deletion_ns else "",
            "destroyed": version.destroyed,
            "version": version.number,
        }

    def __repr__(self) -> str:
        """Without the data key."""
        return f"<kv metadata, version {self.current_version}>"
