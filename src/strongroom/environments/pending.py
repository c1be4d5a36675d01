"""Mounts whose values are still to be listed for the guard: ``core/reuse-pending/<uuid>``."""

from __future__ import annotations

from strongroom.environments.map import EnvironmentMap
from strongroom.environments.store import all_environments
from strongroom.logical.storage import Storage

PENDING_AREA = "core/reuse-pending/"


def note_changes(storage: Storage, before: EnvironmentMap) -> bool:
    """After a change of environments: have every mount gone through whose values were not listed before; whether there is one."""
    added = EnvironmentMap(all_environments(storage)).listed_mounts - before.listed_mounts
    for uuid in added:
        storage.put(PENDING_AREA + uuid, b"")
    return bool(added)


def is_pending(storage: Storage, uuid: str) -> bool:
    """Whether the mount was not gone through to the end yet."""
    return storage.get(PENDING_AREA + uuid) is not None
