"""Reading and writing the bodies of secrets: ``data/`` and ``subkeys/``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strongroom.engines.entries import check_writable, names_a_secret
from strongroom.engines.kv_v2.known import KnownSecret, KnownSecrets
from strongroom.engines.kv_v2.merge_patch import merge_patch
from strongroom.engines.kv_v2.record import Config, Metadata, Version
from strongroom.engines.kv_v2.requests import ReadVersionRequest, SecretRequest, SubkeysRequest, WriteRequest
from strongroom.engines.kv_v2.store import SecretStore
from strongroom.logical.backend import Context
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import decode_int
from strongroom.logical.request import Response


def exists(context: Context, request: WriteRequest) -> bool:
    """Whether a write would be an update: something is known about the secret, even if all its versions are deleted."""
    return names_a_secret(context, request.path) and SecretStore.of(context).has(request.path)


class Reader:
    """Reads bodies. What it remembers of their secrets saves opening and decoding that again; see :mod:`strongroom.engines.kv_v2.known`."""

    def __init__(self) -> None:
        self._known = KnownSecrets()

    def read(self, context: Context, request: ReadVersionRequest) -> Response:
        """The body of one version. A deleted or destroyed one is NotFound with its metadata."""
        store, secret, version = self._found(context, request.path, request.version)
        described = secret.describe(version)
        if not version.is_readable(store.now_ns):
            raise NotFound(data={"data": None, "metadata": described})
        body = store.body_of(request.path, secret, version)
        return Response(data={"data": body, "metadata": described}, returned_keys=tuple(body))

    def read_subkeys(self, context: Context, request: SubkeysRequest) -> Response:
        """The keys of one version without their values."""
        if request.depth < 0:
            raise InvalidRequest("depth must not be negative; leave it out, or write 0, for all levels")
        store, secret, version = self._found(context, request.path, request.version)
        described = secret.describe(version)
        if not version.is_readable(store.now_ns):
            raise NotFound(data={"subkeys": None, "metadata": described})
        body = store.body_of(request.path, secret, version)
        return Response(data={"subkeys": _keys_only(body, request.depth), "metadata": described}, returned_keys=())

    def _found(self, context: Context, path: str, number: int) -> tuple[SecretStore, KnownSecret, Version]:
        store = SecretStore.of(context)
        secret = store.look_up(path, self._known) if names_a_secret(context, path) else None
        version = secret.metadata.find(number) if secret else None
        if secret is None or version is None:
            raise NotFound
        return store, secret, version


def write(context: Context, request: WriteRequest) -> Response:
    """Add a version."""
    check_writable(context, request.path)
    if request.data is None:
        raise InvalidRequest("no data provided")
    store = SecretStore.of(context)
    config, metadata = store.config(), store.find(request.path) or store.new()
    _check_and_set(context, request.options, metadata, config)
    version = store.add(request.path, metadata, config, request.data)
    return Response(data=metadata.describe_version(version), returned_keys=())


def patch(context: Context, request: WriteRequest) -> Response:
    """Add a version that is the newest one with some keys changed. The newest one must be readable."""
    check_writable(context, request.path)
    if request.data is None:
        raise InvalidRequest("no data provided")
    store = SecretStore.of(context)
    metadata = store.find(request.path)
    if metadata is None:
        raise NotFound
    config = store.config()
    _check_and_set(context, request.options, metadata, config)
    newest = metadata.find(0)
    if newest is None:
        raise NotFound
    if not newest.is_readable(store.now_ns):
        raise NotFound(data=metadata.describe_version(newest))
    body = merge_patch(store.body(request.path, metadata, newest), request.data)
    version = store.add(request.path, metadata, config, body)
    return Response(data=metadata.describe_version(version), returned_keys=())


def delete(context: Context, request: SecretRequest) -> None:
    """Mark the newest version as deleted; it is fine if there is none, or if it is deleted already."""
    check_writable(context, request.path)
    store = SecretStore.of(context)
    metadata = store.find(request.path)
    newest = metadata.find(0) if metadata else None
    if metadata is None or newest is None or not newest.is_readable(store.now_ns):
        return
    newest.deletion_ns = store.now_ns
    store.save(request.path, metadata)


def _check_and_set(context: Context, options: Mapping[str, Any] | None, metadata: Metadata, config: Config) -> None:
    given = options or {}
    if given.keys() - {"cas"}:
        context.warnings.append('the only option of a write is "cas"; the others were ignored')
    if "cas" not in given:
        if config.cas_required or metadata.cas_required:
            raise InvalidRequest("check-and-set parameter required for this call")
        return
    try:
        expected = decode_int(given["cas"])
    except ValueError:
        raise InvalidRequest("error parsing check-and-set parameter: 'cas' must be a whole number") from None
    if expected != metadata.current_version:
        raise InvalidRequest("check-and-set parameter did not match the current version")


def _keys_only(body: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """The keys of ``body`` with null for leaves. ``depth`` counts the levels to show; 0 shows all."""
    return {
        key: _keys_only(value, depth - 1) if isinstance(value, dict) and value and depth != 1 else None
        for key, value in body.items()
    }
