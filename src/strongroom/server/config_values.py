"""What the server's configuration says, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from strongroom.http.tls import TlsSettings
from strongroom.server.config_kinds import Address, KeySource


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerRules:
    """What a listener asks of requests, whatever its address. Sizes are bytes, times are seconds."""

    max_request_size: int
    max_request_duration: int
    http_read_header_timeout: int
    http_read_timeout: int
    http_write_timeout: int
    http_idle_timeout: int
    disable_unauthed_rekey_endpoints: bool
    disable_unauthed_generate_root_endpoints: bool
    unauthenticated_metrics_access: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpListener:
    """``listener "tcp"``. ``tls`` None means plain HTTP."""

    address: Address
    tls: TlsSettings | None
    rules: ListenerRules


@dataclass(frozen=True, slots=True, kw_only=True)
class UnixListener:
    """``listener "unix"``."""

    path: str
    mode: int
    rules: ListenerRules


class StorageType(Enum):
    """Where records are kept."""

    SQLITE = "sqlite"
    MEMORY = "inmem"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageConfig:
    """``storage``. ``path`` is an absolute folder, and empty for memory."""

    type: StorageType
    path: str = ""


class SealType(Enum):
    """How the vault is unsealed."""

    SHAMIR = "shamir"
    STATIC = "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealConfig:
    """``seal``. The keys are set for the static seal only; a ``disabled`` one is to be left."""

    type: SealType = SealType.SHAMIR
    current_key_id: str = ""
    current_key: KeySource | None = None
    previous_key_id: str = ""
    previous_key: KeySource | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDeviceConfig:
    """``audit "TYPE" "NAME"``. ``path`` is the name with a trailing slash, as the API writes it."""

    type: str
    path: str
    description: str = ""
    local: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupConfig:
    """``backup``. ``path`` is an absolute folder, ``interval`` in seconds; ``keep`` backups of the vault stay in the folder."""

    path: str
    interval: int
    keep: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Everything the server is told by its files. Times are seconds, sizes bytes, paths absolute.

    ``leaving_seal`` is the seal that the vault had until now, where it is to be migrated to ``seal``.
    ``warnings`` are sentences about settings that have no effect; they belong in the log at the start.
    """

    listeners: tuple[TcpListener | UnixListener, ...]
    storage: StorageConfig
    seal: SealConfig = SealConfig()
    leaving_seal: SealConfig | None = None
    audit_devices: tuple[AuditDeviceConfig, ...] = ()
    backup: BackupConfig | None = None
    api_addr: str = ""
    cluster_addr: str = ""
    cluster_name: str = ""
    default_lease_ttl: int = 768 * 3600
    max_lease_ttl: int = 768 * 3600
    log_level: str = "info"
    log_format: str = "standard"
    pid_file: str = ""
    ui: bool = False
    disable_mlock: bool = False
    lock_memory: bool = False
    max_connections: int = 4096
    max_connections_per_address: int = 1024
    workers: int = 1
    unsafe_allow_api_audit_creation: bool = False
    audit_required: tuple[str, ...] = ()
    audit_paths_allowed: tuple[str, ...] = ()
    on_tamper: str = "refuse"
    integrity_anchor: str = ""
    warnings: tuple[str, ...] = ()
