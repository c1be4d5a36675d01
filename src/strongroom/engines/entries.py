"""What the engines that keep secrets under names of the caller's choosing have in common: bodies, names and listings.

Owns the size limit and the exact JSON of a secret's body. Refuses to know versions, tokens or leases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from strongroom.encoding.json import decode, encode
from strongroom.logical.backend import Context
from strongroom.logical.errors import InvalidRequest, NotFound, TooLarge
from strongroom.logical.field import Doc
from strongroom.logical.request import Response
from strongroom.logical.storage import Storage

BODY_BYTES_MAX = 1024 * 1024
"""The largest body of one secret (one version, where there are versions), in bytes of compact JSON."""

V1_RECORDS = "v1/"
"""Where an unversioned key/value mount keeps its records. The upgrade to versions reads them there (docs/formats/kv.md)."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A listing of the names directly below a folder."""

    path: Annotated[str, Doc("The folder to list; empty for the top of the mount.")]
    after: Annotated[str, Doc("List only names that sort after this one; it need not exist.", public=True)] = ""
    limit: Annotated[int, Doc("How many names to answer at most; 0 or less for all.", public=True)] = 0


def encode_body(body: Mapping[str, Any]) -> bytes:
    """``body`` as compact JSON that keeps every number, every text and the order of keys. Raises TooLarge."""
    content = encode(body)
    if len(content) > BODY_BYTES_MAX:
        raise TooLarge(
            f"the secret is larger than {BODY_BYTES_MAX} bytes of JSON; split it over several secrets, "
            "or keep the large part elsewhere and store the key to it here"
        )
    return content


def decode_body(content: bytes) -> dict[str, Any]:
    """The inverse of :func:`encode_body`."""
    body: dict[str, Any] = decode(content)
    return body


def check_writable(context: Context, path: str) -> None:
    """Raise InvalidRequest where the request names a folder (or nothing) instead of a secret.

    The router drops one trailing slash. Without this check a request for ``app/``, which is what the ACL decided on, would
    change ``app``.
    """
    if path == "":
        raise InvalidRequest("missing path")
    if context.request.path.endswith("/"):
        raise InvalidRequest("cannot write to a path ending in '/'")


def names_a_secret(context: Context, path: str) -> bool:
    """Whether the request names a secret, and not a folder or the top of the mount."""
    return path != "" and not context.request.path.endswith("/")


def names_below(storage: Storage, folder: str, request: ListRequest) -> list[str]:
    """One page of the names directly below ``folder``/``request.path``, in order. Raises NotFound where there are none."""
    prefix = f"{folder}{request.path}/" if request.path else folder
    names = storage.children(prefix, after=request.after, limit=request.limit if request.limit > 0 else None)
    if not names:
        raise NotFound
    return names


def listing(names: list[str]) -> Response:
    """The answer to a listing. Names of secrets are not secret keys, so the audit record names no key."""
    return Response(data={"keys": names}, returned_keys=())
