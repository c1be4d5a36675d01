from __future__ import annotations

from collections.abc import Iterator

import pytest

from strongroom.encoding import json
from strongroom.http.errors import STATUS_OF, encode_error
from strongroom.http.message import HttpResponse
from strongroom.logical import errors
from strongroom.logical.errors import LogicalError


def subclasses(kind: type[LogicalError]) -> Iterator[type[LogicalError]]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


def test_every_error_of_the_vocabulary_has_a_row() -> None:
    of_the_vocabulary = {kind for kind in subclasses(LogicalError) if kind.__module__ == errors.__name__}
    assert of_the_vocabulary == set(STATUS_OF)


@pytest.mark.parametrize(
    ("error", "status", "messages"),
    [
        (errors.InvalidRequest("say a"), 400, ["say a"]),
        (errors.TooLarge("too large"), 413, ["too large"]),
        (errors.PermissionDenied(), 403, ["permission denied"]),
        (errors.AccessDenied(), 403, ["1 error occurred:\n\t* permission denied\n\n"]),
        (errors.NotFound(), 404, []),
        (errors.NoRoute("a/b"), 404, ['no handler for route "a/b". route entry not found.']),
        (errors.UnsupportedPath(), 404, ["1 error occurred:\n\t* unsupported path\n\n"]),
        (errors.UnsupportedOperation(), 405, ["1 error occurred:\n\t* unsupported operation\n\n"]),
        (errors.UnsupportedMediaType("use x"), 415, ["use x"]),
        (errors.RateLimited("later", retry_after_seconds=7), 429, ["later"]),
        (errors.Sealed(), 503, ["Vault is sealed"]),
        (errors.Overdue(), 503, [*errors.Overdue().messages]),
        (errors.UpstreamFailed("the other side failed"), 502, ["the other side failed"]),
        (errors.InvalidRequest("one", "two"), 400, ["one", "two"]),
    ],
)
def test_an_error_has_its_status_and_its_messages(error: LogicalError, status: int, messages: list[str]) -> None:
    answer = encode_error(error)
    assert (answer.status, json.decode(answer.body)) == (status, {"errors": messages})


@pytest.mark.parametrize("error", [errors.AuditUnavailable(), errors.OutcomeUnknown()])
def test_what_we_cannot_vouch_for_is_500_and_says_what_to_do(error: LogicalError) -> None:
    answer = encode_error(error)
    assert answer.status == 500
    assert json.decode(answer.body)["errors"] == list(error.messages)


def test_being_limited_says_when_to_come_back() -> None:
    def retry_after(answer: HttpResponse) -> str:
        return dict(answer.headers)["Retry-After"]

    assert retry_after(encode_error(errors.RateLimited("later", retry_after_seconds=7))) == "7"
    assert retry_after(encode_error(errors.RateLimited("later", retry_after_seconds=0))) == "1"


def test_something_deleted_is_404_with_what_is_known_about_it() -> None:
    answer = encode_error(errors.NotFound(data={"data": None}, warnings=("gone",)), "the-id")
    body = json.decode(answer.body)
    assert (answer.status, body["data"], body["warnings"], body["request_id"]) == (
        404,
        {"data": None},
        ["gone"],
        "the-id",
    )


class Special(errors.InvalidRequest):
    """A kind of error that some room made for itself."""


def test_a_kind_that_is_not_listed_has_the_status_of_its_parent() -> None:
    assert encode_error(Special("x")).status == 400


@pytest.mark.parametrize(
    "error", [KeyError("s3cr3t-canary"), LogicalError("s3cr3t-canary"), ValueError("s3cr3t-canary")]
)
def test_anything_else_is_500_and_its_text_stays_inside(error: Exception) -> None:
    answer = encode_error(error)
    assert (answer.status, answer.body) == (500, b'{"errors":["internal error"]}')
