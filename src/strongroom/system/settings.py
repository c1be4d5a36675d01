"""What the configuration file says that the vault's own API needs to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Vault's clients parse this as semver and switch features on it: 1.14 is what we serve (CONTRACT 3).
API_VERSION = "1.14.8"

DEFAULT_LEASE_TTL = 768 * 3600
MAX_LEASE_TTL = 768 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """TTLs in seconds. ``audit_folders`` are where audit files created through the API may lie.

    ``on_tamper`` is one of ``system.integrity.OnTamper``, ``integrity_anchor`` the path of the store's anchor or empty.
    ``backup_spool`` is the folder for backups on their way to a client, ``backup_folder`` the one for those of the schedule, every
    ``backup_interval`` seconds, of which ``backup_keep`` are kept; empty for none.
    ``sanitized`` is the configuration as ``sys/config/state/sanitized`` shows it: without any secret or path of a key.
    """

    default_lease_ttl: int = DEFAULT_LEASE_TTL
    max_lease_ttl: int = MAX_LEASE_TTL
    cluster_name: str = ""
    api_address: str = ""
    storage_type: str = "inmem"
    unsafe_allow_api_audit_creation: bool = False
    audit_folders: tuple[str, ...] = ()
    allow_unauthenticated_rekey: bool = False
    allow_unauthenticated_generate_root: bool = False
    on_tamper: str = "refuse"
    integrity_anchor: str = ""
    backup_spool: str = ""
    backup_folder: str = ""
    backup_interval: int = 0
    backup_keep: int = 0
    sanitized: Mapping[str, Any] = field(default_factory=dict)
