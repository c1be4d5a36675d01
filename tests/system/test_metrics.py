from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.kit import Vault
from tests.quotas.front import Front
from tests.telemetry.promlint import problems, read

from strongroom.http.listener import Listener
from strongroom.http.message import HttpResponse
from strongroom.server.pool import Pool
from strongroom.server.readings import read_edge

CANARY = "canary-3e9a71"


@pytest.fixture
def front() -> Iterator[Front]:
    front = Front()
    yield front
    front.close()


def scrape(front: Front, **options: Any) -> str:
    result = front.get("sys/metrics?format=prometheus", **options)
    assert result.status == 200
    return result.raw.decode()


def value(front: Front, name: str, **labels: str) -> float:
    found = [number for _, has, number in read(scrape(front))[name].samples if has == labels]
    return found[0] if found else 0.0


def test_metrics_are_json_unless_somebody_asks_otherwise(front: Front) -> None:
    for headers in ({}, {"accept": "*/*"}, {"accept": "application/json"}):
        result = front.get("sys/metrics", headers=headers)
        assert result.body is not None
        assert set(result.body) == {"Timestamp", "Gauges", "Points", "Counters", "Samples"}
        assert result.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("sys/metrics?format=prometheus", {}),
        (
            "sys/metrics",
            {"accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"},
        ),
        ("sys/metrics", {"accept": "text/plain"}),
    ],
)
def test_prometheus_gets_its_text(front: Front, path: str, headers: dict[str, str]) -> None:
    result = front.get(path, headers=headers)
    assert result.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "strongroom_unsealed" in read(result.raw.decode())


def test_another_format_is_refused(front: Front) -> None:
    assert front.get("sys/metrics?format=xml").status == 400


def test_a_scrape_of_a_busy_vault_has_no_problems(front: Front) -> None:
    use(front)
    assert problems(scrape(front)) == []


def use(front: Front) -> None:
    """A bit of everything, with a canary wherever a client can put a word."""
    vault = front.vault
    vault.mount(f"{CANARY}-mount")
    vault.write_policy(f"{CANARY}-policy", 'path "sys/metrics" { capabilities = ["read"] }')
    for path in (f"{CANARY}-mount/{CANARY}", f"{CANARY}/none", f"sys/{CANARY}"):
        front.get(path)
        front.post(path, {CANARY: CANARY})
    front.get("sys/mounts", token=CANARY)
    front.get("sys/mounts", headers={"user-agent": CANARY, "accept": CANARY})
    front.post("sys/mounts", CANARY.encode())
    front.ask(CANARY.upper(), "sys/mounts")
    vault.post(f"sys/auth/{CANARY}", {"type": "userpass"})
    front.post(f"auth/{CANARY}/login/{CANARY}", {"password": CANARY})
    front.limit(CANARY, rate=1000)


def test_no_word_of_a_client_is_in_any_metric(front: Front) -> None:
    use(front)
    assert CANARY not in scrape(front)
    assert CANARY not in front.get("sys/metrics").raw.decode()
    assert front.vault.root not in scrape(front)


def test_requests_are_counted_by_what_they_came_to(front: Front) -> None:
    front.vault.mount("kv")
    name = "strongroom_requests_total"
    front.post("kv/a", {"value": "x"})
    front.get("kv/a")
    front.get("kv/none")
    front.get("kv/a", token=None)
    front.get("nowhere/x")
    front.ask("DELETE", "sys/mounts")
    assert value(front, name, operation="update", outcome="ok", mount_type="kv") == 1
    assert value(front, name, operation="read", outcome="ok", mount_type="kv") == 1
    assert value(front, name, operation="read", outcome="not_found", mount_type="kv") == 1
    assert value(front, name, operation="read", outcome="denied", mount_type="kv") == 1
    assert value(front, name, operation="read", outcome="not_found", mount_type="none") == 1
    assert value(front, name, operation="delete", outcome="unsupported", mount_type="system") == 1


def test_what_could_not_be_read_and_what_was_limited_is_counted(front: Front) -> None:
    front.vault.mount("kv")
    front.post("kv/a", b"{")
    front.ask("BREW", "kv/a")
    front.limit("kv", path="kv", rate=1)
    front.ask_together(*(front.asked("GET", "kv/a") for _ in range(3)))
    assert value(front, "strongroom_malformed_requests_total") == 2
    assert value(front, "strongroom_rate_limited_requests_total", scope="mount") == 2


def test_batches_and_the_pool_are_measured(front: Front) -> None:
    front.vault.post("sys/auth/userpass", {"type": "userpass"})
    front.ask_together(*(front.asked("GET", "sys/mounts") for _ in range(5)))
    front.post("auth/userpass/login/ada", {"password": "wrong"})
    samples = {
        (name, tuple(labels.values())): number
        for metric in read(scrape(front)).values()
        for name, labels, number in metric.samples
    }
    assert samples["strongroom_request_duration_seconds_count", ("batch",)] == 5
    assert samples["strongroom_request_duration_seconds_count", ("pool",)] == 1
    assert samples["strongroom_batch_requests_bucket", ("4",)] == 0
    assert samples["strongroom_batch_requests_bucket", ("8",)] == 1


