"""Every plug of this server, literally. To see what exists, read this file; nothing registers itself (DESIGN 5)."""

from __future__ import annotations

from strongroom.audit.devices.file import open_file_device
from strongroom.auth.approle import AppRole
from strongroom.auth.userpass import UserPass
from strongroom.engines.cubbyhole import Cubbyhole
from strongroom.engines.kv_v1 import KvV1
from strongroom.engines.kv_v2 import KvV2, upgrade_from_v1
from strongroom.system.plugs import Plugs

PLUGS = Plugs(
    engines={
        "kv": KvV1,
        "kv/2": KvV2,
        "cubbyhole": Cubbyhole,
    },
    auth_methods={
        "approle": AppRole,
        "userpass": UserPass,
    },
    audit_devices={
        "file": open_file_device,
    },
    upgrade_kv=upgrade_from_v1,
)
