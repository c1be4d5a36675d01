"""The errors a request can end in. One small tree that knows nothing of HTTP.

    LogicalError
    ├── InvalidRequest          the caller's input is wrong; the text says what to do next
    │   ├── TooLarge            the input is larger than a limit
    │   └── LoginFailed         the proof of identity is wrong; what the handler counted is committed all the same
    ├── PermissionDenied        who asks may not do this (or nobody says who asks)
    │   └── AccessDenied        a policy says no; distinguished only because clients match the text
    ├── NotFound                nothing is there; may carry data and warnings
    │   ├── NoRoute             no mount answers below this path
    │   └── UnsupportedPath     the mount answers, but has no such path
    ├── UnsupportedOperation    the path exists, the operation on it does not
    ├── UnsupportedMediaType    a body in a form that this operation does not take
    ├── RateLimited             too much; try again after ``retry_after_seconds``
    ├── Overdue                 it could not begin in time, so nothing was done
    ├── Sealed                  the vault is sealed or not initialized
    ├── AuditUnavailable        no audit device made the record durable, so nothing was done, or no answer is given
    ├── OutcomeUnknown          the store failed while committing: it may or may not have happened
    ├── UpstreamFailed          a system that we depend on failed
    └── InternalFailure         a mistake of ours; says nothing

The message of every one of them is shown to the client, so it must never hold a value, an address or the text of somebody
else's exception (SECURITY INV-10). ``http/errors`` is the only place that maps them to status codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class LogicalError(Exception):
    """Root of the tree. Never raised itself. ``messages`` is what the client reads, in order."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages: tuple[str, ...] = messages


class InvalidRequest(LogicalError):
    """The caller's input is wrong. The message says what was expected."""


class TooLarge(InvalidRequest):
    """The caller's input is larger than a documented limit."""


class LoginFailed(InvalidRequest):
    """A login whose proof is wrong. Unlike any other error it commits the handler's changes: the count of failures."""


class PermissionDenied(LogicalError):
    """The caller is unknown, or may not do this. Says no more than that."""

    def __init__(self, message: str = "permission denied") -> None:
        super().__init__(message)


class AccessDenied(PermissionDenied):
    """A valid token whose policies do not allow this. The text is the one Vault's clients match."""

    def __init__(self, message: str = "1 error occurred:\n\t* permission denied\n\n") -> None:
        super().__init__(message)


class NotFound(LogicalError):
    """Nothing is there. ``data`` and ``warnings`` may still say something (a deleted version's metadata)."""

    def __init__(self, *messages: str, data: Mapping[str, Any] | None = None, warnings: tuple[str, ...] = ()) -> None:
        super().__init__(*messages)
        self.data = data
        self.warnings = warnings


class NoRoute(NotFound):
    """No mount answers below this path."""

    def __init__(self, path: str) -> None:
        super().__init__(f'no handler for route "{path}". route entry not found.')


class UnsupportedPath(NotFound):
    """A mount answers here, but it has no such path."""

    def __init__(self) -> None:
        super().__init__("1 error occurred:\n\t* unsupported path\n\n")


class UnsupportedOperation(LogicalError):
    """The path exists; this operation on it does not."""

    def __init__(self) -> None:
        super().__init__("1 error occurred:\n\t* unsupported operation\n\n")


class UnsupportedMediaType(LogicalError):
    """The body's media type is not one that this operation takes."""


class RateLimited(LogicalError):
    """Too many requests. ``retry_after_seconds`` says when to try again."""

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Overdue(LogicalError):
    """The request waited for its turn longer than it may, so nothing was done."""

    def __init__(self) -> None:
        super().__init__(
            "the server is too busy: the request waited longer than it may and was not run; try again later"
        )


class Sealed(LogicalError):
    """The vault is sealed, or not initialized yet."""

    def __init__(self) -> None:
        super().__init__("Vault is sealed")


class AuditUnavailable(LogicalError):
    """No audit device made a record durable: that of the request, so nothing was done; or, where ``is_late``, that of the answer."""

    def __init__(self, *, is_late: bool = False) -> None:
        super().__init__(
            "no audit device could record the answer, so it is not given; the request may have been carried out; "
            "check the audit devices"
            if is_late
            else "no audit device could record this request, so nothing was done; check the audit devices"
        )


class OutcomeUnknown(LogicalError):
    """The store failed while committing. A retry with check-and-set is safe."""

    def __init__(self) -> None:
        super().__init__("the storage failed while committing: the outcome is unknown; read before you retry")


class UpstreamFailed(LogicalError):
    """A system that we depend on failed or did not answer."""


class InternalFailure(LogicalError):
    """A mistake of ours. The client learns no more than that; the server's log names the place."""

    def __init__(self) -> None:
        super().__init__("internal error")
