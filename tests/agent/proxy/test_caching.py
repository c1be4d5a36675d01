"""Tokens and leases are given out again while they are there, and nothing else is."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.agent.proxy.bench import Bench, proxy
from tests.agent.proxy.far_end import LEASE, FarEnd, Received, far_end, login

from strongroom.agent.proxy.keeper import CONFIRMED_SECONDS

LOGIN = "auth/approle/login"
CREDS = "db/creds/app"
USE = "cache {}\napi_proxy { use_auto_auth_token = true }\n"
ALIVE: dict[str, Any] = {"auth/token/lookup-self": {"data": {}}, "sys/leases/lookup": {"data": {}}}


def caches(bench: Bench, method: str, path: str, times: int = 2, **options: Any) -> list[str]:
    """What the proxy says of its cache, for the same request again and again."""
    return [bench.call(method, path, **options).cache for _ in range(times)]


def test_a_login_is_sent_on_once_and_its_token_given_to_all_who_log_in_alike(tmp_path: Path) -> None:
    with far_end(**{LOGIN: login("t1")}) as end, proxy(end.address, tmp_path, more=USE) as bench:
        got = [bench.call("POST", LOGIN, {"role_id": "r", "secret_id": "s"}) for _ in range(3)]
        assert [one.cache for one in got] == ["MISS", "HIT", "HIT"]
        assert {one.body["auth"]["client_token"] for one in got} == {"t1"}
        assert got[1].headers["Age"] == "0"
        assert bench.call("POST", LOGIN, {"role_id": "r", "secret_id": "another"}).cache == "MISS"
        assert end.asked(LOGIN) == 2


def test_logins_at_once_that_are_alike_are_one_login(tmp_path: Path) -> None:
    with far_end(**{LOGIN: login("t1")}) as end, proxy(end.address, tmp_path, more=USE) as bench:
        end.hold = threading.Event()
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(bench.call("POST", LOGIN, {"r": 1}).cache)) for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        assert end.arrived.acquire(timeout=30)
        end.hold.set()
        for thread in threads:
            thread.join(30)
        assert sorted(found) == ["HIT"] * 4 + ["MISS"]
        assert end.asked(LOGIN) == 1


def test_a_lease_of_the_agents_own_token_is_kept(tmp_path: Path) -> None:
    with far_end(**{CREDS: LEASE}) as end, proxy(end.address, tmp_path, more=USE, token="ours") as bench:
        assert caches(bench, "GET", CREDS) == ["MISS", "HIT"]
        assert caches(bench, "GET", CREDS, token="ours") == ["HIT", "HIT"]
        assert end.asked(CREDS) == 1


def test_a_lease_of_a_token_that_the_agent_gave_out_is_kept_for_it_alone(tmp_path: Path) -> None:
    with (
        far_end(**{LOGIN: login("t1"), CREDS: LEASE}) as end,
        proxy(end.address, tmp_path, more=USE, token="ours") as bench,
    ):
        bench.call("POST", LOGIN, {})
        assert caches(bench, "GET", CREDS, token="t1") == ["MISS", "HIT"]
        assert caches(bench, "GET", CREDS) == ["MISS", "HIT"]
        assert end.asked(CREDS) == 2


def test_a_lease_of_a_token_that_nobody_here_looks_after_is_not_kept(tmp_path: Path) -> None:
    with far_end(**{CREDS: LEASE}) as end, proxy(end.address, tmp_path, more=USE, token="ours") as bench:
        assert caches(bench, "GET", CREDS, token="a stranger's".replace(" ", "-")) == ["MISS", "MISS"]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (CREDS, {"data": {"password": "static"}, "lease_id": "", "lease_duration": 3600, "renewable": False}),
        (CREDS, {**LEASE, "renewable": False}),
        (CREDS, {**LEASE, "lease_duration": 0}),
        (CREDS, {**LEASE, "wrap_info": {"token": "w"}}),
        (CREDS, (500, LEASE)),
        (CREDS, (403, LEASE)),
        (CREDS, (206, LEASE)),
        (CREDS, b"no JSON"),
        (CREDS, b"[" * 100_000),
        (CREDS, {**LEASE, "data": {"large": "x" * 70_000}}),
        (LOGIN, login("t1", renewable=False)),
        (LOGIN, login("t1", num_uses=3)),
        (LOGIN, login("t1", token_type="batch")),
        (LOGIN, {"auth": None}),
        ("auth/token/renew-self", login("ours")),
        ("auth/token/lookup-self", {**LEASE}),
        ("sys/wrapping/unwrap", LEASE),
        ("sys/leases/renew", LEASE),
    ],
)
def test_what_may_not_be_kept_is_asked_for_anew(tmp_path: Path, path: str, answer: Any) -> None:
    with far_end(**{path: answer}) as end, proxy(end.address, tmp_path, more=USE, token="ours") as bench:
        assert caches(bench, "POST", path) == ["MISS", "MISS"]
        assert end.asked(path) == 2


@pytest.mark.parametrize(
    "headers", [{"x_vault_wrap_ttl": "60s"}, {"x_vault_namespace": "other"}, {"x_strongroom_reason": "another"}]
)
def test_another_header_is_another_request(tmp_path: Path, headers: dict[str, str]) -> None:
    with far_end(**{CREDS: LEASE}) as end, proxy(end.address, tmp_path, more=USE, token="ours") as bench:
        bench.call("GET", CREDS)
        assert bench.call("GET", CREDS, **headers).cache == "MISS"
        assert bench.call("GET", CREDS, user_agent="somebody else").cache == "HIT"


def test_without_a_cache_block_nothing_is_kept(tmp_path: Path) -> None:
    with far_end(**{LOGIN: login("t1")}) as end, proxy(end.address, tmp_path) as bench:
        assert caches(bench, "POST", LOGIN) == ["", ""]
        assert end.asked(LOGIN) == 2
        assert bench.call("POST", "/agent/v1/cache-clear", {"type": "all"}).status == 400


# How it ends


def filled(bench: Bench) -> None:
    """A token, a lease of it, a lease of the agent's own token."""
    bench.call("POST", LOGIN, {})
    for token in ("t1", ""):
        assert caches(bench, "GET", CREDS, token=token) == ["MISS", "HIT"]


