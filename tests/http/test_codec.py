from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.encoding import json
from strongroom.http.codec import decode_request, encode_response
from strongroom.http.errors import encode_error
from strongroom.http.message import HttpRequest
from strongroom.logical.backend import Shape
from strongroom.logical.errors import (
    InvalidRequest,
    LogicalError,
    NotFound,
    UnsupportedMediaType,
    UnsupportedOperation,
)
from strongroom.logical.operation import Operation
from strongroom.logical.path import check_canonical
from strongroom.logical.request import Auth, Connection, RawBody, Request, Response, WrapInfo
from strongroom.logical.secret import Secret

MERGE = "application/merge-patch+json"


def http(
    method: str = "GET", target: str = "/v1/a", body: bytes = b"", headers: dict[str, str] | None = None
) -> HttpRequest:
    return HttpRequest(method, target, headers or {}, body, Connection(remote_address="192.0.2.1"))


def decode(method: str = "GET", target: str = "/v1/a", body: bytes = b"", /, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return decode_request(http(method, target, body, named), request_id="the-id")


@pytest.mark.parametrize(
    ("method", "target", "operation", "path"),
    [
        ("GET", "/v1/secret/a", Operation.READ, "secret/a"),
        ("GET", "/v1/secret/a/", Operation.READ, "secret/a"),
        ("POST", "/v1/secret/a", Operation.UPDATE, "secret/a"),
        ("PUT", "/v1/secret/a", Operation.UPDATE, "secret/a"),
        ("DELETE", "/v1/secret/a", Operation.DELETE, "secret/a"),
        ("DELETE", "/v1/secret/a/", Operation.DELETE, "secret/a"),
        ("LIST", "/v1/secret", Operation.LIST, "secret"),
        ("LIST", "/v1/secret/", Operation.LIST, "secret"),
        ("GET", "/v1/secret/?list=true", Operation.LIST, "secret"),
        ("GET", "/v1/secret?list=1", Operation.LIST, "secret"),
        ("GET", "/v1/secret?list=false", Operation.READ, "secret"),
        ("GET", "/v1/secret?list=", Operation.READ, "secret"),
        ("GET", "/v1/secret?help=1", Operation.HELP, "secret"),
        ("GET", "/v1/secret?help=1&list=true", Operation.HELP, "secret"),
        ("HELP", "/v1/secret", Operation.HELP, "secret"),
        ("HEAD", "/v1/sys/health?standbyok=true", Operation.READ, "sys/health"),
        ("GET", "/v1/secret/a%20b%25/%C3%A9+c", Operation.READ, "secret/a b%/é+c"),
        ("GET", "/v1/secret/a%252e%252e/a", Operation.READ, "secret/a%2e%2e/a"),
        ("GET", "/v1/secret/a%2eb", Operation.READ, "secret/a.b"),
        ("GET", "/v1/secret/...", Operation.READ, "secret/..."),
    ],
)
def test_a_method_and_a_target_are_an_operation_and_a_path(
    method: str, target: str, operation: Operation, path: str
) -> None:
    request = decode(method, target)
    assert (request.operation, request.path, request.id, request.method) == (operation, path, "the-id", method)
    assert request.connection.remote_address == "192.0.2.1"


def test_patch_needs_the_merge_patch_type_and_says_so() -> None:
    request = decode("PATCH", "/v1/a", b'{"b":null}', content_type=f"{MERGE}; charset=utf-8")
    assert (request.operation, request.body) == (Operation.PATCH, {"b": None})
    with pytest.raises(UnsupportedMediaType, match=MERGE.replace("+", r"\+")):
        decode("PATCH", "/v1/a", b"{}", content_type="application/json")


@pytest.mark.parametrize(
    ("method", "target"),
    [("HEAD", "/v1/secret/a"), ("SCAN", "/v1/a"), ("OPTIONS", "/v1/a"), ("get", "/v1/a"), ("X", "/")],
)
def test_a_method_that_means_nothing_is_405_without_words(method: str, target: str) -> None:
    with pytest.raises(UnsupportedOperation) as raised:
        decode(method, target)
    answer = encode_error(raised.value)
    assert (answer.status, answer.body) == (405, b'{"errors":[]}')


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_writing_to_a_folder_is_refused(method: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^cannot write to a path ending in '/'$"):
        decode(method, "/v1/secret/", b"{}")


@pytest.mark.parametrize(
    "query",
    ["list=maybe", "help=maybe", "list=true&list=true", "a=1&a=2", "a=%zz", "a=%ff", "a=%00", "scan=true", "%=1"],
)
def test_a_bad_query_is_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        decode("GET", f"/v1/a?{query}")


def test_more_parameters_than_anybody_needs_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        decode("GET", "/v1/a?" + "&".join(f"p{number}" for number in range(1001)))


def test_parameters_are_the_body_of_operations_without_one() -> None:
    assert decode("GET", "/v1/a?version=2&x=a%2Bb+c&&empty").body == {"version": "2", "x": "a+b c", "empty": ""}
    assert decode("LIST", "/v1/a?after=b&limit=1").body == {"after": "b", "limit": "1"}
    assert decode("DELETE", "/v1/a?versions=1,2").body == {"versions": "1,2"}
    assert decode("PUT", "/v1/a?ignored=1").body == {}


@pytest.mark.parametrize(
    ("content_type", "body", "decoded"),
    [
        ("application/json", b'{"a":1}', {"a": 1}),
        ("", b' \r\n\t{"a":1}', {"a": 1}),
        ("application/x-www-form-urlencoded", b'{"a":[1]}', {"a": [1]}),
        (
            "application/x-www-form-urlencoded",
            b' {"a": "what curl -d @file sends"} ',
            {"a": "what curl -d @file sends"},
        ),
        ("application/x-www-form-urlencoded", b"a=&b=c=&", {"a": "", "b": "c="}),
        ("application/x-www-form-urlencoded", b"a=1&b=x%20y+z", {"a": "1", "b": "x y z"}),
        ("Application/X-WWW-Form-Urlencoded; charset=utf-8", b"a=1", {"a": "1"}),
        ("application/json", b"", {}),
        ("application/json", b" \n", {}),
        ("application/json", b"null\n", {}),
    ],
)
def test_a_body_is_read_by_its_content(content_type: str, body: bytes, decoded: dict[str, Any]) -> None:
    assert decode("POST", "/v1/a", body, content_type=content_type).body == decoded


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"[]"),
        ("application/json", b"1"),
        ("application/json", b'"a"'),
        ("application/json", b"a=1"),
        ("application/json", b'{"a":1'),
        ("application/json", b'{"a":1,"a":2}'),
        ("application/json", b'{"a":NaN}'),
        ("application/json", b'{"a":"\\ud800"}'),
        ("application/json", b"\xff"),
        ("application/json", b'{"a":' + b"[" * 100_000),
        ("application/json", b"\xef\xbb\xbf{}"),
        ("application/x-www-form-urlencoded", b"a=1&a=2"),
        ("application/x-www-form-urlencoded", b"a=\xff"),
        ("application/x-www-form-urlencoded", b"[1]"),
        ("application/x-www-form-urlencoded", b"hunter2"),
        ("application/x-www-form-urlencoded", b"a=1&hunter2"),
    ],
)
def test_a_body_that_is_no_object_is_refused_without_quoting_it(content_type: str, body: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode("POST", "/v1/a", body, content_type=content_type)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"x-vault-token": "srs.abc"}, "srs.abc"),
        ({"authorization": "Bearer srs.abc"}, "srs.abc"),
        ({"authorization": "bearer  srs.abc"}, "srs.abc"),
        ({"x-vault-token": "srs.abc", "authorization": "Bearer other"}, "srs.abc"),
        ({"x-vault-token": "", "authorization": "Bearer srs.abc"}, "srs.abc"),
        ({"authorization": "Basic abc"}, None),
        ({"authorization": "Bearer "}, None),
        ({"x-vault-token": ""}, None),
        ({}, None),
    ],
)
def test_the_token_comes_from_either_header(headers: dict[str, str], token: str | None) -> None:
    found = decode_request(http(headers=headers), request_id="id").token
    assert (found.reveal() if found else None) == token