def test_logins_are_counted_by_method_and_success(front: Front) -> None:
    front.vault.post("sys/auth/approle", {"type": "approle"})
    front.vault.post("auth/approle/role/app", {})
    role_id = front.vault.get("auth/approle/role/app/role-id").data["role_id"]
    secret_id = front.vault.post("auth/approle/role/app/secret-id").data["secret_id"]
    front.post("auth/approle/login", {"role_id": role_id, "secret_id": secret_id}, token=None)
    front.post("auth/approle/login", {"role_id": role_id, "secret_id": secret_id}, headers={"x-vault-wrap-ttl": "60"})
    front.post("auth/approle/login", {"role_id": role_id, "secret_id": "wrong"}, token=None)
    front.get("auth/approle/role/app")
    assert value(front, "strongroom_logins_total", mount_type="approle", outcome="ok") == 2
    assert value(front, "strongroom_logins_total", mount_type="approle", outcome="failed") == 1


def test_tokens_are_counted_as_they_come_and_go(front: Front) -> None:
    before = value(front, "strongroom_tokens_created_total"), value(front, "strongroom_tokens_removed_total")
    parent = front.vault.token_for("default")
    front.vault.post("auth/token/create", {"policies": ["default"]}, token=front.vault.root)
    front.vault.post("auth/token/create", {"type": "batch", "policies": ["default"]})
    front.vault.post("auth/token/renew", {"token": parent})
    front.vault.post("auth/token/revoke", {"token": parent})
    assert value(front, "strongroom_tokens_created_total") == before[0] + 2
    assert value(front, "strongroom_tokens_removed_total") == before[1] + 1


def test_commits_and_the_state_of_the_vault_are_shown(front: Front) -> None:
    before = value(front, "strongroom_commits_total", outcome="ok")
    front.vault.mount("kv")
    assert value(front, "strongroom_commits_total", outcome="ok") == before + 1
    assert value(front, "strongroom_unsealed") == 1
    assert value(front, "strongroom_barrier_term") == 1
    assert value(front, "strongroom_barrier_term_encryptions") > 0
    assert value(front, "strongroom_audit_devices", state="healthy") == 1
    assert front.post("sys/rotate").status == 204
    assert value(front, "strongroom_barrier_term") == 2


def test_an_audit_device_that_failed_is_told_apart(front: Front) -> None:
    front.vault.device.is_broken = True
    assert front.get("sys/mounts").status == 500
    front.vault.device.is_broken = False
    front.vault.clock.jump(60)
    assert value(front, "strongroom_audit_device_failures_total") >= 1
    assert value(front, "strongroom_requests_total", operation="read", outcome="unavailable", mount_type="none") == 1


# Who may see them


def test_without_a_token_nothing_is_shown(front: Front) -> None:
    result = front.get("sys/metrics", token=None)
    assert (result.status, result.errors) == (403, ["permission denied"])


def test_a_token_needs_a_policy_for_it(front: Front) -> None:
    front.vault.write_policy("watch", 'path "sys/metrics" { capabilities = ["read"] }')
    assert front.get("sys/metrics", token=front.vault.token_for("default")).status == 403
    assert front.get("sys/metrics", token=front.vault.token_for("watch")).status == 200


def test_a_listener_may_show_them_to_everybody(front: Front) -> None:
    for token in (None, "no such token", front.vault.token_for("default")):
        assert "strongroom_unsealed 1" in scrape(front, token=token, shows_metrics=True)


def test_an_open_listener_opens_nothing_else(front: Front) -> None:
    for path in ("sys/in-flight-req", "sys/mounts", "sys/metrics/x"):
        assert front.get(path, token=None, shows_metrics=True).status in {403, 404}
    assert front.post("sys/metrics", {}, token=None, shows_metrics=True).status in {403, 405}


def test_a_sealed_vault_shows_them_on_open_listeners_alone(front: Front) -> None:
    front.vault.node.seal()
    assert front.get("sys/metrics", shows_metrics=False).status == 503
    text = scrape(front, token=None, shows_metrics=True)
    assert "strongroom_unsealed 0" in text
    assert "strongroom_barrier_term" not in text
    assert problems(text) == []


def test_the_audit_record_of_a_scrape_is_small(front: Front) -> None:
    front.vault.device.written.clear()
    scrape(front)
    front.get("sys/metrics")
    assert len(front.vault.device.records) == 4
    assert "strongroom_" not in front.vault.device.text
    assert [record for record in front.vault.device.records if "data" in (record.get("response") or {})] == []


def test_every_gauge_of_a_running_server_is_read() -> None:
    vault = Vault()
    pool = Pool(vault.clock, vault.failures.append)
    listener = Listener(lambda _: None, vault.clock)
    read_edge(vault.node.telemetry, listener, pool)
    assert vault.node.telemetry.unread == ()
    pool.close()


def test_a_full_pool_is_seen(front: Front) -> None:
    pool, gate = front.edge.pool, threading.Event()

    def wait() -> HttpResponse:
        gate.wait()
        return HttpResponse(204, ())

    try:
        for number in range(68):
            pool.submit(wait, lambda _: None, address=f"192.0.2.{number}")
        assert front.post("sys/rotate").status == 429
    finally:
        gate.set()
    assert pool.refused == 1
    assert value(front, "strongroom_requests_total", operation="update", outcome="limited", mount_type="none") == 1
    assert front.vault.node.in_flight.all() == []
