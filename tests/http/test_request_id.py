from __future__ import annotations

import pytest

from strongroom.http.errors import encode_error
from strongroom.http.message import HttpResponse
from strongroom.http.writer import JSON_HEADERS, serialize
from strongroom.logical.errors import InternalFailure

ID = "2f0d3c3a-5a0e-4f43-9b5e-1d4d4f7c9a10"


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(200, JSON_HEADERS, b"{}"),
        HttpResponse(204, JSON_HEADERS),
        HttpResponse(200, (("Content-Type", "text/plain"),), b"x"),
        encode_error(InternalFailure()),
    ],
    ids=["json", "nothing", "raw", "error"],
)
@pytest.mark.parametrize("keep_alive", [True, False])
def test_every_answer_says_the_id_of_its_request(response: HttpResponse, *, keep_alive: bool) -> None:
    content = serialize(response, date=b"now", keep_alive=keep_alive, without_body=False, request_id=ID)
    head, _, body = content.partition(b"\r\n\r\n")
    assert head.split(b"\r\n").count(b"X-Request-Id: " + ID.encode()) == 1
    assert (b"Connection: close" in head) is not keep_alive
    assert body == response.body


def test_without_an_id_there_is_no_header() -> None:
    content = serialize(HttpResponse(200, JSON_HEADERS, b"{}"), date=b"now", keep_alive=True, without_body=False)
    assert b"X-Request-Id" not in content