@pytest.mark.parametrize("text", ["tök", "a b", "a\tb", "\x80", "a" * 10_000])
def test_what_cannot_be_a_token_is_an_unknown_one_and_no_exception(text: str) -> None:
    found = decode_request(http(headers={"x-vault-token": text}), request_id="id").token
    assert found is not None
    assert found.reveal() not in {"", text}


@pytest.mark.parametrize(
    ("text", "seconds"), [("60", 60), ("60s", 60), ("5m", 300), ("1h30m", 5400), ("0", None), ("", None)]
)
def test_the_wrap_ttl_is_seconds_or_a_duration(text: str, seconds: int | None) -> None:
    assert decode(x_vault_wrap_ttl=text).wrap_ttl == seconds


@pytest.mark.parametrize("text", ["-1", "-5m", "soon", "1x", "٣", "1e9", "9" * 30])
def test_a_bad_wrap_ttl_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="X-Vault-Wrap-TTL"):
        decode(x_vault_wrap_ttl=text)


def test_only_the_root_namespace_exists() -> None:
    for text in ("", "root", "root/", "/"):
        assert decode(x_vault_namespace=text).namespace == ""
    with pytest.raises(NotFound, match=r"^namespace not found$"):
        decode(x_vault_namespace="team")


def test_only_the_headers_that_are_used_go_on() -> None:
    kept = decode(user_agent="u" * 9999, x_forwarded_for="192.0.2.9, b", cookie="c", x_vault_token="t").headers
    assert kept == {"user-agent": "u" * 512, "x-forwarded-for": "192.0.2.9, b"}


