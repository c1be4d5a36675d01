"""The typed requests of the versioned key/value engine: the only place that names their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from strongroom.logical.field import Doc, Duration

_SecretPath = Annotated[str, Doc("Where the secret lies below the mount.")]


@dataclass(frozen=True, slots=True)
class SecretRequest:
    """One secret, by its path."""

    path: _SecretPath


@dataclass(frozen=True, slots=True)
class ReadVersionRequest:
    """One version of a secret."""

    path: _SecretPath
    version: Annotated[int, Doc("The version to read; 0, or left out, for the newest.", public=True)] = 0


@dataclass(frozen=True, slots=True)
class SubkeysRequest:
    """The structure of one version of a secret."""

    path: _SecretPath
    version: Annotated[int, Doc("The version to read; 0, or left out, for the newest.", public=True)] = 0
    depth: Annotated[int, Doc("How many levels of keys to show; 0, or left out, for all.", public=True)] = 0


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """A new version of a secret, or (in a patch) changes to the newest one."""

    path: _SecretPath
    data: Annotated[dict[str, Any] | None, Doc("The secret; in a patch, what to change in it: null removes a key.")] = (
        None
    )
    options: Annotated[
        dict[str, Any] | None,
        Doc('Options of the write: "cas" is the number of the version that this write follows, 0 for a new secret.'),
    ] = None


@dataclass(frozen=True, slots=True)
class VersionsRequest:
    """Some versions of a secret."""

    path: _SecretPath
    versions: Annotated[list[int] | None, Doc("The numbers of the versions.", public=True)] = None


@dataclass(frozen=True, slots=True)
class MetadataRequest:
    """Settings of one secret; what is left out stays as it is."""

    path: _SecretPath
    max_versions: Annotated[
        int | None,
        Doc("How many versions to keep, if that is more than the mount keeps; 0 for the mount's.", public=True),
    ] = None
    cas_required: Annotated[bool | None, Doc("Whether each write must name the version it follows.", public=True)] = (
        None
    )
    delete_version_after: Annotated[
        Duration | None, Doc("How long after its writing a version counts as deleted; 0 for never.", public=True)
    ] = None
    custom_metadata: Annotated[
        dict[str, Any] | None, Doc("Texts of your own that describe the secret; in a patch null removes one.")
    ] = None
    metadata_cas: Annotated[
        int | None, Doc("The current_metadata_version that this change follows, 0 for a new secret.", public=True)
    ] = None
    metadata_cas_required: Annotated[
        bool | None, Doc("Whether each change of these settings must name metadata_cas.", public=True)
    ] = None


@dataclass(frozen=True, slots=True)
class ReadConfigRequest:
    """The settings of the mount."""


@dataclass(frozen=True, slots=True)
class ConfigRequest:
    """Settings of the mount; what is left out stays as it is."""

    max_versions: Annotated[int | None, Doc("How many versions of each secret to keep; 0 for 10.", public=True)] = None
    cas_required: Annotated[bool | None, Doc("Whether each write must name the version it follows.", public=True)] = (
        None
    )
    delete_version_after: Annotated[
        Duration | None,
        Doc(
            "How long after its writing a version counts as deleted; 0 for never, -1s to disable it everywhere.",
            public=True,
        ),
    ] = None
    metadata_cas_required: Annotated[
        bool | None, Doc("Whether each change of a secret's metadata must name metadata_cas.", public=True)
    ] = None


@dataclass(frozen=True, slots=True)
class MisplacedRequest:
    """A request to a path that a versioned mount does not have."""

    path: Annotated[str, Doc("The path below the mount.")]
