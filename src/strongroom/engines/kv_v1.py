"""Key/value secrets without versions: the body of the last write is the secret.

Owns the records below ``v1/`` of its mount (docs/formats/kv.md). Refuses partial writes (PATCH) and everything that would need
a version. The answer's ``lease_duration`` tells clients when to read again: it is the secret's own ``ttl`` or ``lease`` where it
has one, else the mount's default TTL. There is no lease behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from strongroom.engines.entries import (
    V1_RECORDS,
    ListRequest,
    check_writable,
    decode_body,
    encode_body,
    listing,
    names_a_secret,
    names_below,
)
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc, WholeBody, decode_duration
from strongroom.logical.inventory import Interior, Layout, SecretState
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.logical.storage import Storage

# Fingerprints are kept by version; a secret without versions always has its first.
_ONLY_VERSION = 1


@dataclass(frozen=True, slots=True)
class SecretRequest:
    """One secret, by its path."""

    path: Annotated[str, Doc("Where the secret lies below the mount.")]


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One secret and its whole new content."""

    path: Annotated[str, Doc("Where the secret lies below the mount.")]
    body: Annotated[WholeBody, Doc("The secret: a JSON object with at least one key, kept as it is.")]


class KvV1:
    """The ``kv`` engine, version 1."""

    help = (
        "Stores secrets of any shape under paths of your choosing. A write replaces the whole secret and keeps no earlier "
        "version; mount the engine with option version=2 to keep versions."
    )

    def values_in(self, storage: Storage, mount_uuid: str, after: str) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        """Every secret with its values; see ``KeepsValues``."""
        del mount_uuid
        for key in storage.scan(V1_RECORDS, V1_RECORDS + after if after else ""):
            content = storage.get(key)
            if content is not None:
                yield key.removeprefix(V1_RECORDS), [decode_body(content)]

    # For the system, see ``Inventory``

    def layout(self) -> Layout:
        """Where the API has the parts of a secret."""
        return Layout(data="", metadata="")

    def secret_paths(self, storage: Storage, folder: str, after: str) -> Iterator[str]:
        """The paths below a folder, in order."""
        found = storage.scan(V1_RECORDS + folder, V1_RECORDS + after if after else "")
        return (key.removeprefix(V1_RECORDS) for key in found)

    def state(self, interior: Interior, path: str) -> SecretState | None:
        """What the secret holds."""
        content = interior.storage.get(V1_RECORDS + path)
        return None if content is None else SecretState(values=decode_body(content), size=len(content))

    def store(self, interior: Interior, path: str, values: Mapping[str, Any]) -> int:
        """Replace the secret."""
        interior.storage.put(V1_RECORDS + path, encode_body(values))
        interior.fingerprints.record(path, _ONLY_VERSION, values)
        return 0

    def transfer(self, source: Interior, path: str, into: Interior, target: str, *, removes: bool) -> int:
        """Put a secret elsewhere."""
        content = source.storage.get(V1_RECORDS + path)
        if content is None:
            raise LookupError("there is no secret to transfer")
        body = decode_body(content)
        if removes:
            source.fingerprints.forget(path, body)
            source.storage.delete(V1_RECORDS + path)
        into.storage.put(V1_RECORDS + target, content)
        into.fingerprints.record(target, _ONLY_VERSION, body)
        return 0

    def paths(self) -> tuple[Path, ...]:
        """The one path of the engine."""
        return (
            Path(
                "{path*}",
                help="Read, write, delete and list secrets. The body of a write is the secret.",
                endpoints=(
                    Endpoint(Operation.READ, read, "Read a secret."),
                    Endpoint(Operation.UPDATE, write, "Write a secret, replacing what was there.", exists=exists),
                    Endpoint(Operation.DELETE, delete, "Delete a secret for good."),
                    Endpoint(Operation.LIST, list_names, "List the names of the secrets and folders below a folder."),
                ),
            ),
        )


def exists(context: Context, request: WriteRequest) -> bool:
    """Whether a write would be an update."""
    return names_a_secret(context, request.path) and context.storage.get(V1_RECORDS + request.path) is not None


def read(context: Context, request: SecretRequest) -> Response:
    """The secret, with the time after which to read it again."""
    content = context.storage.get(V1_RECORDS + request.path) if names_a_secret(context, request.path) else None
    if content is None:
        raise NotFound
    body = decode_body(content)
    seconds = _refresh_seconds(body, context.mount.default_lease_ttl)
    return Response(data=body, lease_duration=seconds, returned_keys=tuple(body))


def write(context: Context, request: WriteRequest) -> None:
    """Replace the secret with the request's body. What it was stays known by its fingerprints, like an earlier version."""
    check_writable(context, request.path)
    if not request.body:
        raise InvalidRequest("missing data fields")
    content = encode_body(request.body)
    context.storage.put(V1_RECORDS + request.path, content)
    context.fingerprints.record(request.path, _ONLY_VERSION, request.body)


def delete(context: Context, request: SecretRequest) -> None:
    """Delete the secret; it is fine if there is none."""
    check_writable(context, request.path)
    _forget(context, request.path)
    context.storage.delete(V1_RECORDS + request.path)


def list_names(context: Context, request: ListRequest) -> Response:
    """The names directly below a folder."""
    return listing(names_below(context.storage, V1_RECORDS, request))


def _forget(context: Context, path: str) -> None:
    content = context.storage.get(V1_RECORDS + path)
    if content is not None:
        context.fingerprints.forget(path, decode_body(content))


def _refresh_seconds(body: Mapping[str, Any], default: int) -> int:
    wish = body["ttl"] if "ttl" in body else body.get("lease")
    if wish is None:
        return default
    try:
        seconds = decode_duration(wish)
    except ValueError:
        # The key is the user's own and may hold anything; only a duration means something to us.
        return default
    return seconds if seconds >= 0 else default
