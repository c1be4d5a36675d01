"""The composition root: from a configuration to a vault and the application that answers for it. Nothing else sees everything."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

from strongroom.audit.broker import Broker
from strongroom.audit.options import Limits
from strongroom.audit.rule import Rule
from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.static import (
    AbsentSeal,
    StaticSeal,
    key_from_credential,
    key_from_descriptor,
    key_from_file,
)
from strongroom.logical.ambient import Clock, Entropy
from strongroom.physical.memory import MemoryStore
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import Store, Unavailable
from strongroom.server.builtins import PLUGS
from strongroom.server.commons import Commons
from strongroom.server.config_kinds import KeyPlace, KeySource
from strongroom.server.config_values import (
    AuditDeviceConfig,
    SealConfig,
    SealType,
    ServerConfig,
    StorageType,
    TcpListener,
)
from strongroom.server.lost_vault import refuse_lost_vault
from strongroom.server.measured_store import MeasuredStore
from strongroom.server.readings import new_telemetry, read_node
from strongroom.system import audit_devices
from strongroom.system.audit_devices import StoredDevice
from strongroom.system.auth_token import TokenBackend
from strongroom.system.backend import SystemBackend
from strongroom.system.node import Node
from strongroom.system.plugs import Plugs
from strongroom.system.settings import Settings
from strongroom.telemetry.board import Board, Place

_DEFAULT_AUDIT_FOLDERS = ("/var/log", tempfile.gettempdir())
"""Where audit files made through the API may lie where the configuration names no folder."""


def assemble(
    config: ServerConfig,
    clock: Clock,
    entropy: Entropy,
    *,
    plugs: Plugs = PLUGS,
    is_shared: bool = False,
    commons: Commons | None = None,
    opens_vault: bool = True,
) -> Node:
    """The vault that ``config`` describes, sealed or not initialized. Raises Unavailable and InvalidRequest with what is wrong.

    ``is_shared`` says that other processes of this server have the store open too, and ``commons`` is the memory that they share.
    ``opens_vault`` is False in those that are handed the root key, and so have no use for the seal's.
    """
    store = open_store(config, is_shared=is_shared)
    return assemble_on(store, config, clock, entropy, plugs=plugs, commons=commons, opens_vault=opens_vault)


def assemble_on(
    store: Store,
    config: ServerConfig,
    clock: Clock,
    entropy: Entropy,
    *,
    plugs: Plugs = PLUGS,
    commons: Commons | None = None,
    opens_vault: bool = True,
) -> Node:
    """The same, on a store that is open already."""
    telemetry = new_telemetry(plugs, commons.place if commons else Place(Board()))
    measured = MeasuredStore(store, telemetry, clock)
    seal, leaving = (
        auto_seal(one, entropy) if opens_vault else absent_seal(one) for one in (config.seal, config.leaving_seal)
    )
    lifecycle = Lifecycle(Surroundings(measured, clock, entropy), seal, leaving)
    broker = Broker(clock, entropy, Rule(frozenset(config.audit_required)))
    node = Node(lifecycle, broker, settings_from(config), plugs, telemetry, clock=clock, entropy=entropy)
    if commons is not None:
        node.quota_counts = commons.quota_counts
        node.process_number = commons.place.row
    read_node(node, Path(config.storage.path) if config.storage.path else None)
    node.system_backend = SystemBackend(node)
    node.token_backend = TokenBackend(node)
    for device in config.audit_devices:
        limits = node.audit_limits(from_api=False)
        node.broker.enable(audit_devices.opened(_stored(device), plugs.audit_devices, limits))
    if opens_vault:
        _refuse_lost_vault(node, config)
    return node


def _refuse_lost_vault(node: Node, config: ServerConfig) -> None:
    try:
        refuse_lost_vault(node, config)
    except BaseException:
        node.close()
        raise


def open_store(config: ServerConfig, *, is_shared: bool = False) -> Store:
    """The store that the configuration names."""
    if config.storage.type is StorageType.MEMORY:
        return MemoryStore()
    return SqliteStore(Path(config.storage.path), is_shared=is_shared)


def auto_seal(config: SealConfig | None, entropy: Entropy) -> Seal | None:
    """The seal that unseals by itself, or None for shares in people's hands."""
    if config is None or config.type is SealType.SHAMIR or config.current_key is None:
        return None
    previous = None
    if config.previous_key is not None:
        previous = StaticSeal(read_key(config.previous_key), entropy, config.previous_key_id)
    return StaticSeal(read_key(config.current_key), entropy, config.current_key_id, previous=previous)


