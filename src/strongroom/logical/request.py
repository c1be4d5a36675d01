"""One request and one response, in the words of the API and not of HTTP.

The path of a ``Request`` is canonical: it was checked once, at the edge, and everybody after that gets the same object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from strongroom.logical.operation import Operation
from strongroom.logical.secret import Secret


@dataclass(slots=True, kw_only=True)
class Connection:
    """Where a request came from, as far as the socket knows. An address is never taken from an untrusted header."""

    remote_address: str = ""
    remote_port: int = 0
    tls_version: str = ""
    client_certificate_der: bytes | None = None
    shows_metrics: bool = False
    """Whether the listener answers ``sys/metrics`` without a token: the operator said so."""


class SentHeaders:
    """All headers of a request, names in lower case: for audit records, which hold those that an operator named. Never shown as a whole."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def get(self, name: str) -> str | None:
        """What was sent under ``name``, which is in lower case."""
        return self._headers.get(name)

    def __repr__(self) -> str:
        return "<headers>"


@dataclass(slots=True)
class Request:
    """What one client asks. Handlers read it and never change it.

    ``path`` has no leading slash and no ``/v1``; ``body`` holds the decoded JSON object, or the query parameters of an
    operation without a body. ``headers`` are the few that handlers may see. ``wrap_ttl`` is in seconds, or None where no wrapping was asked for. ``reason`` is what the caller says
    about why, in printable text; audit records keep it in clear.
    """

    id: str
    operation: Operation
    path: str
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    token: Secret[str] | None = None
    wrap_ttl: int | None = None
    namespace: str = ""
    connection: Connection = field(default_factory=Connection)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    sent_headers: SentHeaders | None = None
    method: str = ""
    reason: str = ""


class TokenType(Enum):
    """How a token is kept: ``service`` in the store, ``batch`` sealed into the token itself."""

    SERVICE = "service"
    BATCH = "batch"


@dataclass(slots=True, kw_only=True)
class Auth:
    """Who a login found, and the token that shall be made for them. All durations are seconds; 0 means unset.

    An auth method fills in what it knows. The pipeline makes the token and sets ``client_token``, ``accessor`` and
    ``lease_duration``; nobody else does. ``policies`` are those of the token alone.
    """

    policies: tuple[str, ...] = ()
    display_name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    alias: str = ""
    ttl: int = 0
    max_ttl: int = 0
    explicit_max_ttl: int = 0
    period: int = 0
    renewable: bool = True
    num_uses: int = 0
    bound_cidrs: tuple[str, ...] = ()
    no_default_policy: bool = False
    orphan: bool = True
    token_type: TokenType | None = None
    internal: Mapping[str, Any] = field(default_factory=dict, repr=False)
    client_token: Secret[str] | None = None
    accessor: str = ""
    lease_duration: int = 0
    entity_id: str = ""
    environments: tuple[str, ...] = ()
    """To which environments the token is bound; none: to no environment in particular."""
    is_new: bool = True
    """Whether this answer makes the token: it is revoked again where the answer cannot be recorded."""


@dataclass(slots=True, kw_only=True)
class WrapInfo:
    """The wrapping token that stands in for a response. ``ttl`` in seconds, ``creation_time_ns`` since the epoch."""

    token: Secret[str]
    accessor: str
    ttl: int
    creation_time_ns: int
    creation_path: str
    wrapped_accessor: str = ""


@dataclass(slots=True, kw_only=True)
class RawBody:
    """An answer that is not JSON."""

    content_type: str
    content: bytes


@dataclass(slots=True, kw_only=True)
class Response:
    """What a handler answers.

    ``data`` None and nothing else is 204. ``status`` overrides the code that follows from the rest (``sys/health``).
    ``lease_id`` names the lease of what is given out, and ``lease_duration`` are the seconds that it lasts.
    ``returned_keys`` names the secret keys that leave with this answer, for the audit record; names, never values. Where it is
    None the top-level names of ``data`` are taken. ``wrapped_envelope`` is the stored answer that an unwrap gives back whole.
    ``is_documentation`` marks data that is the same for everybody and holds nothing stored: the audit record leaves it out.
    """

    data: Mapping[str, Any] | None = field(default=None, repr=False)
    auth: Auth | None = None
    wrap_info: WrapInfo | None = None
    warnings: tuple[str, ...] = ()
    lease_id: str = ""
    lease_duration: int = 0
    renewable: bool = False
    status: int | None = None
    raw: RawBody | None = field(default=None, repr=False)
    returned_keys: tuple[str, ...] | None = None
    wrapped_envelope: bytes | None = field(default=None, repr=False)
    is_documentation: bool = False
