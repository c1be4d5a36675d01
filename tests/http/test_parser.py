from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.http.message import HttpRequest
from strongroom.http.parser import Limits, Refused, RequestParser
from strongroom.logical.request import Connection

LIMITS = Limits(head_bytes=512, headers=8, body_bytes=200)

SIMPLE = b"GET /v1/a?list=true HTTP/1.1\r\nHost: x\r\nX-Vault-Token: t\r\n\r\n"
POSTED = b'POST /v1/b HTTP/1.1\r\nHost: x:8200\r\nContent-Length: 7\r\n\r\n{"a":1}'
CHUNKED = (
    b'PUT /v1/c HTTP/1.1\r\nHost: [::1]:8200\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'
)


def outcome(pieces: list[bytes]) -> tuple[list[Any], tuple[int, str] | None]:
    """All requests, and how it ended, when the bytes come in ``pieces``."""
    parser = RequestParser(LIMITS, Connection())
    requests: list[Any] = []
    for piece in pieces:
        parser.feed(piece)
        while True:
            try:
                request = parser.next_request()
            except Refused as refused:
                return requests, (refused.status, refused.text)
            if request is None:
                break
            requests.append((request.method, request.target, dict(request.headers), request.body, parser.keep_alive))
    return requests, None


def test_three_requests_in_one_piece_come_out_in_order() -> None:
    requests, end = outcome([SIMPLE + POSTED + CHUNKED])
    assert [(method, target, body) for method, target, _, body, _ in requests] == [
        ("GET", "/v1/a?list=true", b""),
        ("POST", "/v1/b", b'{"a":1}'),
        ("PUT", "/v1/c", b'{"a":1}'),
    ]
    assert end is None


def test_header_names_are_lower_case_and_values_are_stripped() -> None:
    requests, _ = outcome([b"GET / HTTP/1.1\r\nHOST:\t x \r\nX-Forwarded-For: a\r\nx-forwarded-for: b\r\n\r\n"])
    assert requests[0][2] == {"host": "x", "x-forwarded-for": "a, b"}


@pytest.mark.parametrize("stream", [SIMPLE, POSTED, CHUNKED], ids=["simple", "posted", "chunked"])
def test_an_incomplete_request_never_comes_out(stream: bytes) -> None:
    for length in range(len(stream)):
        requests, end = outcome([stream[:length]])
        assert (requests, end) == ([], None)