def test_a_request_shows_neither_its_token_nor_its_body() -> None:
    shown = repr(decode("PUT", "/v1/a", b'{"a":"s3cr3t-canary"}', x_vault_token="s3cr3t-canary"))
    assert "s3cr3t-canary" not in shown


SEGMENT = st.text(st.sampled_from("abcXYZ019._-~ +é%"), min_size=1, max_size=6).filter(
    lambda text: text not in {".", ".."}
)
PATHS = st.lists(SEGMENT, min_size=1, max_size=5).map("/".join)


def quoted(text: str, safe: str = "/") -> str:
    return "".join(
        character if character.isascii() and (character.isalnum() or character in safe) else percent(character)
        for character in text
    )


def percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def at(where: str) -> Callable[[str, int], str]:
    """A mutator that puts ``where`` behind the n-th slash."""
    return lambda raw, n: "/".join(
        part + (f"/{where}" if index == n % (raw.count("/") + 1) else "") for index, part in enumerate(raw.split("/"))
    )


MUTATORS: dict[str, Callable[[str, int], str]] = {
    "nothing": lambda raw, _: raw,
    "trailing slash": lambda raw, _: raw + "/",
    "two trailing slashes": lambda raw, _: raw + "//",
    "leading slash": lambda raw, _: "/" + raw,
    "double slash": at(""),
    "dot": at("."),
    "dots": at(".."),
    "encoded dot": at("%2e"),
    "encoded dots": at("%2e%2e"),
    "mixed dots": at(".%2E"),
    "twice encoded dots": at("%252e%252e"),
    "away and back": at("x/.."),
    "encoded slash": lambda raw, _: raw.replace("/", "%2f", 1),
    "encoded slash in capitals": lambda raw, _: raw.replace("/", "%2F", 1),
    "encoded backslash": lambda raw, _: raw.replace("/", "%5c", 1),
    "backslash": lambda raw, _: raw.replace("/", "\\", 1),
    "NUL": lambda raw, _: raw + "%00",
    "line feed": lambda raw, _: raw + "%0a",
    "delete": lambda raw, _: raw + "%7f",
    "invisible": lambda raw, _: raw + "%e2%80%8b",
    "full width slash": lambda raw, _: raw.replace("/", "%ef%bc%8f", 1),
    "overlong slash": lambda raw, _: raw.replace("/", "%c0%af", 1),
    "one letter encoded": lambda raw, n: raw[: n % len(raw)] + percent(raw[n % len(raw)]) + raw[n % len(raw) + 1 :],
    "capital escapes": lambda raw, _: raw.replace("%e", "%E").replace("%c", "%C"),
    "semicolon": lambda raw, _: raw + ";x=y",
}


@given(PATHS, st.sampled_from(sorted(MUTATORS)), st.integers(0, 20))
def test_a_changed_path_is_refused_or_means_what_it_says_once_decoded(path: str, mutator: str, n: int) -> None:
    raw = MUTATORS[mutator](quoted(path), n)
    try:
        decoded = decode("GET", f"/v1/{raw}").path
    except LogicalError:
        assert mutator not in {"nothing", "trailing slash", "capital escapes"}
        return
    assert check_canonical(decoded) == decoded
    assert len(decoded.split("/")) == raw.removesuffix("/").count("/") + 1
    if mutator in {"nothing", "trailing slash", "capital escapes"}:
        assert decoded == path


