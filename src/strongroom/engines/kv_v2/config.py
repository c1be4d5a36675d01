"""The settings of the mount: ``config``."""

from __future__ import annotations

from strongroom.engines.kv_v2.record import DELETE_VERSION_AFTER_DISABLED
from strongroom.engines.kv_v2.requests import ConfigRequest, ReadConfigRequest
from strongroom.engines.kv_v2.settings import named_settings
from strongroom.engines.kv_v2.store import SecretStore
from strongroom.logical.backend import Context
from strongroom.logical.instant import format_duration
from strongroom.logical.request import Response

_UNSET = {"max_versions": 0, "cas_required": False, "delete_version_after": 0, "metadata_cas_required": False}


def read(context: Context, _: ReadConfigRequest) -> Response:
    """The settings of the mount."""
    config = SecretStore.of(context).config()
    return Response(
        data={
            "cas_required": config.cas_required,
            "delete_version_after": format_duration(config.delete_version_after),
            "max_versions": config.max_versions,
            "metadata_cas_required": config.metadata_cas_required,
        },
        returned_keys=(),
    )


def write(context: Context, request: ConfigRequest) -> None:
    """Change the settings that the request names. They hold for writes from now on; nothing stored changes."""
    named = named_settings(context, request, _UNSET)
    if not named:
        return
    if named.get("delete_version_after", 0) < 0:
        named["delete_version_after"] = DELETE_VERSION_AFTER_DISABLED
    store = SecretStore.of(context)
    config = store.config()
    for name, value in named.items():
        setattr(config, name, value)
    store.save_config(config)
