"""What goes on to the server, with which token, and what does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.agent.proxy.bench import proxy
from tests.agent.proxy.far_end import far_end

USE = "api_proxy { use_auto_auth_token = true }\n"
FORCE = 'api_proxy { use_auto_auth_token = "force" }\n'
READ = {"data": {"password": "a value"}}


def test_a_request_goes_on_and_its_answer_comes_back(tmp_path: Path) -> None:
    with far_end(**{"secret/app": READ}) as end, proxy(end.address, tmp_path) as bench:
        got = bench.call("POST", "secret/app?version=2", {"a": "b"}, token="mine", content_type="application/json")
        assert (got.status, got.body) == (200, READ)
        assert got.headers["Content-Type"] == "application/json"
        assert "X-Cache" not in got.headers
        (received,) = end.received
        assert (received.method, received.target, received.body) == ("POST", "/v1/secret/app?version=2", b'{"a": "b"}')
        assert received.headers["x-vault-token"] == "mine"
        assert received.headers["x-vault-request"] == "true"
        assert received.headers["host"] == end.address.removeprefix("http://")


@pytest.mark.parametrize(
    ("config", "clients", "expected"),
    [
        ("", "", None),
        ("", "theirs", "theirs"),
        (USE, "", "ours"),
        (USE, "theirs", "theirs"),
        (FORCE, "", "ours"),
        (FORCE, "theirs", "ours"),
        ("cache { use_auto_auth_token = true }\n", "", "ours"),
    ],
)
def test_the_token_of_a_client_is_kept_unless_ours_is_forced(
    tmp_path: Path, config: str, clients: str, expected: str | None
) -> None:
    with far_end(**{"secret/app": READ}) as end, proxy(end.address, tmp_path, more=config, token="ours") as bench:
        assert bench.call("GET", "secret/app", token=clients).status == 200
        assert end.received[0].headers.get("x-vault-token") == expected


def test_a_bearer_token_is_a_token_too_and_only_one_is_sent(tmp_path: Path) -> None:
    with far_end(**{"secret/app": READ}) as end, proxy(end.address, tmp_path, more=USE, token="ours") as bench:
        bench.call("GET", "secret/app", authorization="Bearer theirs")
        bench.call("GET", "secret/app", token="first", authorization="Bearer second")
        assert [one.headers.get("x-vault-token") for one in end.received] == ["theirs", "first"]
        assert all("authorization" not in one.headers for one in end.received)


def test_before_the_agent_has_logged_in_its_clients_are_told_to_come_back(tmp_path: Path) -> None:
    with (
        far_end(**{"secret/app": (403, {"errors": []}), "sys/health": {}}) as end,
        proxy(end.address, tmp_path, more=USE) as bench,
    ):
        got = bench.call("GET", "secret/app")
        assert (got.status, got.headers["Retry-After"]) == (503, "1")
        assert bench.call("GET", "sys/health").status == 200
        assert bench.call("GET", "secret/app", token="theirs").status == 403


def test_only_what_is_known_goes_on(tmp_path: Path) -> None:
    with far_end(**{"secret/app": READ}) as end, proxy(end.address, tmp_path) as bench:
        bench.call(
            "GET",
            "secret/app",
            connection="close, x-vault-secret-hop",
            te="trailers",
            proxy_authorization="Basic abc",
            x_forwarded_for="10.0.0.1",
            forwarded="for=10.0.0.1",
            cookie="a=b",
            accept="application/json",
            user_agent="a client",
            x_vault_wrap_ttl="60s",
            x_strongroom_reason="because",
        )
        names = set(end.received[0].headers) - {"host"}
        assert names == {"accept", "user-agent", "x-vault-request", "x-vault-wrap-ttl", "x-strongroom-reason"}


def test_where_the_header_is_required_nothing_goes_on_without_it(tmp_path: Path) -> None:
    with (
        far_end(**{"secret/app": READ}) as end,
        proxy(end.address, tmp_path, listener="require_request_header = true") as bench,
    ):
        for value in ({}, {"x_vault_request": "yes"}):
            assert bench.call("GET", "secret/app", **value).status == 412
        assert bench.call("POST", "/agent/v1/cache-clear", {"type": "all"}).status == 412
        assert bench.call("GET", "/agent/v1/metrics").status == 200, "who collects figures sends no such header"
        assert end.received == []
        assert bench.call("GET", "secret/app", x_vault_request="true").status == 200


def test_pages_in_browsers_are_turned_away(tmp_path: Path) -> None:
    with far_end(**{"secret/app": READ}) as end, proxy(end.address, tmp_path) as bench:
        assert bench.call("GET", "secret/app", origin="https://example.com").status == 403
        assert end.received == []


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v2/secret", 404),
        ("GET", "/v1/secret/../sys/raw", 400),
        ("GET", "/v1/secret/%2e%2e/sys", 400),
        ("GET", "/v1/secret//app", 400),
        ("GET", "/v1/secret%2Fapp", 400),
        ("GET", "/agent/v1/../../v1/secret", 404),
        ("TRACE", "/v1/secret/app", 405),
        ("CONNECT", "/v1/secret/app", 405),
    ],
)
def test_what_two_programs_could_read_in_two_ways_does_not_go_on(
    tmp_path: Path, method: str, target: str, status: int
) -> None:
    with far_end() as end, proxy(end.address, tmp_path) as bench:
        assert bench.call(method, target).status == status
        assert end.received == []


def test_a_server_that_is_not_there_is_a_bad_gateway_and_no_value_is_said(tmp_path: Path) -> None:
    with far_end() as end:
        address = end.address
    with proxy(address, tmp_path) as bench:
        got = bench.call("GET", "secret/app", token="a-token-of-somebody")
        assert got.status == 502
        assert "a-token" not in got.raw.decode() + bench.workshop.said


def test_a_redirect_is_not_followed_with_a_token(tmp_path: Path) -> None:
    with far_end(**{"secret/app": (307, {})}) as end, proxy(end.address, tmp_path) as bench:
        assert bench.call("GET", "secret/app", token="mine").status == 502
        assert len(end.received) == 1


def test_metrics_are_shown_and_hold_no_names(tmp_path: Path) -> None:
    with far_end(**{"secret/app": READ}) as end, proxy(end.address, tmp_path, more="cache {}\n") as bench:
        bench.call("GET", "secret/app", token="mine")
        figures = bench.call("GET", "/agent/v1/metrics").body
        assert (figures["agent_proxy_requests"], figures["agent_cache_misses"], figures["agent_cache_hits"]) == (
            2,
            1,
            0,
        )
        text = bench.call("GET", "/agent/v1/metrics?format=prometheus").raw.decode()
        assert "strongroom_agent_cache_entries 0\n" in text
        assert "secret" not in text


def test_a_listener_for_metrics_shows_nothing_else(tmp_path: Path) -> None:
    with (
        far_end(**{"secret/app": READ}) as end,
        proxy(end.address, tmp_path, listener='role = "metrics_only"') as bench,
    ):
        assert bench.call("GET", "/agent/v1/metrics").status == 200
        assert bench.call("GET", "secret/app").status == 404
        assert bench.call("POST", "/agent/v1/cache-clear", {"type": "all"}).status == 404
        assert end.received == []


def test_the_agent_ends_by_request_only_where_that_is_enabled(tmp_path: Path) -> None:
    with far_end() as end:
        with proxy(end.address, tmp_path) as bench:
            assert bench.call("POST", "/agent/v1/quit").status == 404
            assert not bench.workshop.context.ending.is_asked_for
        with proxy(end.address, tmp_path, listener="agent_api { enable_quit = true }") as bench:
            assert bench.call("GET", "/agent/v1/quit").status == 404
            assert bench.call("POST", "/agent/v1/quit").status == 204
            assert bench.workshop.context.ending.wait(30)


def test_an_answer_of_any_size_and_kind_comes_through_as_it_is(tmp_path: Path) -> None:
    large = json.dumps({"data": {"v": "x" * 3_000_000}}).encode()
    with far_end(a=(200, large), b=(204, b""), c=(418, b"\xff\xfe")) as end, proxy(end.address, tmp_path) as bench:
        assert bench.call("GET", "a").raw == large
        assert bench.call("DELETE", "b").status == 204
        assert (bench.call("GET", "c").status, bench.call("GET", "c").raw) == (418, b"\xff\xfe")
        assert bench.call("HEAD", "a").raw == b""


def test_a_server_that_says_nothing_is_not_asked_again_when_its_time_is_over(tmp_path: Path) -> None:
    with far_end(**{"secret/app": READ}) as end, proxy(end.address, tmp_path) as bench:
        assert bench.call("GET", "secret/app").status == 200

        def silent(_: object) -> None:
            bench.workshop.clock.jump(1000)
            raise ConnectionResetError

        end.answers["secret/app"] = silent
        assert bench.call("GET", "secret/app").status == 502
        assert end.asked("secret/app") == 2
