"""What the headers of a connection say is read once for as long as they stay the same."""

from __future__ import annotations

import pytest

from strongroom.http.codec import decode_request
from strongroom.http.message import Headers, HttpRequest
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.request import Connection, Request
from strongroom.logical.secret import Secret


def decode(headers: Headers, *, target: str = "/v1/a", request_id: str = "id") -> Request:
    return decode_request(HttpRequest("GET", target, headers, b"", Connection()), request_id=request_id)


def shared(**said: str) -> Headers:
    headers = Headers()
    headers.update({name.replace("_", "-"): value for name, value in said.items()})
    return headers


def test_what_shared_headers_say_is_read_once() -> None:
    headers = shared(x_vault_token="t", user_agent="a")
    one, other = (decode(headers, request_id=name) for name in ("1", "2"))
    assert one.token is other.token
    assert one.token == Secret("t")
    assert one.headers == other.headers == {"user-agent": "a"}
    assert (one.id, other.id) == ("1", "2")


def test_what_shared_headers_say_wrongly_is_refused_each_time() -> None:
    headers = shared(x_vault_wrap_ttl="soon")
    for _ in range(2):
        with pytest.raises(InvalidRequest, match="must be a duration"):
            decode(headers)


def test_a_namespace_is_judged_for_each_path() -> None:
    headers = shared(x_vault_namespace="team")
    assert decode(headers, target="/v1/sys/health").namespace == ""
    with pytest.raises(NotFound):
        decode(headers, target="/v1/secret/a")


def test_shared_headers_are_not_shown() -> None:
    assert "hvs.secret" not in repr(shared(x_vault_token="hvs.secret"))