@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "LIST", "HEAD", "HELP", "TRACE"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    st.binary(max_size=60),
    st.dictionaries(
        st.sampled_from(["content-type", "x-vault-token", "authorization", "x-vault-wrap-ttl", "x-vault-namespace"]),
        st.one_of(st.text(st.characters(max_codepoint=255), max_size=20), st.sampled_from([MERGE, "Bearer x"])),
    ),
)
def test_whatever_comes_is_a_request_or_a_logical_error(
    method: str, target: str, body: bytes, headers: dict[str, str]
) -> None:
    statuses: set[int] = set()
    for prefixed in (target, f"/v1/{target}"):
        try:
            request = decode_request(http(method, prefixed, body, headers), request_id="id")
        except LogicalError as error:
            statuses.add(encode_error(error).status)
        else:
            assert isinstance(request.body, dict)
    assert statuses <= {400, 404, 405, 415}


def answer(response: Response | None, shape: Shape = Shape.ENVELOPE) -> tuple[int, Any]:
    encoded = encode_response(response, decode("GET", "/v1/a"), shape)
    assert dict(encoded.headers)["Cache-Control"] == "no-store"
    assert dict(encoded.headers)["Content-Type"] == "application/json"
    return encoded.status, json.decode(encoded.body) if encoded.body else None


EMPTY = {
    "request_id": "the-id",
    "lease_id": "",
    "renewable": False,
    "lease_duration": 0,
    "data": None,
    "wrap_info": None,
    "warnings": None,
    "auth": None,
}


def test_nothing_is_204() -> None:
    assert answer(None) == (204, None)
    assert answer(Response()) == (204, None)


def test_data_stands_in_the_envelope() -> None:
    status, body = answer(Response(data={"a": 1}))
    assert status == 200
    assert body == {**EMPTY, "data": {"a": 1}}
    assert list(body) == list(EMPTY)


def test_a_write_with_warnings_is_200_with_the_envelope() -> None:
    assert answer(Response(warnings=("careful",))) == (200, {**EMPTY, "warnings": ["careful"]})


def test_an_answer_with_auth_is_an_envelope() -> None:
    status, body = answer(Response(auth=Auth(policies=("p",), client_token=Secret("t"))))
    assert (status, body["auth"]["client_token"], body["data"]) == (200, "t", None)


def test_members_stand_at_the_top_too_where_old_clients_look_but_never_hide_the_envelope() -> None:
    status, body = answer(Response(data={"kv/": {"type": "kv"}, "auth": 1}), Shape.ENVELOPE_AND_TOP_LEVEL)
    assert status == 200
    assert body == {**EMPTY, "data": {"kv/": {"type": "kv"}, "auth": 1}, "kv/": {"type": "kv"}}


def test_bare_data_is_the_whole_body_and_the_status_can_be_chosen() -> None:
    assert answer(Response(data={"sealed": True}, status=503), Shape.BARE) == (503, {"sealed": True})
    assert answer(Response(status=429), Shape.BARE) == (429, None)


@pytest.mark.parametrize("shape", list(Shape))
def test_a_wrapped_answer_shows_only_its_wrapping(shape: Shape) -> None:
    info = WrapInfo(token=Secret("w"), accessor="a", ttl=60, creation_time_ns=0, creation_path="sys/x")
    status, body = answer(Response(wrap_info=info), shape)
    assert (status, body["request_id"], body["data"], body["wrap_info"]["token"]) == (200, "", None, "w")


def test_what_was_wrapped_comes_back_byte_for_byte() -> None:
    stored = b'{"any": "bytes"}'
    assert encode_response(Response(wrapped_envelope=stored), None, Shape.ENVELOPE).body == stored


def test_a_raw_body_has_its_own_type() -> None:
    raw = RawBody(content_type="application/pem-certificate-chain", content=b"PEM")
    encoded = encode_response(Response(raw=raw), None, Shape.ENVELOPE)
    assert (encoded.status, encoded.body) == (200, b"PEM")
    assert dict(encoded.headers) == {
        "Content-Type": "application/pem-certificate-chain",
        "Cache-Control": "no-store",
    }


def test_a_status_that_would_not_end_the_request_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="200 to 599"):
        encode_response(Response(data={}, status=100), None, Shape.ENVELOPE)


def test_numbers_of_any_size_come_back_as_they_were() -> None:
    text = b'{"a":12345678901234567890123,"b":0.1000,"c":1e400}'
    data = decode("PUT", "/v1/a", text).body
    assert (
        b'"data":{"a":12345678901234567890123,"b":0.1000,"c":1E+400}'
        in encode_response(Response(data=data), None, Shape.ENVELOPE).body
    )
