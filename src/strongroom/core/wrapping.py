"""Response wrapping: the answer stays here, and a single-use token for it leaves instead."""

from __future__ import annotations

from strongroom.encoding import json
from strongroom.logical.envelope import envelope
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request, Response
from strongroom.logical.storage import Storage
from strongroom.system.unsealed import Unsealed
from strongroom.tokens.entry import TokenEntry


def check_ttl(unsealed: Unsealed, request: Request) -> None:
    """Refuse a wrapping TTL that is too long before anything happens. Raises InvalidRequest."""
    most = unsealed.settings.max_lease_ttl
    if request.wrap_ttl and request.wrap_ttl > most:
        raise InvalidRequest(f"the wrapping TTL is longer than the system's maximum of {most} seconds")


def is_due(request: Request, response: Response, token: TokenEntry | None) -> bool:
    """Whether the answer stays here and a token for it leaves.

    Not where nobody vouches for who asks: each would be a record in the store for as long as a stranger likes (SECURITY INV-17), and
    what such an endpoint says anybody may read. A login has vouched for somebody by now.
    """
    if not request.wrap_ttl or response.wrap_info is not None:
        return False
    return token is not None or response.auth is not None


def wrap(
    unsealed: Unsealed, storage: Storage, request: Request, response: Response, environments: tuple[str, ...] = ()
) -> Response:
    """Keep ``response`` and answer with a wrapping token that lives for the request's ``wrap_ttl`` seconds.

    ``environments`` are those that the answer comes from.

    An answer that is handed on as it was wrapped before, and one that is not JSON, are not wrapped again.
    """
    ttl = request.wrap_ttl
    if not ttl or response.wrapped_envelope is not None or response.raw is not None:
        return response
    kept = {
        "response": json.encode(envelope(response, request.id)).decode(),
        "creation_ttl": ttl,
        "creation_time": rfc3339(unsealed.clock.now_ns()),
        "creation_path": f"{request.path}/" if request.operation is Operation.LIST else request.path,
    }
    wrapped_accessor = response.auth.accessor if response.auth else ""
    return Response(
        wrap_info=unsealed.wrapped.put(storage, kept, wrapped_accessor=wrapped_accessor, environments=environments)
    )
