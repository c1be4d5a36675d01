from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.client.errors import BadAnswer, BadSettings, ClientError, ConnectionFailed
from strongroom.client.http1 import BODY_BYTES_MAX, HEAD_BYTES_MAX, Answer, AnswerReader, encode_request, quote

OK = b"HTTP/1.1 200 OK\r\n"


def reader(content: bytes, step: int = 65536) -> AnswerReader:
    pieces = [content[at : at + step] for at in range(0, len(content), step)]
    return AnswerReader(lambda _: pieces.pop(0) if pieces else b"")


def read(content: bytes, *, bodiless: bool = False) -> Answer:
    return reader(content).read(bodiless=bodiless)


def test_an_answer_with_a_length_is_read() -> None:
    answer = read(OK + b"Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{'a':1}rest")
    assert (answer.status, answer.body, answer.reusable) == (200, b"{'a':1}", True)
    assert answer.headers["content-type"] == "application/json"


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=300), max_size=8),
    step=st.integers(1, 97),
    extension=st.sampled_from([b"", b";name=value"]),
)
def test_chunks_are_joined_however_they_arrive(chunks: list[bytes], step: int, extension: bytes) -> None:
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    content = OK + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\nTrailer: x\r\n\r\n"
    answer = reader(content, step).read()
    assert (answer.body, answer.reusable) == (b"".join(chunks), True)


def test_two_answers_on_one_connection_stay_apart() -> None:
    both = reader((OK + b"Content-Length: 1\r\n\r\na") + (OK + b"Content-Length: 1\r\n\r\nb"), step=3)
    assert [both.read().body, both.read().body] == [b"a", b"b"]


def test_an_answer_without_a_length_lasts_until_the_connection_closes() -> None:
    answer = read(OK + b"\r\nall of it")
    assert (answer.body, answer.reusable) == (b"all of it", False)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_some_statuses_have_no_body(status: bytes) -> None:
    assert read(b"HTTP/1.1 " + status + b"\r\n\r\n").body == b""


def test_a_head_request_has_no_body_whatever_its_length_says() -> None:
    assert read(OK + b"Content-Length: 7\r\n\r\n", bodiless=True).body == b""


def test_an_interim_answer_is_passed_over() -> None:
    assert read(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok").body == b"ok"


def test_a_connection_that_the_server_closes_is_not_reused() -> None:
    assert not read(OK + b"Connection: Close\r\nContent-Length: 0\r\n\r\n").reusable
    assert not read(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").reusable


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/2 200\r\n\r\n", id="another version"),
        pytest.param(b"HTTP/1.1 2x0 OK\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 2000\r\n\r\n", id="status too long"),
        pytest.param(OK + b"no colon\r\n\r\n", id="header without colon"),
        pytest.param(OK + b"A: b\r\n folded\r\n\r\n", id="folded header"),
        pytest.param(OK + b"Content-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(OK + b"Content-Length: 1_0\r\n\r\n", id="length that only Python reads"),
        pytest.param(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two lengths"),
        pytest.param(OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="two framings"),
        pytest.param(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="unknown coding"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", id="negative chunk"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n\r\n", id="empty chunk size"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc", id="chunk without end"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 2000, id="endless chunk size"),
        pytest.param(OK + b"Content-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1), id="huge body"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (BODY_BYTES_MAX + 1), id="huge chunk"),
        pytest.param(OK + b"A: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n", id="huge head"),
        pytest.param(OK + b"A: " + b"x" * (HEAD_BYTES_MAX + 70_000), id="endless head"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 50, id="interim answers without end"),
        pytest.param(OK + b"Content-Le", id="cut in the head"),
    ],
)
def test_a_hostile_answer_is_refused(content: bytes) -> None:
    with pytest.raises(BadAnswer):
        read(content)


@given(at=st.integers(0, 70))
def test_a_truncated_answer_never_passes_for_a_whole_one(at: int) -> None:
    content = OK + b"Content-Length: 30\r\n\r\n" + b"x" * 30
    with pytest.raises(ClientError):
        read(content[: min(at, len(content) - 1)])


def test_a_connection_closed_without_an_answer_is_told_apart_from_a_bad_answer() -> None:
    with pytest.raises(ConnectionFailed):
        read(b"")


@given(content=st.binary(max_size=400))
def test_no_bytes_whatever_make_the_reader_fail_otherwise(content: bytes) -> None:
    try:
        read(content)
        read(OK + b"Transfer-Encoding: chunked\r\n\r\n" + content)
    except ClientError:
        pass


@pytest.mark.parametrize("body", [b"[1]", b'"text"', b"{", b"\xff", b'{"a":NaN' + b"]" * 9, b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        Answer(200, {}, body).json()


def test_the_body_stays_out_of_the_repr() -> None:
    assert "CANARY" not in repr(Answer(200, {"x": "CANARY"}, b"CANARY"))


@pytest.mark.parametrize("value", ["CANARY\r\nX-Vault-Token: other", "CANARY\nx", "CANARY\0", "CANARY€"])
def test_a_header_cannot_smuggle_another(value: str) -> None:
    with pytest.raises(BadSettings) as caught:
        encode_request("GET", "/v1/x", [("X-Vault-Namespace", value)], None)
    assert "CANARY" not in str(caught.value)


def test_a_request_with_a_body_tells_its_length() -> None:
    content = encode_request("PUT", "/v1/x", [("Host", "h")], b"{}")
    assert content == b"PUT /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"


def test_a_path_is_percent_encoded() -> None:
    assert quote("secret/data/a b?c#d%/é") == "secret/data/a%20b%3Fc%23d%25/%C3%A9"
