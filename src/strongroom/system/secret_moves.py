"""``sys/secrets/move`` and ``sys/secrets/copy``: secrets change their place on the server, with their versions and notes, without being shown.

What is moved or copied needs the rights that doing it by hand would need, on both sides. Nothing goes to where more people may read it: from an environment
only within it or, moved, to a more sensitive one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from strongroom.environments.reason import require_reason
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.logical.field import Doc
from strongroom.logical.inventory import SecretState
from strongroom.logical.operation import Capability, Operation
from strongroom.logical.path import check_canonical
from strongroom.logical.request import Response
from strongroom.system.node import Node
from strongroom.system.secret_access import Access, SecretMount
from strongroom.system.secret_walk import BYTES_MAX, Walk

SECRETS_MAX = 200
"""How many secrets of a folder change their place at once."""


@dataclass(slots=True)
class Places:
    """From where to where."""

    from_: Annotated[
        str, Doc("The secret, with the path of its mount; or a folder, with a slash at its end.", public=True)
    ]
    to: Annotated[
        str, Doc("Where it shall be, with the path of a mount; for a folder with a slash at its end.", public=True)
    ]


@dataclass(frozen=True, slots=True)
class Trip:
    """One secret and both its places."""

    source: SecretMount
    path: str
    state: SecretState
    target: SecretMount
    target_path: str


class SecretMoveArea:
    """Moving, renaming and copying secrets."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        # They open every version of a secret, so not in the loop.
        return (
            Path(
                "secrets/move",
                "Move or rename a secret, or the secrets of a folder, with all versions and notes. The token needs to read and remove them "
                "in the old place, and to create them in the new one.",
                (Endpoint(Operation.UPDATE, self.move, "Move or rename secrets.", any_access=True, slow=True),),
            ),
            Path(
                "secrets/copy",
                "Copy a secret, or the secrets of a folder, with all versions and notes. The token needs to read them in the old place, "
                "and to create them in the new one.",
                (Endpoint(Operation.UPDATE, self.copy, "Copy secrets.", any_access=True, slow=True),),
            ),
        )

    def move(self, context: Context, request: Places) -> Response:
        """All of it or nothing. Raises NotFound, AccessDenied, InvalidRequest."""
        return self._transfer(context, request, removes=True)

    def copy(self, context: Context, request: Places) -> Response:
        """All of it or nothing. Raises NotFound, AccessDenied, InvalidRequest."""
        return self._transfer(context, request, removes=False)

    def _transfer(self, context: Context, request: Places, *, removes: bool) -> Response:
        access = Access(self._node, context)
        source, path = _place(access, request.from_)
        target, target_path = _place(access, request.to)
        is_folder = request.from_.endswith("/")
        if is_folder is not request.to.endswith("/"):
            raise InvalidRequest("a folder goes to a folder and a secret to a secret: a folder has a slash at its end")
        if source.kind != target.kind:
            raise InvalidRequest("both mounts must keep versions, or none of them; see 'kv enable-versioning'")
        _require_direction(source, target, removes=removes)
        trips = list(
            _folder(access, source, path, target, target_path)
            if is_folder
            else _one(access, source, path, target, target_path)
        )
        if not trips:
            raise NotFound("nothing that you may list or read is there")
        for trip in trips:
            _require_rights(access, trip, removes=removes)
        # Rights come first: who has none learns neither what is there nor what is protected.
        for trip in trips:
            if access.state(trip.target, trip.target_path) is not None:
                raise InvalidRequest(
                    "there is a secret in the new place already; remove it first, or choose another place"
                )
        if removes:
            require_reason(context.request, source.environment)
        require_reason(context.request, target.environment)
        done = [self._go(access, trip, removes=removes) for trip in trips]
        return Response(data={"secrets": done}, returned_keys=())

    def _go(self, access: Access, trip: Trip, *, removes: bool) -> dict[str, Any]:
        # Within an environment nothing comes to be in use that was not there before.
        stays = trip.source.environment is trip.target.environment
        here, there = access.interior(trip.source), access.interior(trip.target, is_known=stays)
        versions = trip.source.inventory.transfer(here, trip.path, there, trip.target_path, removes=removes)
        return {
            "from": trip.source.path + trip.path,
            "to": trip.target.path + trip.target_path,
            "versions": versions,
        }


def _place(access: Access, text: str) -> tuple[SecretMount, str]:
    check_canonical(text)
    found = access.at(text)
    if found is None:
        raise AccessDenied  # said like any other no: whether there is such a mount is not told
    return found


def _require_direction(source: SecretMount, target: SecretMount, *, removes: bool) -> None:
    """Refuse what would take values to where more people may read them, or have them in two environments."""
    here, there = source.environment, target.environment
    if here is None or here is there:
        return
    if there is None or there.rank < here.rank:
        raise InvalidRequest("secrets do not leave for a less sensitive environment, or for none")
    if not removes:
        raise InvalidRequest(
            "a copy would have the same values in two environments; use sys/promote (strongroom env promote)"
        )


def _one(access: Access, source: SecretMount, path: str, target: SecretMount, target_path: str) -> list[Trip]:
    if not path or not target_path:
        raise InvalidRequest("name a secret below the mount on both sides")
    if not access.may_read(source, path):
        raise AccessDenied
    state = access.state(source, path)
    return [] if state is None else [Trip(source, path, state, target, target_path)]


def _folder(access: Access, source: SecretMount, path: str, target: SecretMount, target_path: str) -> list[Trip]:
    folder, target_folder = (f"{one}/" if one else "" for one in (path, target_path))
    if source.uuid == target.uuid and target_folder.startswith(folder):
        raise InvalidRequest("a folder does not go into itself")
    trips: list[Trip] = []
    size = 0
    for name in Walk(access).names(source, folder, ""):
        state = access.state(source, name.path)
        if state is not None:
            trips.append(Trip(source, name.path, state, target, target_folder + name.path[len(folder) :]))
            size += state.size
        if len(trips) > SECRETS_MAX or size > BYTES_MAX or name.closes:
            raise InvalidRequest(
                f"{SECRETS_MAX} secrets and {BYTES_MAX} bytes of them go at once, and no more than may be listed; take folders further down"
            )
    return trips


def _require_rights(access: Access, trip: Trip, *, removes: bool) -> None:
    """Whether the caller could do the same by hand. Raises AccessDenied."""
    if not (_may_take(access, trip, removes=removes) and _may_put(access, trip)):
        raise AccessDenied


def _may_take(access: Access, trip: Trip, *, removes: bool) -> bool:
    mount, path = trip.source, trip.path
    return (
        access.may_read(mount, path)
        and access.may(mount, Capability.READ, mount.metadata(path))
        # What was deleted is not readable here, and might be over there.
        and (not trip.state.has_deleted or _may_undelete(access, mount, path))
        and (not removes or access.may(mount, Capability.DELETE, mount.metadata(path)))
    )


def _may_put(access: Access, trip: Trip) -> bool:
    mount, path = trip.target, trip.target_path
    if not access.may(mount, Capability.CREATE, mount.data(path), mount.layout.body(trip.state.values or {})):
        return False
    notes = {"custom_metadata": dict(trip.state.notes)} if trip.state.notes else {}
    return not mount.layout.has_versions or access.may(mount, Capability.CREATE, mount.metadata(path), notes)


def _may_undelete(access: Access, mount: SecretMount, path: str) -> bool:
    folder = mount.layout.undelete
    return folder is not None and access.may(mount, Capability.UPDATE, mount.path + folder + path)
