"""``sys/offline-reads``: what a client read from its own copy while the server did not answer, told afterwards.

Nothing is stored: the record of the request in the audit log is what this is for, so all of its fields stand there in clear. It is
the word of whoever holds the token, and the record says whose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.instant import parse_rfc3339
from strongroom.logical.operation import Operation

_TEXT_LENGTH_MAX = 1024
_KEYS_MAX = 1024
_AHEAD_NS = 600 * 1_000_000_000


@dataclass(slots=True)
class OfflineRead:
    """One read without the server."""

    path: Annotated[str, Doc("The path that was read.", public=True)]
    time: Annotated[str, Doc("When, in RFC 3339.", public=True)]
    version: Annotated[int, Doc("The version, 0 where there are none.", public=True)] = 0
    keys: Annotated[list[str] | None, Doc("The names of the keys that were given out.", public=True)] = None


class OfflineReadArea:
    """The report of reads that the audit log has not seen."""

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path(
                "offline-reads",
                "Reports of secrets that a client read from its own copy while the server did not answer.",
                (Endpoint(Operation.UPDATE, self.report, "Report one such read.", any_access=True),),
            ),
        )

    def report(self, context: Context, request: OfflineRead) -> None:
        """Check the report; its audit record is all that remains of it."""
        names = (request.path, *(request.keys or ()))
        if len(names) > _KEYS_MAX or not all(
            name.isprintable() and 0 < len(name) <= _TEXT_LENGTH_MAX for name in names
        ):
            raise InvalidRequest(f"'path' and 'keys' are printable names of at most {_TEXT_LENGTH_MAX} characters")
        if request.version < 0:
            raise InvalidRequest("'version' must not be negative")
        try:
            instant_ns = parse_rfc3339(request.time)
        except ValueError:
            raise InvalidRequest("'time' must be a time in RFC 3339, like 2030-01-31T12:00:00Z") from None
        if instant_ns > context.now_ns() + _AHEAD_NS:
            raise InvalidRequest("'time' must not be in the future")
