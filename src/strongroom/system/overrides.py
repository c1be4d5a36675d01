"""``sys/overrides``: values that one person puts over those of an environment, for themselves alone.

They are for development: no protected environment has them, nor the most sensitive one. Only whoever set them is given them, by the clients that deliver
secrets; the secret itself, and what everybody else reads, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.path import check_canonical
from strongroom.logical.request import Response
from strongroom.system.area import Nothing
from strongroom.system.node import Node
from strongroom.system.override_store import Override, Overrides, owner_of, takes_overrides
from strongroom.system.secret_access import Access, SecretMount

_PATH_DOC = Doc("The secret, with the path of its mount.", public=True)


@dataclass(slots=True)
class SetOverride:
    """Values to put over those of a secret; those of other keys stay."""

    path: Annotated[str, _PATH_DOC]
    data: Annotated[dict[str, Any], Doc("The values, by key.")]


@dataclass(slots=True)
class UnsetOverride:
    """What to take away."""

    path: Annotated[str, _PATH_DOC]
    keys: Annotated[list[str], Doc("The keys; all, if left out.", public=True)] = field(default_factory=list)


class OverrideArea:
    """The overrides of whoever asks."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path(
                "overrides",
                "Values that the caller put over those of secrets in environments that allow it. Each caller has their own, and sees no others.",
                (
                    Endpoint(Operation.READ, self.read, "Read one's own overrides.", any_access=True),
                    Endpoint(
                        Operation.LIST, self.list_names, "List one's own overrides, without values.", any_access=True
                    ),
                    Endpoint(Operation.UPDATE, self.set, "Put values over those of a secret.", any_access=True),
                    Endpoint(Operation.DELETE, self.unset, "Take one's own values away again.", any_access=True),
                ),
            ),
        )

    def read(self, context: Context, _: Nothing) -> Response:
        """What counts now: overrides of secrets that the caller may still read, in environments that still allow them."""
        found = [
            {"path": mount.path + one.path, "environment": mount.environment.name, "data": dict(one.values)}
            for mount, one in self._in_force(context)
            if mount.environment is not None
        ]
        names = tuple(sorted({key for one in found for key in one["data"]}))
        return Response(data={"overrides": found}, returned_keys=names)

    def list_names(self, context: Context, _: Nothing) -> Response:
        """``PATH#KEY`` of what counts now. Raises NotFound where there is nothing."""
        keys = [f"{mount.path}{one.path}#{key}" for mount, one in self._in_force(context) for key in one.values]
        if not keys:
            raise NotFound
        return Response(data={"keys": sorted(keys)}, returned_keys=())

    def set(self, context: Context, request: SetOverride) -> None:
        """Set. Raises InvalidRequest where the environment takes none, or the value is in use in a more sensitive one."""
        access, overrides = self._of_caller(context)
        mount, path = _secret(access, request.path)
        if not request.data:
            raise InvalidRequest("no values were sent in 'data'")
        if not takes_overrides(mount.environment, access.environments):
            raise InvalidRequest(
                "values are overridden in environments that are neither protected nor the most sensitive, and nowhere else"
            )
        context.fingerprints.of_mount(mount.uuid).judge(request.data)
        overrides.put(mount.uuid, path, {**overrides.of(mount.uuid, path), **request.data})

    def unset(self, context: Context, request: UnsetOverride) -> None:
        """Take away; nothing happens where there is none."""
        access, overrides = self._of_caller(context)
        found = access.at(check_canonical(request.path))
        if found is None:
            raise AccessDenied
        mount, path = found
        left = {
            key: value
            for key, value in overrides.of(mount.uuid, path).items()
            if request.keys and key not in request.keys
        }
        overrides.put(mount.uuid, path, left)

    def _of_caller(self, context: Context) -> tuple[Access, Overrides]:
        access = Access(self._node, context)
        owner = owner_of(access.token, self._node.require().fingerprint_key)
        if owner is None:
            raise InvalidRequest(
                "overrides belong to whoever logged in, and this token was made without a login; log in first"
            )
        return access, Overrides(context.storage, owner)

    def _in_force(self, context: Context) -> Iterator[tuple[SecretMount, Override]]:
        access = Access(self._node, context)
        owner = owner_of(access.token, self._node.require().fingerprint_key)
        if owner is None:
            return
        mounts = {mount.uuid: mount for mount in access.mounts()}
        for one in Overrides(context.storage, owner):
            mount = mounts.get(one.mount_uuid)
            if (
                mount is not None
                and takes_overrides(mount.environment, access.environments)
                and access.may_read(mount, one.path)
            ):
                yield mount, one


def _secret(access: Access, text: str) -> tuple[SecretMount, str]:
    """The secret that the caller means, and may read. Raises AccessDenied."""
    found = access.at(check_canonical(text))
    if found is None or not found[1] or text.endswith("/") or not access.may_read(*found):
        raise AccessDenied
    return found
