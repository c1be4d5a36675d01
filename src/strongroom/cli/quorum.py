"""What ``rekey`` and ``generate-root`` share: an operation that several people advance, each with a share of the key.

Servers name the paths of these operations differently. The first that the server knows is used, and it knows one where it
does not answer 404 or 405.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.prompts import given_or_hidden
from strongroom.cli.session import Session
from strongroom.client.client import Client
from strongroom.client.errors import ApiError

_UNKNOWN = frozenset({404, 405})


def contents(answer: Mapping[str, Any] | None) -> dict[str, Any]:
    """The members that matter, whether or not they came in an envelope."""
    found = dict(answer or {})
    inner = found.get("data")
    return dict(inner) if "request_id" in found and isinstance(inner, dict) else found


def first_known(client: Client, method: str, paths: Sequence[str], body: Any = None) -> tuple[str, dict[str, Any]]:
    """The answer of the first of ``paths`` that the server has, and which it was. Raises ClientError."""
    *others, last = paths
    for path in others:
        try:
            return path, contents(client.request(method, path, body=body).json())
        except ApiError as error:
            if error.status not in _UNKNOWN:
                raise
    return last, contents(client.request(method, last, body=body).json())


def nonce_for(given: str, status: Mapping[str, Any], argument: str | None) -> str:
    """The nonce to send: the given one. Only a person who is asked for the share may leave it out.

    Raises CommandFailed where a share is given without saying for which attempt.
    """
    if given:
        return given
    if argument is not None:
        raise CommandFailed("Missing nonce value: specify it via the -nonce flag")
    return str(status.get("nonce", ""))


def ask_for_share(session: Session, argument: str | None, nonce: str) -> str:
    """The share: from the argument, from standard input (``-``), or asked for."""
    if argument is None and session.interactive:
        session.note(f"Operation nonce: {nonce}")
    return given_or_hidden(session, argument, "Key share", "Pipe it in, with -nonce=... and - as the last argument")
