"""What the pipeline tells the audit log about a request. Facts are gathered once and used for both of its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from strongroom.audit.hasher import NOTHING_SHOWN
from strongroom.audit.options import Format
from strongroom.logical.backend import Caller, Mount
from strongroom.logical.request import Request


class Facts(msgspec.Struct, kw_only=True):
    """A request and what was decided about it, before anything happens. Not changed after its first record was made.

    ``caller`` is None where nobody was recognised, ``mount`` where no mount answers. ``operation`` overrides the request's own where the
    policy saw another one (``create`` for an update of something that is not there). ``public_fields`` are the names that the
    endpoint's declaration marks public; the ``non_hmac`` keys come from the mount's tuning; ``audited_headers`` maps the
    names of headers that shall be recorded, in lower case, to whether their values are hashed.
    """

    request: Request
    caller: Caller | None = None
    mount: Mount | None = None
    environment: str = ""
    """The environment that the mount belongs to."""
    policies_allowed: bool = False
    granting_policies: tuple[str, ...] = ()
    operation: str = ""
    public_fields: frozenset[str] = NOTHING_SHOWN
    non_hmac_request_keys: frozenset[str] = NOTHING_SHOWN
    non_hmac_response_keys: frozenset[str] = NOTHING_SHOWN
    audited_headers: Mapping[str, bool] = msgspec.field(default_factory=dict)
    path_is_canonical: bool = True
    """False for a path that was refused at the edge: it is recorded shortened and percent-encoded."""
    formatted: dict[Format, tuple[bytes, bytes]] = msgspec.field(default_factory=dict)
    """The parts that both records share, once they were formatted (kept by the formatter, for nobody else)."""

    def __repr__(self) -> str:
        return f"<facts of {self.request!r}>"


@dataclass(slots=True, kw_only=True)
class SealedFacts:
    """An attempt to initialize, unseal or seal. It has no values: there is no key to hash them with while the vault is sealed.

    ``outcome`` is a fixed text of the caller's, such as ``unsealed`` or ``share accepted``; empty in the request's record.
    """

    request: Request
    outcome: str = ""
    path_is_canonical: bool = True
