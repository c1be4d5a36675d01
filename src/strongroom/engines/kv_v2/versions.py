"""Deleting, restoring and destroying versions by number: ``delete/``, ``undelete/`` and ``destroy/``.

Numbers of versions that are not there (any more) are passed over, as in Vault: the caller wanted them gone, and they are.
"""

from __future__ import annotations

from contextlib import suppress

from strongroom.crypto.aead import Damaged
from strongroom.engines.entries import check_writable
from strongroom.engines.kv_v2.record import Metadata, Version
from strongroom.engines.kv_v2.requests import VersionsRequest
from strongroom.engines.kv_v2.store import SecretStore
from strongroom.logical.backend import Context
from strongroom.logical.errors import InvalidRequest


def delete(context: Context, request: VersionsRequest) -> None:
    """Mark versions as deleted. Their bodies stay, and undelete brings them back."""
    store = SecretStore.of(context)
    metadata, chosen = _chosen(context, store, request)
    if metadata is None:
        return
    for version in chosen:
        if version.is_readable(store.now_ns):
            version.deletion_ns = store.now_ns
    store.save(request.path, metadata)


def undelete(context: Context, request: VersionsRequest) -> None:
    """Restore versions: their lifetime starts anew, where one is set. A destroyed version stays destroyed.

    Raises InvalidRequest where a value of one may not be here any more, because it came into use elsewhere since.
    """
    store = SecretStore.of(context)
    metadata, chosen = _chosen(context, store, request)
    if metadata is None:
        return
    config = store.config()
    for version in chosen:
        if not version.destroyed:
            if not version.is_readable(store.now_ns):
                with suppress(Damaged):  # which nobody will be able to read either
                    context.fingerprints.judge(store.body(request.path, metadata, version))
            version.deletion_ns = metadata.next_deletion_ns(config, store.now_ns)
    store.save(request.path, metadata)


def destroy(context: Context, request: VersionsRequest) -> None:
    """Remove the bodies of versions for good. That they existed stays on record."""
    store = SecretStore.of(context)
    metadata, chosen = _chosen(context, store, request)
    if metadata is None:
        return
    for version in chosen:
        store.remove_body(request.path, version)
        version.destroyed = True
    store.save(request.path, metadata)


def _chosen(context: Context, store: SecretStore, request: VersionsRequest) -> tuple[Metadata | None, list[Version]]:
    check_writable(context, request.path)
    if not request.versions:
        raise InvalidRequest("No version number provided: name them in 'versions'")
    metadata = store.find(request.path)
    if metadata is None:
        return None, []
    numbers = set(request.versions)
    return metadata, [version for version in metadata.versions if version.number in numbers]
