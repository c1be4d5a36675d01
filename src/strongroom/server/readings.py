"""What is measured by looking, whenever somebody asks for the metrics."""

from __future__ import annotations

import os
from pathlib import Path

from strongroom import __version__
from strongroom.backup.folder import BackupFolder
from strongroom.http.listener import Listener
from strongroom.logical.errors import Sealed
from strongroom.logical.instant import NANOSECONDS
from strongroom.physical.store import StoreError
from strongroom.server.pool import Pool
from strongroom.system.node import Node
from strongroom.system.plugs import Plugs
from strongroom.system.unsealed import SYSTEM_TYPE, TOKEN_TYPE
from strongroom.telemetry import catalog, process
from strongroom.telemetry.board import Place
from strongroom.telemetry.catalog import MOUNT_TYPES, NO_MOUNT_TYPE, VERSIONS
from strongroom.telemetry.instruments import Labels, Telemetry
from strongroom.telemetry.labels import DeviceState, Vocabulary


def new_telemetry(plugs: Plugs, place: Place) -> Telemetry:
    """The instruments of a server with these plugs."""
    engines = {name.partition("/")[0] for name in plugs.engines}
    types = {*engines, *plugs.auth_methods, SYSTEM_TYPE, TOKEN_TYPE, NO_MOUNT_TYPE}
    return Telemetry({MOUNT_TYPES: Vocabulary(types), VERSIONS: Vocabulary((__version__,))}, place, os.getpid())


def read_node(node: Node, folder: Path | None) -> None:
    """Have the metrics of the vault read. ``folder`` is where the store keeps its files, None for memory."""
    telemetry = node.telemetry
    started = node.clock.now_ns() / NANOSECONDS
    version: Labels = (telemetry.word(VERSIONS, __version__),)
    telemetry.read_from(catalog.BUILD, lambda: {version: 1.0})
    telemetry.read_from(catalog.START_SECONDS, lambda: started)
    telemetry.read_from(catalog.UNSEALED, lambda: float(node.unsealed is not None))
    telemetry.read_from(catalog.INITIALIZED, lambda: _initialized(node))
    telemetry.read_from(catalog.TERM, lambda: _term(node)[0])
    telemetry.read_from(catalog.ENCRYPTIONS, lambda: _term(node)[1])
    telemetry.read_from(catalog.AUDIT_DEVICES, lambda: _devices(node))
    telemetry.read_from(catalog.AUDIT_FAILURES, lambda: float(sum(device.failures for device in node.broker.health)))
    telemetry.read_from(catalog.BACKUP_TIME, lambda: _newest_backup(node))
    telemetry.read_from(catalog.STORE_BYTES, lambda: process.folder_bytes(folder) if folder else 0.0)
    telemetry.read_from(catalog.MEMORY_BYTES, lambda: process.resident_bytes(telemetry.pids))
    telemetry.read_from(catalog.CPU_SECONDS, lambda: process.cpu_seconds(telemetry.pids))
    telemetry.read_from(catalog.OPEN_FDS, process.open_descriptors)
    telemetry.read_from(catalog.MAX_FDS, process.most_descriptors)


def read_edge(telemetry: Telemetry, listener: Listener, pool: Pool) -> None:
    """Have the metrics of the listener and the pool of this process read."""
    telemetry.read_from(catalog.CONNECTIONS, lambda: float(listener.visitors.open))
    telemetry.read_from(catalog.CONNECTIONS_REFUSED, lambda: float(listener.visitors.refused))
    telemetry.read_from(catalog.SHED, lambda: float(listener.shed))
    telemetry.read_from(catalog.POOL_BUSY, lambda: float(pool.busy))
    telemetry.read_from(catalog.POOL_WAITING, lambda: float(pool.waiting))
    telemetry.read_from(catalog.POOL_REFUSED, lambda: float(pool.refused))


def _initialized(node: Node) -> float | None:
    try:
        return float(node.lifecycle.status().initialized)
    except StoreError:
        return None


def _newest_backup(node: Node) -> float | None:
    """From the folder, so that every process knows; None where there is no schedule, or nobody can tell."""
    unsealed, folder = node.unsealed, node.settings.backup_folder
    if unsealed is None or not folder:
        return None
    try:
        stored = BackupFolder(Path(folder)).of_vault(unsealed.cluster_id)
    except OSError:
        return 0.0
    return stored[-1].time_ns / NANOSECONDS if stored else 0.0


def _term(node: Node) -> tuple[float | None, float | None]:
    """The number of the active term and its encryptions, where the vault is open."""
    unsealed = node.unsealed
    if unsealed is None:
        return None, None
    try:
        status = unsealed.barrier.key_status()
    except Sealed:
        return None, None
    return float(status.term), float(status.encryptions)


def _devices(node: Node) -> dict[Labels, float]:
    health = node.broker.health
    healthy = sum(1 for device in health if device.is_healthy)
    return {(DeviceState.HEALTHY,): float(healthy), (DeviceState.FAILED,): float(len(health) - healthy)}