def absent_seal(config: SealConfig | None) -> Seal | None:
    """The same for a process that does not open the vault: it reads no key. A descriptor can be read only once, by the one that does."""
    if config is None or config.type is SealType.SHAMIR or config.current_key is None:
        return None
    for source in (config.current_key, config.previous_key):
        if source is not None and source.place is KeyPlace.DESCRIPTOR:
            with contextlib.suppress(OSError):
                os.close(int(source.location))
    return AbsentSeal()


def read_key(source: KeySource) -> bytearray:
    """The key at ``source``. Raises Unavailable."""
    if source.place is KeyPlace.FILE:
        return key_from_file(Path(source.location))
    if source.place is KeyPlace.DESCRIPTOR:
        return key_from_descriptor(int(source.location))
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        raise Unavailable("the seal's key is a credential, but CREDENTIALS_DIRECTORY is not set; start under systemd")
    return key_from_credential(Path(folder), source.location)


def audit_folders(config: ServerConfig) -> tuple[str, ...]:
    """Where the files of audit devices may lie that the store names: only where the configuration says so (SECURITY INV-15).

    Without a word about folders they may be where logs are, but only while the API may make devices at all: otherwise nobody meant any to
    be there, and what the store names came with a backup or by another hand.
    """
    if config.audit_paths_allowed:
        return config.audit_paths_allowed
    return _DEFAULT_AUDIT_FOLDERS if config.unsafe_allow_api_audit_creation else ()


def refuse_forbidden_device(stored: StoredDevice, config: ServerConfig, plugs: Plugs = PLUGS) -> None:
    """Raise InvalidRequest where the configuration does not allow an audit device that a store names. Opens nothing."""
    audit_devices.opened(stored, plugs.audit_devices, Limits(from_api=True, allowed_folders=audit_folders(config)))


def settings_from(config: ServerConfig) -> Settings:
    """What the vault's own API needs of the configuration."""
    rules = [listener.rules for listener in config.listeners]
    return Settings(
        default_lease_ttl=config.default_lease_ttl,
        max_lease_ttl=config.max_lease_ttl,
        cluster_name=config.cluster_name,
        api_address=config.api_addr or _first_address(config),
        storage_type=config.storage.type.value,
        unsafe_allow_api_audit_creation=config.unsafe_allow_api_audit_creation,
        audit_folders=audit_folders(config),
        allow_unauthenticated_rekey=any(not rule.disable_unauthed_rekey_endpoints for rule in rules),
        allow_unauthenticated_generate_root=any(not rule.disable_unauthed_generate_root_endpoints for rule in rules),
        on_tamper=config.on_tamper,
        integrity_anchor=config.integrity_anchor,
        backup_spool=config.storage.path,
        backup_folder=config.backup.path if config.backup else "",
        backup_interval=config.backup.interval if config.backup else 0,
        backup_keep=config.backup.keep if config.backup else 0,
        sanitized=_sanitized(config),
    )


def _stored(device: AuditDeviceConfig) -> StoredDevice:
    return StoredDevice(
        name=device.path.strip("/"),
        type=device.type,
        description=device.description,
        options=dict(device.options),
        local=device.local,
    )


def _first_address(config: ServerConfig) -> str:
    for listener in config.listeners:
        if isinstance(listener, TcpListener):
            scheme = "https" if listener.tls else "http"
            host = f"[{listener.address.host}]" if ":" in listener.address.host else listener.address.host
            return f"{scheme}://{host}:{listener.address.port}"
    return ""


def _sanitized(config: ServerConfig) -> dict[str, Any]:
    listeners = [
        {"type": "tcp", "config": {"address": f"{one.address.host}:{one.address.port}", "tls_disable": one.tls is None}}
        if isinstance(one, TcpListener)
        else {"type": "unix", "config": {"address": one.path}}
        for one in config.listeners
    ]
    return {
        "api_addr": config.api_addr,
        "cluster_addr": config.cluster_addr,
        "cluster_name": config.cluster_name,
        "default_lease_ttl": config.default_lease_ttl,
        "max_lease_ttl": config.max_lease_ttl,
        "disable_mlock": config.disable_mlock,
        "enable_ui": config.ui,
        "listeners": listeners,
        "log_format": config.log_format,
        "log_level": config.log_level,
        "pid_file": config.pid_file,
        "seals": [
            {"type": one.type.value, "disabled": one.disabled}
            for one in (config.seal, config.leaving_seal)
            if one is not None
        ],
        "storage": {"type": config.storage.type.value, "disable_clustering": True},
        "unsafe_allow_api_audit_creation": config.unsafe_allow_api_audit_creation,
    }
