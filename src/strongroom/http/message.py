"""One HTTP request and one HTTP response, as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strongroom.logical.request import Connection


class Headers(dict[str, str]):
    """The headers of a request, never changed. Requests that come over one connection with the same lines share one object.

    ``read`` is for whoever decodes requests: what it made of these headers, so that it need not do so for each.
    """

    __slots__ = ("read",)

    def __init__(self) -> None:
        super().__init__()
        self.read: Any = None

    def __repr__(self) -> str:
        return "<headers>"


@dataclass(slots=True)
class HttpRequest:
    """A complete request whose framing was checked. Nothing in it is decoded yet.

    ``target`` is the path and query as they stood on the wire. Names of ``headers`` are lower case; their values are latin-1
    text without surrounding blanks. A header that came twice is joined by ``", "``, and those for which that would be
    dangerous never come twice (``parser.SINGLE_HEADERS``). ``deadline`` is when work on it must have begun, in seconds of the
    monotonic clock, which all processes of a machine share. ``id`` is set by the application; the answer says it to the client.
    """

    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    connection: Connection
    deadline: float = math.inf
    id: str = ""


@dataclass(slots=True)
class HttpResponse:
    """An answer. ``Content-Length``, ``Date`` and ``Connection`` are the listener's business and never stand in ``headers``."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(default=b"", repr=False)
