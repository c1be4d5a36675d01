"""What one process of a server hands on to another."""

from __future__ import annotations

import math

import msgspec
import pytest

from strongroom.http.message import HttpRequest
from strongroom.logical.request import Connection
from strongroom.server.frames import ForwardedRequest


@pytest.mark.parametrize("deadline", [1234.5, math.inf])
def test_a_forwarded_request_arrives_as_it_was_with_the_time_by_which_work_on_it_must_begin(deadline: float) -> None:
    connection = Connection(
        remote_address="192.0.2.1", remote_port=4711, tls_version="TLSv1.3", client_certificate_der=b"\x30"
    )
    http = HttpRequest("PUT", "/v1/a?b=c", {"x-vault-token": "t"}, b"{}\x00", connection, deadline)

    sent = msgspec.msgpack.encode(ForwardedRequest.of(7, http))
    received = msgspec.msgpack.decode(sent, type=ForwardedRequest)

    assert received.number == 7
    assert received.http() == http
