"""Raw payloads on a real socket: what each is answered, and that no request hidden inside ever runs (SECURITY D-15)."""

from __future__ import annotations

import contextlib

import pytest
from tests.http.conftest import Serve, statuses

from strongroom.http.parser import Limits

HIDDEN = b"GET /v1/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
# What a smuggler puts where one parser sees a body and another sees the next request.
CHUNKS_THEN_HIDDEN = b"0\r\n\r\n" + HIDDEN


def post(*headers: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    lines = b"".join(header + b"\r\n" for header in (b"Host: x", *headers))
    return b"POST /v1/a HTTP/%b\r\n%b\r\n%b" % (version, lines, body)


def get(target: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in (b"Host: x", *headers))
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (target, lines)


TE = b"Transfer-Encoding: chunked"
REFUSED = {
    "length and chunked": (post(b"Content-Length: 5", TE, body=CHUNKS_THEN_HIDDEN), 400),
    "chunked and length": (post(TE, b"Content-Length: 5", body=CHUNKS_THEN_HIDDEN), 400),
    "folded transfer-encoding": (post(b"Transfer-Encoding:\r\n chunked", body=CHUNKS_THEN_HIDDEN), 400),
    "folded with a tab": (post(b"X: a\r\n\tb", TE, body=CHUNKS_THEN_HIDDEN), 400),
    "length list": (post(b"Content-Length: 3, 3", body=b"abc" + HIDDEN), 400),
    "two equal lengths": (post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc" + HIDDEN), 400),
    "two lengths": (post(b"Content-Length: 0", b"Content-Length: 3", body=b"abc" + HIDDEN), 400),
    "bare line feeds": (b"GET /v1/a HTTP/1.1\nHost: x\n\n" + HIDDEN, 400),
    "one bare line feed": (get(b"/v1/a", b"A: b\nC: d"), 400),
    "bare carriage return": (get(b"/v1/a", b"A: b\rC: d"), 400),
    "chunked on HTTP/1.0": (post(TE, body=CHUNKS_THEN_HIDDEN, version=b"1.0"), 400),
    "chunk size not hexadecimal": (post(TE, body=b"g\r\nabc\r\n" + CHUNKS_THEN_HIDDEN), 400),
    "chunk size with a sign": (post(TE, body=b"+3\r\nabc\r\n" + CHUNKS_THEN_HIDDEN), 400),
    "chunk size with 0x": (post(TE, body=b"0x3\r\nabc\r\n" + CHUNKS_THEN_HIDDEN), 400),
    "chunk size with an underscore": (post(TE, body=b"0_3\r\nabc\r\n" + CHUNKS_THEN_HIDDEN), 400),
    "huge chunk size": (post(TE, body=b"fffffffffffffffff\r\nabc"), 400),
    "chunk without its line end": (post(TE, body=b"3\r\nabcd\r\n" + CHUNKS_THEN_HIDDEN), 400),
    "chunk ended by a line feed": (post(TE, body=b"3\nabc\n0\n\n" + HIDDEN), 400),
    "chunk extension": (post(TE, body=b"3;a=b\r\nabc\r\n" + CHUNKS_THEN_HIDDEN), 400),
    "trailer": (post(TE, body=b"0\r\nX-Vault-Token: t\r\n\r\n" + HIDDEN), 400),
    "two hosts": (get(b"/v1/a", b"Host: y"), 400),
    "no host": (b"GET /v1/a HTTP/1.1\r\n\r\n" + HIDDEN, 400),
    "host with a path": (b"GET /v1/a HTTP/1.1\r\nHost: x/y\r\n\r\n" + HIDDEN, 400),
    "absolute target of another host": (get(b"http://y/v1/a") + HIDDEN, 400),
    "authority target": (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN, 400),
    "NUL in a header": (get(b"/v1/a", b"A: \x00") + HIDDEN, 400),
    "NUL in the target": (get(b"/v1/a\x00") + HIDDEN, 400),
    "control character in a header": (get(b"/v1/a", b"A: \x0b") + HIDDEN, 400),
    "length with a plus": (post(b"Content-Length: +3", body=b"abc" + HIDDEN), 400),
    "hexadecimal length": (post(b"Content-Length: 0x3", body=b"abc" + HIDDEN), 400),
    "negative length": (post(b"Content-Length: -1", body=HIDDEN), 400),
    "length with an underscore": (post(b"Content-Length: 0_3", body=b"abc" + HIDDEN), 400),
    "empty length": (post(b"Content-Length:", body=HIDDEN), 400),
    "length in other digits": (post("Content-Length: ３".encode(), body=b"abc" + HIDDEN), 400),
    "blank before the colon": (post(b"Transfer-Encoding : chunked", body=CHUNKS_THEN_HIDDEN), 400),
    "blank before the name": (post(b" Transfer-Encoding: chunked", body=CHUNKS_THEN_HIDDEN), 400),
    "header without a colon": (get(b"/v1/a", b"Transfer-Encoding"), 400),
    "unknown transfer-encoding": (post(b"Transfer-Encoding: xchunked", body=CHUNKS_THEN_HIDDEN), 400),
    "chunked twice": (post(b"Transfer-Encoding: chunked, chunked", body=CHUNKS_THEN_HIDDEN), 400),
    "two transfer-encodings": (post(TE, b"Transfer-Encoding: identity", body=CHUNKS_THEN_HIDDEN), 400),
    "vertical tab before chunked": (post(b"Transfer-Encoding: \x0bchunked", body=CHUNKS_THEN_HIDDEN), 400),
    "two blanks in the request line": (b"GET  /v1/a HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN, 400),
    "HTTP/0.9": (b"GET /v1/a\r\n\r\n" + HIDDEN, 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "empty line first": (b"\r\n" + HIDDEN, 400),
    "blanks in the target": (get(b"/v1/a b") + HIDDEN, 400),
    "header of one megabyte": (get(b"/v1/a", b"A: " + b"b" * 1_000_000), 431),
    "five thousand headers": (get(b"/v1/a", *(b"A%d:" % number for number in range(5000))), 431),
    "one header too many": (get(b"/v1/a", *(b"A%d:" % number for number in range(100))), 431),
    "long target": (get(b"/v1/" + b"a" * 40_000), 431),
    "body too large": (post(b"Content-Length: 3000", body=b"a" * 3000), 413),
    "chunks too large": (post(TE, body=b"bb8\r\n" + b"a" * 3000 + b"\r\n" + CHUNKS_THEN_HIDDEN), 413),
    "unknown expectation": (post(b"Expect: 200-ok", b"Content-Length: 3", body=b"abc"), 417),
}


@pytest.mark.parametrize(("payload", "status"), REFUSED.values(), ids=REFUSED.keys())
def test_what_could_be_read_in_two_ways_is_refused_and_nothing_runs(serve: Serve, payload: bytes, status: int) -> None:
    served = serve(limits=Limits(body_bytes=2048))
    received = served.exchange(payload)
    assert statuses(received) == [status]
    assert b"\r\nConnection: close\r\n" in received
    assert served.paths == []


DECODED = {
    "encoded NUL": (b"/v1/a%00b", 400),
    "encoded line feed": (b"/v1/a%0ab", 400),
    "encoded slash": (b"/v1/a%2Fb", 400),
    "encoded backslash": (b"/v1/a%5cb", 400),
    "backslash": (b"/v1/a\\b", 400),
    "encoded dots": (b"/v1/x/%2e%2e/a", 400),
    "half encoded dots": (b"/v1/x/.%2E/a", 400),
    "dots": (b"/v1/x/../a", 400),
    "one dot": (b"/v1/x/./a", 400),
    "leading double slash": (b"//v1/a", 400),
    "double slash": (b"/v1//a", 400),
    "inner double slash": (b"/v1/x//a", 400),
    "truncated escape": (b"/v1/a%2", 400),
    "escape that is none": (b"/v1/a%zz", 400),
    "escape with a sign": (b"/v1/a%+1", 400),
    "invalid UTF-8": (b"/v1/a%ff", 400),
    "overlong UTF-8": (b"/v1/%c0%af", 400),
    "decomposed": (b"/v1/a%cc%81", 400),
    "zero width": (b"/v1/a%e2%80%8b", 400),
    "fragment": (b"/v1/a#b", 400),
    "outside the API": (b"/v2/a", 404),
    "dots before the API": (b"/../v1/a", 404),
    "encoded prefix": (b"/%761/a", 404),
    "nothing": (b"/v1/", 404),
}


@pytest.mark.parametrize(("target", "status"), DECODED.values(), ids=DECODED.keys())
def test_a_path_that_is_not_canonical_is_refused_and_the_connection_goes_on(
    serve: Serve, target: bytes, status: int
) -> None:
    served = serve()
    assert statuses(served.exchange(get(target) + get(b"/v1/fine"))) == [status, 200]


def test_bytes_above_ascii_in_the_target_are_refused(serve: Serve) -> None:
    answer = serve().exchange("GET /v1/é HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert statuses(answer) == [400]
    assert b"must be percent-encoded" in answer


def test_a_body_that_ends_early_never_reaches_the_application(serve: Serve) -> None:
    served = serve()
    assert served.exchange(post(b"Content-Length: 10", body=b'{"a":1}')) == b""
    assert served.exchange(post(TE, body=b'7\r\n{"a":1}\r\n')) == b""
    assert served.exchange(post(TE, body=b'7\r\n{"a":1}\r\n0\r\n')) == b""
    assert served.paths == []


def test_an_endless_body_is_stopped_at_the_limit(serve: Serve) -> None:
    served = serve(limits=Limits(body_bytes=1 << 20))
    client = served.connect()
    client.sendall(post(TE))
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    client.setblocking(False)
    sent, received = 0, b""
    while not received and sent < 100 << 20:
        try:
            sent += client.send(chunk[sent % len(chunk) :])
        except BlockingIOError:
            served.settle()
        with contextlib.suppress(BlockingIOError):
            received = client.recv(65536)
    assert statuses(received) == [413]
    assert sent < 32 << 20
    assert served.paths == []
