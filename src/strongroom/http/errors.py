"""The one table from errors to status codes. Whatever it does not name is 500 and says nothing."""

from __future__ import annotations

from types import MappingProxyType

from strongroom.encoding import json
from strongroom.http.message import HttpResponse
from strongroom.http.parser import Refused
from strongroom.http.writer import JSON_HEADERS
from strongroom.logical import errors
from strongroom.logical.envelope import envelope
from strongroom.logical.request import Response

STATUS_OF = MappingProxyType(
    {
        errors.InvalidRequest: 400,
        errors.LoginFailed: 400,
        errors.TooLarge: 413,
        errors.PermissionDenied: 403,
        errors.AccessDenied: 403,
        errors.NotFound: 404,
        errors.NoRoute: 404,
        errors.UnsupportedPath: 404,
        errors.UnsupportedOperation: 405,
        errors.UnsupportedMediaType: 415,
        errors.RateLimited: 429,
        errors.Overdue: 503,
        errors.Sealed: 503,
        errors.AuditUnavailable: 500,
        errors.OutcomeUnknown: 500,
        errors.UpstreamFailed: 502,
        errors.InternalFailure: 500,
    }
)
"""The status code of each error. A subclass that is not listed has the code of the nearest class that is."""


class UnknownMethod(errors.UnsupportedOperation):
    """An HTTP method that stands for no operation. Clients expect an empty list of errors."""

    def __init__(self) -> None:
        super().__init__()
        self.messages = ()


def encode_error(error: Exception, request_id: str = "") -> HttpResponse:
    """What the client reads about ``error``. The text of anything but a LogicalError stays inside."""
    status = _status(error)
    if status is None or not isinstance(error, errors.LogicalError):
        return _answer(500, ("internal error",))
    if isinstance(error, errors.NotFound) and (error.data is not None or error.warnings):
        answer = envelope(Response(data=error.data, warnings=error.warnings), request_id)
        return HttpResponse(status, JSON_HEADERS, json.encode(answer))
    if isinstance(error, errors.RateLimited):
        return _answer(status, error.messages, ("Retry-After", str(max(1, error.retry_after_seconds))))
    return _answer(status, error.messages)


def refusal(refused: Refused) -> HttpResponse:
    """The last answer to a client whose bytes were not a request that we accept."""
    if refused.status == 429:
        return _answer(429, (refused.text,), ("Retry-After", "1"))
    return _answer(refused.status, (refused.text,))


def _overloaded() -> HttpResponse:
    return _answer(
        503, ("the server has more requests than it can answer; try again in a second",), ("Retry-After", "1")
    )


def _status(error: Exception) -> int | None:
    for kind in type(error).__mro__:
        status = STATUS_OF.get(kind)
        if status is not None:
            return status
    return None


def _answer(status: int, messages: tuple[str, ...], *more: tuple[str, str]) -> HttpResponse:
    headers = (*JSON_HEADERS, *more) if more else JSON_HEADERS
    return HttpResponse(status, headers, json.encode({"errors": list(messages)}))


OVERLOADED = _overloaded()
"""What is answered to a request that was not even read, because too many came."""
