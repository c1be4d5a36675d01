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


def check_ttl(unsealed: Unsealed, request: Request) -> None:
    """Refuse a wrapping TTL that is too long before anything happens. Raises InvalidRequest."""
    most = unsealed.settings.max_lease_ttl
    if request.wrap_ttl and request.wrap_ttl > most:
        raise InvalidRequest(f"the wrapping TTL is longer than the system's maximum of {most} seconds")


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
