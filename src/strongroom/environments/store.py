"""Environments in the storage: ``core/environment/NAME``. Whoever changes one touches the epoch in the same commit."""

from __future__ import annotations

import msgspec

from strongroom.environments.environment import Environment
from strongroom.logical.storage import Storage

_AREA = "core/environment/"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Environment).decode


def all_environments(storage: Storage) -> list[Environment]:
    """Every environment, the least sensitive first."""
    stored = (storage.get(key) for key in storage.scan(_AREA))
    return sorted((_decode(one) for one in stored if one is not None), key=lambda one: one.rank)


def find_environment(storage: Storage, name: str) -> Environment | None:
    """The environment called ``name``, or None."""
    stored = storage.get(_AREA + name)
    return None if stored is None else _decode(stored)


def put_environment(storage: Storage, environment: Environment) -> None:
    """Store ``environment``, in place of one with the same name."""
    storage.put(_AREA + environment.name, _encode(environment))


def delete_environment(storage: Storage, name: str) -> None:
    """Remove it; nothing happens if it is not there."""
    storage.delete(_AREA + name)


def take_out(storage: Storage, mount_uuid: str) -> Environment | None:
    """Have the mount belong to no environment any more, because it is gone or joins another one. Returns where it was."""
    for environment in all_environments(storage):
        if mount_uuid in environment.mounts:
            left = tuple(uuid for uuid in environment.mounts if uuid != mount_uuid)
            put_environment(storage, msgspec.structs.replace(environment, mounts=left))
            return environment
    return None
