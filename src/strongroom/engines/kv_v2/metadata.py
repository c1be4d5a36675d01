"""What is known about secrets besides their bodies: ``metadata/`` and ``detailed-metadata/``."""

from __future__ import annotations

from typing import Any

from strongroom.engines.entries import ListRequest, check_writable, listing, names_a_secret, names_below
from strongroom.engines.kv_v2.merge_patch import merge_patch
from strongroom.engines.kv_v2.record import Config, Metadata
from strongroom.engines.kv_v2.requests import MetadataRequest, SecretRequest
from strongroom.engines.kv_v2.settings import check_custom_metadata, named_settings
from strongroom.engines.kv_v2.store import METADATA, SecretStore
from strongroom.logical.backend import Context
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.request import Response
from strongroom.logical.secret_notes import new_texts, unreadable

_UNSET: dict[str, Any] = {
    "max_versions": 0,
    "cas_required": False,
    "delete_version_after": 0,
    "custom_metadata": {},
    "metadata_cas_required": False,
}


def exists(context: Context, request: MetadataRequest) -> bool:
    """Whether a write would be an update."""
    return names_a_secret(context, request.path) and SecretStore.of(context).find(request.path) is not None


def read(context: Context, request: SecretRequest) -> Response:
    """The settings and the versions of a secret."""
    metadata = SecretStore.of(context).find(request.path) if names_a_secret(context, request.path) else None
    if metadata is None:
        raise NotFound
    return Response(data=metadata.describe(), returned_keys=())


def write(context: Context, request: MetadataRequest) -> None:
    """Change the settings that the request names; custom metadata is replaced as a whole. Makes the secret if need be."""
    named = _named(context, request)
    if not named:
        return
    if "custom_metadata" in named:
        named["custom_metadata"] = check_custom_metadata(named["custom_metadata"])
    store = SecretStore.of(context)
    _change(context, store, request, store.find(request.path) or store.new(), named)


def patch(context: Context, request: MetadataRequest) -> None:
    """Change the settings that the request names; custom metadata is merged. The secret must be there."""
    named = _named(context, request)
    if not named:
        return
    store = SecretStore.of(context)
    metadata = store.find(request.path)
    if metadata is None:
        raise NotFound
    if request.custom_metadata is not None:
        named["custom_metadata"] = check_custom_metadata(merge_patch(metadata.custom_metadata, request.custom_metadata))
    _change(context, store, request, metadata, named)


def delete(context: Context, request: SecretRequest) -> None:
    """Remove the secret with all its versions for good; it is fine if there is none."""
    check_writable(context, request.path)
    store = SecretStore.of(context)
    metadata = store.find(request.path)
    if metadata is not None:
        store.remove(request.path, metadata)


def list_names(context: Context, request: ListRequest) -> Response:
    """The names directly below a folder."""
    return listing(names_below(context.storage, METADATA, request))


def list_detailed(context: Context, request: ListRequest) -> Response:
    """The names directly below a folder, each secret with its metadata; folders have none."""
    names = names_below(context.storage, METADATA, request)
    store = SecretStore.of(context)
    folder = f"{request.path}/" if request.path else ""
    found = ((name, None if name.endswith("/") else store.find(folder + name)) for name in names)
    key_info = {name: metadata.describe() if metadata else {} for name, metadata in found}
    return Response(data={"keys": names, "key_info": key_info}, returned_keys=())


def _named(context: Context, request: MetadataRequest) -> dict[str, Any]:
    check_writable(context, request.path)
    named = named_settings(context, request, _UNSET)
    if named.get("delete_version_after", 0) < 0:
        raise InvalidRequest("delete_version_after must not be negative; 0 unsets it")
    return named


def _change(
    context: Context, store: SecretStore, request: MetadataRequest, metadata: Metadata, named: dict[str, Any]
) -> None:
    config = store.config()
    _check_and_set(request, metadata, config)
    for name in ("cas_required", "metadata_cas_required"):
        if named.get(name) is False and getattr(config, name):
            context.warnings.append(
                f'"{name}" set to false, but is mandated by backend config. This value will be ignored.'
            )
    context.warnings.extend(unreadable(named.get("custom_metadata") or {}))
    before = metadata.custom_metadata
    context.fingerprints.judge(new_texts(before, named.get("custom_metadata") or {}))
    for name, value in named.items():
        setattr(metadata, name, value)
    metadata.metadata_version += 1
    metadata.updated_ns = store.now_ns
    store.save_described(request.path, metadata, before)


def _check_and_set(request: MetadataRequest, metadata: Metadata, config: Config) -> None:
    if request.metadata_cas is None:
        if config.metadata_cas_required or metadata.metadata_cas_required:
            raise InvalidRequest("metadata check-and-set parameter required for this call")
    elif request.metadata_cas != metadata.metadata_version:
        raise InvalidRequest("metadata check-and-set parameter does not match the current version")