def left(bench: Bench) -> tuple[str, str, str]:
    """What is still kept of it."""
    cache = bench.part._cache
    tags = {cache.tag("t1"): "of t1", cache.tag("ours"): "of ours"}
    kept = {"t1" if entry.token else tags[entry.asked_with] for entry in cache.entries()}
    first, second, third = (name if name in kept else "" for name in ("t1", "of t1", "of ours"))
    return first, second, third


ALL = ("t1", "of t1", "of ours")


@pytest.mark.parametrize(
    ("method", "path", "body", "token", "expected"),
    [
        ("POST", "auth/token/revoke-self", None, "t1", ("", "", "of ours")),
        ("PUT", "auth/token/revoke", {"token": "t1"}, "", ("", "", "of ours")),
        ("POST", "auth/token/revoke-orphan", {"token": "t1"}, "", ("", "", "of ours")),
        ("POST", "auth/token/revoke-accessor", {"accessor": "accessor-of-t1"}, "", ("", "", "of ours")),
        ("POST", "auth/token/revoke", {"token": "ours"}, "", ("t1", "of t1", "")),
        ("PUT", "sys/leases/revoke", {"lease_id": LEASE["lease_id"]}, "", ("", "", "")),
        ("PUT", f"sys/revoke/{LEASE['lease_id']}", None, "", ("", "", "")),
        ("PUT", "sys/leases/revoke-prefix/db", None, "", ("t1", "", "")),
        ("PUT", "sys/leases/revoke-force/auth/approle", None, "", ("", "", "of ours")),
        ("DELETE", "sys/mounts/db", None, "", ("", "", "")),
        ("DELETE", "sys/auth/approle", None, "", ("", "", "")),
        ("POST", "auth/token/revoke", {"token": "nobody's"}, "", ALL),
        ("POST", "secret/app", {"token": "t1"}, "", ALL),
    ],
)
def test_what_is_revoked_through_the_proxy_is_let_go_with_all_that_hangs_on_it(
    tmp_path: Path, method: str, path: str, body: Any, token: str, expected: tuple[str, str, str]
) -> None:
    with (
        far_end(**{LOGIN: login("t1"), CREDS: LEASE}) as end,
        proxy(end.address, tmp_path, more=USE, token="ours") as bench,
    ):
        filled(bench)
        assert left(bench) == ALL
        bench.call(method, path, body, token=token)
        assert left(bench) == expected


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"type": "all"}, 204, ("", "", "")),
        ({"type": "token", "value": "t1"}, 204, ("", "", "of ours")),
        ({"type": "token_accessor", "value": "accessor-of-t1"}, 204, ("", "", "of ours")),
        ({"type": "lease", "value": LEASE["lease_id"]}, 204, ("t1", "", "")),
        ({"type": "request_path", "value": f"/v1/{CREDS}"}, 204, ("t1", "", "")),
        ({"type": "token"}, 400, ALL),
        ({"type": "nonsense", "value": "x"}, 400, ALL),
        ({"type": 1, "value": []}, 400, ALL),
        ([], 400, ALL),
        (b"{", 400, ALL),
    ],
)
def test_whoever_uses_the_proxy_may_clear_its_cache(
    tmp_path: Path, body: Any, status: int, expected: tuple[str, str, str]
) -> None:
    with (
        far_end(**{LOGIN: login("t1"), CREDS: LEASE}) as end,
        proxy(end.address, tmp_path, more=USE, token="ours") as bench,
    ):
        filled(bench)
        assert bench.call("POST", "/agent/v1/cache-clear", body).status == status
        assert left(bench) == expected


