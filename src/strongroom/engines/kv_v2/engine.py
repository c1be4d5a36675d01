"""The declarations of the versioned key/value engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from strongroom.engines.kv_v2 import config, data, inventory, metadata, notes, transfer, versions
from strongroom.engines.kv_v2.data import Reader
from strongroom.engines.kv_v2.requests import MisplacedRequest
from strongroom.engines.kv_v2.store import kept_values
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import NotFound, UnsupportedOperation
from strongroom.logical.inventory import Interior, Layout, SecretState
from strongroom.logical.operation import Operation
from strongroom.logical.secret_notes import Criticality
from strongroom.logical.storage import Storage

_READ, _UPDATE, _PATCH = Operation.READ, Operation.UPDATE, Operation.PATCH
_DELETE, _LIST = Operation.DELETE, Operation.LIST

_FOLDERS = frozenset({"data", "delete", "undelete", "destroy", "subkeys", "metadata", "detailed-metadata"})
_COMMANDS = {_READ: "get", _UPDATE: "put", _PATCH: "patch", _DELETE: "delete", _LIST: "list"}


class KvV2:
    """The ``kv`` engine, version 2."""

    help = (
        "Stores secrets of any shape under paths of your choosing and keeps earlier versions of them. A version can be deleted and "
        "restored, or destroyed for good. Each secret has a data key of its own, so that removing its metadata makes every version "
        "unreadable."
    )

    def __init__(self) -> None:
        reader = Reader()
        self._reading = (_data(reader), _subkeys(reader))

    def values_in(self, storage: Storage, mount_uuid: str, after: str) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        """Every secret with the values of its versions; see ``KeepsValues``."""
        return kept_values(storage, mount_uuid, after)

    # For the system, see ``Inventory``

    def layout(self) -> Layout:
        """Where the API has the parts of a secret."""
        return inventory.LAYOUT

    def secret_paths(self, storage: Storage, folder: str, after: str) -> Iterator[str]:
        """The paths below a folder, in order."""
        return inventory.secret_paths(storage, folder, after)

    def state(self, interior: Interior, path: str) -> SecretState | None:
        """What the newest version holds."""
        return inventory.state(interior, path)

    def store(self, interior: Interior, path: str, values: Mapping[str, Any]) -> int:
        """Add a version."""
        return inventory.add_version(interior, path, values)

    def transfer(self, source: Interior, path: str, into: Interior, target: str, *, removes: bool) -> int:
        """Put a secret with all its versions elsewhere."""
        return transfer.transfer(source, path, into, target, removes=removes)

    def expiring(self, storage: Storage, until_ns: int, *, by_reminder: bool) -> Iterator[tuple[int, str]]:
        """Secrets by when they expire."""
        return notes.expiring(storage, until_ns, by_reminder=by_reminder)

    def critical(self, storage: Storage, least: Criticality) -> Iterator[tuple[Criticality, str]]:
        """Secrets by how critical they are."""
        return notes.critical(storage, least)

    def paths(self) -> tuple[Path, ...]:
        """Every path of the engine."""
        return (_CONFIG, *self._reading, *_VERSIONS, _METADATA, _METADATA_LIST, _DETAILED, _MISPLACED)


def misplaced(context: Context, request: MisplacedRequest) -> NoReturn:
    """Say where secrets are, to a caller who thought that the mount has no versions."""
    folder, slash, _ = request.path.partition("/")
    if request.path == "config" or (folder in _FOLDERS and (slash or context.request.operation is _LIST)):
        raise UnsupportedOperation
    if folder in _FOLDERS:
        raise NotFound(warnings=("Non-listing operations on the root of a K/V v2 mount are not supported.",))
    command = _COMMANDS.get(context.request.operation, "get")
    raise NotFound(
        warnings=(
            (
                "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. "
                f"If using the command line, use 'kv {command}' for this operation."
            ),
        )
    )


def _data(reader: Reader) -> Path:
    return Path(
        "data/{path...}",
        help="Read a version of a secret, or add one. Deleting marks the newest version as deleted; undelete restores it.",
        endpoints=(
            Endpoint(_READ, reader.read, "Read a version of a secret."),
            Endpoint(_UPDATE, data.write, "Add a version to a secret.", exists=data.exists),
            Endpoint(_PATCH, data.patch, "Add a version that changes some keys of the newest one (JSON merge patch)."),
            Endpoint(_DELETE, data.delete, "Mark the newest version of a secret as deleted."),
        ),
    )


def _subkeys(reader: Reader) -> Path:
    return Path(
        "subkeys/{path...}",
        help="Read the structure of a secret without its values: every leaf is null.",
        endpoints=(
            Endpoint(_READ, reader.read_subkeys, "Read the keys of a version of a secret, without their values."),
        ),
    )


_CONFIG = Path(
    "config",
    help="The settings of this mount: how many versions to keep, for how long, and whether writes must name the version they follow.",
    endpoints=(
        Endpoint(_READ, config.read, "Read the settings of this mount."),
        Endpoint(_UPDATE, config.write, "Change settings of this mount."),
    ),
)
_VERSIONS = (
    Path(
        "delete/{path...}",
        help="Mark versions as deleted. They cannot be read any more, and undelete restores them.",
        endpoints=(Endpoint(_UPDATE, versions.delete, "Mark versions of a secret as deleted."),),
    ),
    Path(
        "undelete/{path...}",
        help="Restore versions that were deleted. A destroyed version cannot be restored.",
        endpoints=(Endpoint(_UPDATE, versions.undelete, "Restore deleted versions of a secret."),),
    ),
    Path(
        "destroy/{path...}",
        help="Remove versions for good. That they existed stays on record.",
        endpoints=(Endpoint(_UPDATE, versions.destroy, "Destroy versions of a secret for good."),),
    ),
)
_METADATA = Path(
    "metadata/{path...}",
    help="What is known about a secret besides its content: its versions, its settings and texts of your own that describe it.",
    endpoints=(
        Endpoint(_READ, metadata.read, "Read the versions and the settings of a secret."),
        Endpoint(_UPDATE, metadata.write, "Change settings of a secret.", exists=metadata.exists),
        Endpoint(_PATCH, metadata.patch, "Change settings of a secret; custom metadata is merged."),
        Endpoint(_DELETE, metadata.delete, "Remove a secret with all its versions for good."),
    ),
)
_METADATA_LIST = Path(
    "metadata/{path*}",
    help="List the secrets and folders directly below a folder.",
    endpoints=(Endpoint(_LIST, metadata.list_names, "List the names of the secrets and folders below a folder."),),
)
_DETAILED = Path(
    "detailed-metadata/{path*}",
    help="List the secrets and folders directly below a folder, each secret with its metadata.",
    endpoints=(
        Endpoint(_LIST, metadata.list_detailed, "List the secrets below a folder with their metadata.", slow=True),
    ),
)
_MISPLACED = Path(
    "{path*}",
    help="Nothing is stored here: a versioned mount keeps secrets below data/ and what is known about them below metadata/.",
    endpoints=tuple(
        Endpoint(operation, misplaced, "Say which path of this mount was meant.") for operation in _COMMANDS
    ),
)
