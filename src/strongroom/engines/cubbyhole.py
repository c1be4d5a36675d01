"""A private drawer for every token: nobody else can reach it, and it is emptied when the token dies.

Owns one folder per token, named by the token's keyed hash (``<token id>/<path>``). Refuses batch tokens, which are not stored and
so have no moment at which their drawer could be emptied. Values here are short-lived and carry no fingerprint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from strongroom.engines.entries import (
    ListRequest,
    check_writable,
    decode_body,
    encode_body,
    listing,
    names_a_secret,
    names_below,
)
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest, NotFound, PermissionDenied
from strongroom.logical.field import Doc, WholeBody
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.logical.storage import Storage, delete_tree


@dataclass(frozen=True, slots=True)
class SecretRequest:
    """One entry of the caller's drawer, by its path."""

    path: Annotated[str, Doc("Where the entry lies in the token's own drawer.")]


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One entry of the caller's drawer and its whole new content."""

    path: Annotated[str, Doc("Where the entry lies in the token's own drawer.")]
    body: Annotated[WholeBody, Doc("The entry: a JSON object with at least one key, kept as it is.")]


class Cubbyhole:
    """The ``cubbyhole`` engine. Its one mount holds the drawers of all tokens."""

    help = (
        "Stores entries that only the token which wrote them can read. They are gone when the token expires or is revoked, and "
        "no other token, not even a root token, can see them."
    )

    def paths(self) -> tuple[Path, ...]:
        """The one path of the engine."""
        return (
            Path(
                "{path*}",
                help="Read, write, delete and list entries of the token's own drawer. The body of a write is the entry.",
                endpoints=(
                    Endpoint(Operation.READ, read, "Read an entry of your token's drawer."),
                    Endpoint(Operation.UPDATE, write, "Write an entry, replacing what was there.", exists=exists),
                    Endpoint(Operation.DELETE, delete, "Delete an entry for good."),
                    Endpoint(Operation.LIST, list_names, "List the names of the entries and folders below a folder."),
                ),
            ),
        )

    def drop(self, storage: Storage, token_id: str) -> None:
        """Empty the drawer of the token with this id; it is fine if it is empty."""
        delete_tree(storage, f"{token_id}/")


def exists(context: Context, request: WriteRequest) -> bool:
    """Whether a write would be an update. Never refuses: that is for the handler, after the ACL has decided."""
    if context.caller is None or context.caller.is_batch or not names_a_secret(context, request.path):
        return False
    return context.storage.get(_drawer(context) + request.path) is not None


def read(context: Context, request: SecretRequest) -> Response:
    """The entry as it was written."""
    drawer = _drawer(context)
    content = context.storage.get(drawer + request.path) if names_a_secret(context, request.path) else None
    if content is None:
        raise NotFound
    body = decode_body(content)
    return Response(data=body, returned_keys=tuple(body))


def write(context: Context, request: WriteRequest) -> None:
    """Replace the entry with the request's body."""
    drawer = _drawer(context)
    check_writable(context, request.path)
    if not request.body:
        raise InvalidRequest("missing data fields")
    context.storage.put(drawer + request.path, encode_body(request.body))


def delete(context: Context, request: SecretRequest) -> None:
    """Delete the entry; it is fine if there is none."""
    drawer = _drawer(context)
    check_writable(context, request.path)
    context.storage.delete(drawer + request.path)


def list_names(context: Context, request: ListRequest) -> Response:
    """The names directly below a folder of the drawer."""
    return listing(names_below(context.storage, _drawer(context), request))


def _drawer(context: Context) -> str:
    caller = context.caller
    if caller is None or not caller.token_id:
        raise PermissionDenied
    if caller.is_batch:
        raise InvalidRequest("cubbyhole operations are only supported by 'service' type tokens")
    return f"{caller.token_id}/"