def test_another_token_of_the_agent_ends_what_hung_on_the_one_before(tmp_path: Path) -> None:
    with (
        far_end(**{LOGIN: login("t1"), CREDS: LEASE}) as end,
        proxy(end.address, tmp_path, more=USE, token="ours") as bench,
    ):
        filled(bench)
        bench.workshop.context.tokens.replace("another")
        assert left(bench) == ("t1", "of t1", "")


def test_what_is_over_is_not_given_out_and_goes_with_what_hangs_on_it(tmp_path: Path) -> None:
    with (
        far_end(**{LOGIN: login("t1", lease_duration=100), CREDS: LEASE, **ALIVE}) as end,
        proxy(end.address, tmp_path, more=USE, token="ours") as bench,
    ):
        filled(bench)
        bench.workshop.clock.jump(100)
        assert bench.call("POST", LOGIN, {}).cache == "MISS"
        assert left(bench) == ("t1", "", "of ours")


def test_a_token_that_ended_elsewhere_is_noticed_before_it_is_given_out_again(tmp_path: Path) -> None:
    with far_end(**{LOGIN: login("t1"), **ALIVE}) as end, proxy(end.address, tmp_path, more=USE) as bench:
        bench.call("POST", LOGIN, {})
        bench.workshop.clock.jump(CONFIRMED_SECONDS)
        assert caches(bench, "POST", LOGIN, body={}) == ["HIT", "HIT"]
        assert end.asked("auth/token/lookup-self") == 1
        assert end.received[-1].headers["x-vault-token"] == "t1"
        end.answers["auth/token/lookup-self"] = (403, {"errors": ["permission denied"]})
        end.answers[LOGIN] = login("t2")
        bench.workshop.clock.jump(CONFIRMED_SECONDS)
        assert bench.call("POST", LOGIN, {}).body["auth"]["client_token"] == "t2"


