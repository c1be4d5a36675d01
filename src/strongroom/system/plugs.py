"""What a server is built from: the registries of plugs, handed in once by ``server/assemble`` and never looked up elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from strongroom.audit.devices import DeviceType
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.backend import Backend, Fingerprints
from strongroom.logical.storage import Storage

MakeBackend = Callable[[], Backend]
UpgradeKv = Callable[[Storage, str, Clock, Entropy, Fingerprints], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugs:
    """Secrets engines by type (a versioned ``kv`` is ``kv/2``), auth methods by type, audit devices by type."""

    engines: Mapping[str, MakeBackend]
    auth_methods: Mapping[str, MakeBackend]
    audit_devices: Mapping[str, DeviceType]
    upgrade_kv: UpgradeKv
