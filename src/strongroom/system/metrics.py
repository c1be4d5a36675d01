"""``sys/metrics``: what the server counts about itself, as JSON or in the text format of Prometheus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Connection, RawBody, Request, Response
from strongroom.system.node import Node
from strongroom.telemetry.exposition import PROMETHEUS_TYPE, json_document, prometheus_text

# What Prometheus says it takes. A browser or curl, which take anything, get JSON.
_ACCEPTED = ("application/openmetrics-text", "text/plain")


@dataclass(slots=True)
class MetricsRequest:
    """In which form."""

    format: Annotated[
        str, Doc("`prometheus` for its text format; empty for JSON, unless the Accept header asks.", public=True)
    ] = ""


class MetricsArea:
    """The numbers of the server."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        read = Endpoint(
            Operation.READ,
            self.read,
            "Read them. No token is needed on listeners with `unauthenticated_metrics_access`, there also while sealed.",
            shape=Shape.BARE,
            answers_sealed=True,
            open_to=_shows_metrics,
        )
        return (Path("metrics", "What the server counts about itself: numbers, and never a path or a name.", (read,)),)

    def read(self, context: Context, request: MetricsRequest) -> Response:
        """All metrics as they are now."""
        families = self._node.telemetry.families()
        if _wants_text(request.format, context.request):
            content = prometheus_text(families).encode()
            return Response(raw=RawBody(content_type=PROMETHEUS_TYPE, content=content), is_documentation=True)
        return Response(data=json_document(families, context.now_ns()), returned_keys=(), is_documentation=True)


def _shows_metrics(connection: Connection) -> bool:
    return connection.shows_metrics


def _wants_text(form: str, request: Request) -> bool:
    if form == "prometheus":
        return True
    if form:
        raise InvalidRequest("the format of metrics is 'prometheus', or empty for JSON")
    accept = request.headers.get("accept", "")
    return any(media_type in accept for media_type in _ACCEPTED)