def test_a_lease_that_ended_elsewhere_is_noticed_before_it_is_given_out_again(tmp_path: Path) -> None:
    with far_end(**{CREDS: LEASE, **ALIVE}) as end, proxy(end.address, tmp_path, more=USE, token="ours") as bench:
        bench.call("GET", CREDS)
        end.answers["sys/leases/lookup"] = (400, {"errors": ["invalid lease"]})
        bench.workshop.clock.jump(CONFIRMED_SECONDS)
        assert bench.call("GET", CREDS).cache == "MISS"


def test_while_the_server_does_not_answer_a_lease_is_given_out_until_it_is_over(tmp_path: Path) -> None:
    with far_end(**{CREDS: LEASE, **ALIVE}) as end, proxy(end.address, tmp_path, more=USE, token="ours") as bench:
        bench.call("GET", CREDS)
        bench.part._upstream._address = bench.part._upstream._address._replace(port=1)
        bench.part._upstream.close()
        bench.workshop.clock.jump(CONFIRMED_SECONDS)
        got = bench.call("GET", CREDS)
        assert (got.cache, got.headers["Age"]) == ("HIT", "15")
        bench.workshop.clock.jump(3600)
        assert bench.call("GET", CREDS).status == 502


def test_a_no_of_the_server_has_the_token_looked_at(tmp_path: Path) -> None:
    doubted: list[str] = []
    with (
        far_end(**{"secret/closed": (403, {"errors": []}), CREDS: LEASE}) as end,
        proxy(end.address, tmp_path, more=USE, token="ours") as bench,
    ):
        bench.workshop.context.tokens.on_doubt(doubted.append)
        bench.call("GET", CREDS)
        assert bench.call("GET", "secret/closed").status == 403
        assert doubted == ["ours"]
        end.answers["auth/token/lookup-self"] = (403, {"errors": []})
        assert bench.call("GET", CREDS).cache == "MISS"


# Renewal


def looked_after(bench: Bench, end: FarEnd, renewal: Any, path: str) -> None:
    end.answers[path] = renewal
    bench.part._keeper.look_after()


def test_what_is_asked_for_is_renewed_and_what_is_not_is_left_to_end(tmp_path: Path) -> None:
    renewals: list[Received] = []

    def renew(received: Received) -> Any:
        renewals.append(received)
        return {"lease_id": LEASE["lease_id"], "lease_duration": 1800, "renewable": True}

    with far_end(**{CREDS: LEASE, **ALIVE}) as end, proxy(end.address, tmp_path, more=USE, token="ours") as bench:
        bench.call("GET", CREDS)
        looked_after(bench, end, renew, "sys/leases/renew")
        assert renewals == []
        bench.workshop.clock.jump(2400)
        looked_after(bench, end, renew, "sys/leases/renew")
        assert [(one.headers["x-vault-token"], one.body) for one in renewals] == [
            ("ours", b'{"lease_id": "db/creds/app/abc"}')
        ]
        bench.workshop.clock.jump(1500)
        assert left(bench) == ("", "", "of ours")
        looked_after(bench, end, renew, "sys/leases/renew")
        assert len(renewals) == 1
        assert bench.call("GET", CREDS).cache == "HIT"
        looked_after(bench, end, renew, "sys/leases/renew")
        assert len(renewals) == 2
        bench.workshop.clock.jump(1800)
        looked_after(bench, end, renew, "sys/leases/renew")
        assert left(bench) == ("", "", "")


def test_a_token_is_renewed_with_itself_and_goes_where_that_fails(tmp_path: Path) -> None:
    with far_end(**{LOGIN: login("t1"), **ALIVE}) as end, proxy(end.address, tmp_path, more=USE) as bench:
        bench.call("POST", LOGIN, {})
        bench.workshop.clock.jump(2400)
        looked_after(bench, end, (500, {"errors": []}), "auth/token/renew-self")
        assert end.received[-1].headers["x-vault-token"] == "t1"
        assert left(bench) == ("t1", "", "")
        looked_after(bench, end, (403, {"errors": []}), "auth/token/renew-self")
        assert left(bench) == ("", "", "")