@pytest.mark.parametrize(
    "stream",
    [
        SIMPLE + POSTED + CHUNKED,
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
        POSTED.replace(b"7", b"+7"),
        CHUNKED.replace(b"4\r\n", b"4;x=y\r\n"),
        CHUNKED.replace(b"3\r\n:1}", b"3\r\n:1}}"),
        CHUNKED + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 600 + b"\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 201\r\n\r\n",
        b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nc9\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_where_the_bytes_are_split_changes_nothing(stream: bytes) -> None:
    whole = outcome([stream])
    assert outcome([stream[index : index + 1] for index in range(len(stream))]) == whole
    for at in range(1, len(stream)):
        assert outcome([stream[:at], stream[at:]]) == whole


TOKENS = st.sampled_from(
    [
        b"GET", b"POST", b" ", b"/v1/a", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"Host: x",
        b"Content-Length: 3", b"Content-Length: 0", b"Transfer-Encoding: chunked", b"Connection: close", b"Expect: 100-continue",
        b":", b"abc", b"3\r\nabc\r\n", b"0\r\n\r\n", b"\x00", b"\t", b"http://x/v1/a", b";", b"f" * 60, b"\xff",
    ]
)  # fmt: skip
STREAMS = st.one_of(
    st.binary(max_size=300),
    st.lists(TOKENS, max_size=30).map(b"".join),
    st.builds(
        lambda stream, at, junk, skip: stream[: at % len(stream)] + junk + stream[at % len(stream) + skip :],
        st.sampled_from([SIMPLE + SIMPLE, POSTED + SIMPLE, CHUNKED + SIMPLE]),
        st.integers(0, 1000),
        st.one_of(st.binary(max_size=3), TOKENS),
        st.integers(0, 3),
    ),
)


@given(STREAMS, st.lists(st.integers(1, 40), max_size=20))
def test_any_bytes_split_anywhere_give_the_same_requests_or_the_same_refusal(stream: bytes, sizes: list[int]) -> None:
    pieces, rest = [], stream
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    whole = outcome([stream])
    assert outcome([*pieces, rest]) == whole
    assert whole[1] is None or whole[1][0] in {400, 413, 417, 431}


@given(st.binary(max_size=150), st.lists(st.integers(1, 60), min_size=1, max_size=10), st.booleans())
def test_a_body_comes_out_as_it_went_in(body: bytes, sizes: list[int], chunked: bool) -> None:  # noqa: FBT001 -- a case of the table
    if chunked:
        framed, rest = b"", body
        for size in sizes:
            if rest:
                framed += b"%x\r\n%b\r\n" % (len(rest[:size]), rest[:size])
                rest = rest[size:]
        if rest:
            framed += b"%X\r\n%b\r\n" % (len(rest), rest)
        stream = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n%b0\r\n\r\n" % framed
    else:
        stream = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    requests, end = outcome([stream])
    assert end is None
    assert [request[3] for request in requests] == [body]


@pytest.mark.parametrize(
    ("version", "option", "stays"),
    [
        ("1.1", None, True),
        ("1.1", "close", False),
        ("1.1", "Keep-Alive, CLOSE", False),
        ("1.1", "keep-alive", True),
        ("1.0", None, False),
        ("1.0", "keep-alive", True),
    ],
)
def test_the_connection_stays_open_as_the_client_asks(version: str, option: str | None, stays: bool) -> None:  # noqa: FBT001 -- a case of the table
    line = f"Connection: {option}\r\n" if option else ""
    requests, _ = outcome([f"GET / HTTP/{version}\r\nHost: x\r\n{line}\r\n".encode()])
    assert requests[0][4] is stays


def test_very_many_tiny_chunks_are_refused() -> None:
    parser = RequestParser(Limits(), Connection())
    parser.feed(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 5000)
    with pytest.raises(Refused) as refused:
        parser.next_request()
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "name", ["X-Vault-Token", "Authorization", "X-Vault-Namespace", "X-Vault-Wrap-TTL", "Content-Type"]
)
def test_a_header_that_decides_something_cannot_come_twice(name: str) -> None:
    stream = f"GET / HTTP/1.1\r\nHost: x\r\n{name}: a\r\n{name.lower()}: a\r\n\r\n".encode()
    assert outcome([stream])[1] == (400, "a header that may be sent only once was sent twice")


def test_an_absolute_target_is_taken_where_it_names_the_same_host() -> None:
    requests, _ = outcome([b"GET http://x:1/v1/a?b HTTP/1.1\r\nHost: x:1\r\n\r\n"])
    assert requests[0][1] == "/v1/a?b"


def test_a_refusal_never_holds_what_was_sent() -> None:
    canary = b"s3cr3t-canary"
    for stream in (
        b"GET /%b HTTP/9\r\n\r\n" % canary,
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: %b\r\n\r\n" % canary,
        b"GET / HTTP/1.1\r\nHost: x\r\nExpect: %b\r\n\r\n" % canary,
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: %b\r\n\r\n" % canary,
        b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % canary,
    ):
        end = outcome([stream])[1]
        assert end is not None
        assert canary.decode() not in end[1]


def parsed(*streams: bytes) -> list[HttpRequest]:
    """The requests of one connection."""
    parser = RequestParser(LIMITS, Connection())
    found: list[HttpRequest] = []
    for stream in streams:
        parser.feed(stream)
        request = parser.next_request()
        assert request is not None
        found.append(request)
    return found


def test_requests_with_the_same_header_lines_share_what_they_say() -> None:
    one, other = parsed(SIMPLE, SIMPLE.replace(b"/v1/a", b"/v1/b"))
    assert other.headers is one.headers
    assert (one.target, other.target) == ("/v1/a?list=true", "/v1/b?list=true")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SIMPLE, SIMPLE.replace(b"Token: t", b"Token: u")),
        (SIMPLE, SIMPLE.replace(b"Token: t", b"Token: tt")),
        (SIMPLE, SIMPLE.replace(b"HTTP/1.1", b"HTTP/1.0")),
        (SIMPLE, POSTED),
    ],
)
def test_whoever_says_something_else_is_read_anew(one: bytes, other: bytes) -> None:
    found = parsed(one, other, one)
    assert found[1].headers is not found[0].headers
    assert dict(found[1].headers) == dict(parsed(other)[0].headers)
    assert dict(found[2].headers) == dict(found[0].headers)


def test_long_header_lines_are_not_kept_for_the_next_request() -> None:
    long = SIMPLE.replace(b"Host: x", b"Host: x\r\nPadding: " + b"p" * 1100)
    parser = RequestParser(Limits(), Connection())
    parser.feed(long)
    assert parser.next_request() is not None
    assert (parser._lines, parser._framing) == (b"", None)


def test_who_waits_to_be_told_to_go_on_is_told_each_time() -> None:
    parser = RequestParser(LIMITS, Connection())
    for _ in range(2):
        parser.feed(b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert parser.next_request() is None
        assert parser.wants_continue
        parser.feed(b"{}")
        assert parser.next_request() is not None


def test_what_was_kept_goes_with_the_connection() -> None:
    parser = RequestParser(LIMITS, Connection())
    parser.feed(SIMPLE)
    assert parser.next_request() is not None
    parser.discard()
    assert (parser._lines, parser._framing) == (b"", None)


LINES = st.sampled_from(
    [
        b"Host: x\r\n",
        b"Host: y\r\n",
        b"Host: x\r\nConnection: close\r\n",
        b"Host: x\r\nContent-Length: 2\r\n",
        b"Host: x\r\nContent-Length: 0\r\n",
        b"Host: x\r\nTransfer-Encoding: chunked\r\n",
        b"Host: x\r\nX-Vault-Token: t\r\n",
        b"Connection: keep-alive\r\n",
        b"",
    ]
)
BODIES = {b"Content-Length: 2": b"{}", b"chunked": b"2\r\n{}\r\n0\r\n\r\n"}


@given(
    st.lists(
        st.tuples(st.sampled_from([b"/a", b"/b?c=d", b"http://x/a", b"nothing"]), LINES, st.sampled_from([b"0", b"1"])),
        max_size=8,
    )
)
def test_no_request_is_read_as_if_it_were_the_one_before(heads: list[tuple[bytes, bytes, bytes]]) -> None:
    streams = [
        b"PUT %b HTTP/1.%b\r\n%b\r\n" % (target, minor, lines)
        + next((body for said, body in BODIES.items() if said in lines), b"")
        for target, lines, minor in heads
    ]
    expected: list[Any] = []
    end = None
    for stream in streams:
        requests, end = outcome([stream])
        expected += requests
        if end is not None:
            break
    assert outcome(streams) == (expected, end)
