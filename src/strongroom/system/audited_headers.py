"""``sys/config/auditing/request-headers``: which headers of a request its audit records hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from strongroom.audit.headers import all_headers, canonical_header, delete_header, put_header
from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.mounts.table import touch_epoch
from strongroom.system.area import Named, Nothing

_PATH = "config/auditing/request-headers"


@dataclass(slots=True)
class AuditHeader:
    """A header to record."""

    name: Annotated[str, Doc("The header, in any case.", public=True)]
    hmac: Annotated[
        bool, Doc("Record keyed hashes of its values; a header that carries a credential needs this.", public=True)
    ] = False


class AuditedHeaderArea:
    """Headers in the audit log."""

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path(
                _PATH,
                "The headers of requests that audit records hold, where a request has them.",
                (Endpoint(Operation.READ, self.list, "List them.", sudo=True, shape=Shape.ENVELOPE_AND_TOP_LEVEL),),
            ),
            Path(
                f"{_PATH}/{{name}}",
                "One header in the audit records.",
                (
                    Endpoint(Operation.READ, self.read, "Ask whether it is recorded, and how.", sudo=True),
                    Endpoint(Operation.UPDATE, self.write, "Record it from the next request on.", sudo=True),
                    Endpoint(Operation.DELETE, self.delete, "Do not record it any more.", sudo=True),
                ),
            ),
        )

    def list(self, context: Context, _: Nothing) -> Response:
        """All of them."""
        audited = all_headers(context.storage)
        return Response(data={"headers": {name: {"hmac": hashed} for name, hashed in sorted(audited.items())}})

    def read(self, context: Context, request: Named) -> Response:
        """One of them, by the name that was asked for."""
        hashed = all_headers(context.storage).get(canonical_header(request.name))
        if hashed is None:
            raise InvalidRequest("could not find header in config")  # the words of Vault, by which clients know it
        return Response(data={request.name: {"hmac": hashed}})

    def write(self, context: Context, request: AuditHeader) -> None:
        """Record it."""
        put_header(context.storage, request.name, hashed=request.hmac)
        touch_epoch(context.storage)

    def delete(self, context: Context, request: Named) -> None:
        """Record it no more."""
        delete_header(context.storage, request.name)
        touch_epoch(context.storage)
