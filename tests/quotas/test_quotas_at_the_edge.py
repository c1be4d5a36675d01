from __future__ import annotations

import json
from typing import Any

import pytest
from tests.quotas.front import Front

ROLE_ID = "role-id-of-the-test"


def approle(front: Front) -> str:
    """An approle mount with a role; returns a good secret id."""
    vault = front.vault
    assert vault.post("sys/auth/approle", {"type": "approle"}).status == 204
    assert vault.post("auth/approle/role/app", {"token_policies": ["default"]}).status == 204
    assert vault.post("auth/approle/role/other", {"token_policies": ["default"]}).status == 204
    assert vault.post("auth/approle/role/app/role-id", {"role_id": ROLE_ID}).status == 204
    return str(vault.post("auth/approle/role/app/secret-id").data["secret_id"])


def test_without_quotas_nobody_is_limited(front: Front) -> None:
    assert front.statuses(20, "GET", "kv/x") == [404] * 20


def test_a_quota_for_everything_refuses_what_is_more(front: Front) -> None:
    front.limit("all", rate=3, interval="10s")
    assert front.statuses(5, "GET", "kv/x") == [404, 404, 404, 429, 429]
    front.vault.clock.jump(10)
    assert front.get("kv/x").status == 404


def test_a_refusal_has_the_text_of_vault_and_says_when_to_come_back(front: Front) -> None:
    front.limit("kv", path="kv", rate=1, interval="10s", block_interval="30s")
    front.get("kv/x")
    refused = front.get("kv/x")
    assert refused.status == 429
    assert refused.errors == ['request path "kv/x": rate limit quota exceeded']
    assert refused.headers["Retry-After"] == "30"
    assert "X-Ratelimit-Limit" not in refused.headers


def test_a_change_holds_from_the_very_next_request(front: Front) -> None:
    front.limit("kv", path="kv", rate=1, interval="1h")
    assert front.statuses(2, "GET", "kv/x") == [404, 429]
    assert front.ask("DELETE", "sys/quotas/rate-limit/kv").status == 204
    assert front.statuses(3, "GET", "kv/x") == [404] * 3


def test_requests_of_one_batch_count_one_after_the_other(front: Front) -> None:
    front.limit("kv", path="kv", rate=2, interval="1h")
    results = front.ask_together(*(front.asked("GET", "kv/x") for _ in range(4)))
    assert [result.status for result in results] == [404, 404, 429, 429]


def test_nothing_of_a_body_is_read_of_a_request_beyond_its_quota(front: Front) -> None:
    front.limit("kv", path="kv", rate=1, interval="1h")
    front.get("kv/x")
    assert front.post("kv/x", b'{"not": json').status == 429


def test_requests_that_cannot_be_read_count_too(front: Front) -> None:
    front.limit("kv", path="kv", rate=2, interval="1h")
    assert front.statuses(3, "POST", "kv/x", b"{") == [400, 400, 429]


def test_addresses_are_counted_apart_and_tokens_are_not(front: Front) -> None:
    front.limit("kv", path="kv", rate=1, interval="1h")
    assert front.get("kv/x", address="192.0.2.1").status == 404
    assert front.get("kv/x", address="192.0.2.2").status == 404
    assert front.get("kv/x", address="192.0.2.1", token=None).status == 429


def test_headers_on_the_way_do_not_make_another_client(front: Front) -> None:
    front.limit("kv", path="kv", rate=1, interval="1h")
    front.get("kv/x")
    assert front.get("kv/x", headers={"x-forwarded-for": "203.0.113.9"}).status == 429


def test_probes_are_exempt_unless_the_operator_says_otherwise(front: Front) -> None:
    front.limit("all", rate=1, interval="1h")
    for path in ("sys/health", "sys/seal-status"):
        assert front.statuses(3, "GET", path, token=None) == [200] * 3
    assert front.post("sys/unseal", {"key": "00"}, token=None).status != 429
    front.configure(rate_limit_exempt_paths=["kv/free"])
    assert front.statuses(2, "GET", "sys/health", token=None) == [200, 429]
    assert front.statuses(3, "GET", "kv/free/x") == [404] * 3


@pytest.mark.parametrize("spelling", ["kv/x", "kv/%78", "kv/x?", "kv/x?list=true", "kv/x/?list=true"])
def test_every_spelling_of_a_path_is_the_same_path(front: Front, spelling: str) -> None:
    front.limit("x", path="kv/x", rate=1, interval="1h")
    front.get("kv/x")
    assert front.get(spelling).status == 429


def test_answers_say_what_is_left_where_that_is_wanted(front: Front) -> None:
    front.configure(enable_rate_limit_response_headers=True)
    front.limit("kv", path="kv", rate=2, interval="10s")
    first, second, third = (front.get("kv/x") for _ in range(3))
    assert [one.headers["X-Ratelimit-Remaining"] for one in (first, second, third)] == ["1", "0", "0"]
    assert third.headers["X-Ratelimit-Limit"] == "2"
    assert third.headers["X-Ratelimit-Reset"] == "10"
    assert third.headers["Retry-After"] == "10"
    assert "X-Ratelimit-Limit" not in front.get("sys/mounts").headers


def test_a_quota_follows_its_mount_and_ends_with_it(front: Front) -> None:
    front.limit("kv", path="kv", rate=1, interval="1h")
    assert front.post("sys/remount", {"from": "kv", "to": "moved"}).status == 200
    front.get("sys/mounts")
    assert front.statuses(2, "GET", "moved/x") == [404, 429]
    assert front.get("sys/quotas/rate-limit/kv").data["path"] == "moved/"
    assert front.ask("DELETE", "sys/mounts/moved").status == 204
    front.vault.mount("moved")
    front.get("sys/mounts")
    assert front.statuses(3, "GET", "moved/x") == [404] * 3
    assert front.get("sys/quotas/rate-limit/kv").status == 404


def test_a_sealed_vault_knows_no_quotas_and_an_unsealed_one_knows_them_again(front: Front) -> None:
    front.limit("all", rate=1, interval="1h")
    front.vault.node.seal()
    assert front.statuses(3, "GET", "kv/x") == [503] * 3
    front.vault.unseal()
    assert front.statuses(2, "GET", "kv/x") == [404, 429]


# Refusals in the audit log


def test_refusals_are_recorded_where_that_is_wanted_and_hold_nothing_of_the_request(front: Front) -> None:
    front.configure(enable_rate_limit_audit_logging=True)
    front.limit("kv", path="kv", rate=1, interval="1h")
    front.get("kv/x")
    front.vault.device.written.clear()
    asked = front.asked("POST", "kv/x", {"value": "canary-7f1d"}, headers={"x-vault-wrap-ttl": "60"})
    front.ask_together(asked)
    (record,) = front.vault.device.records
    assert record["type"] == "request"
    assert record["request"]["path"] == "kv/x"
    assert record["request"]["id"] == asked.request.id
    assert record["request"]["remote_address"] == "192.0.2.1"
    assert "rate limit quota exceeded" in record["error"]
    assert "canary" not in front.vault.device.text
    assert front.vault.root not in front.vault.device.text


def test_refusals_are_not_recorded_otherwise(front: Front) -> None:
    front.limit("kv", path="kv", rate=1, interval="1h")
    front.get("kv/x")
    front.vault.device.written.clear()
    assert front.get("kv/x").status == 429
    assert front.vault.device.records == []


# Roles


LOGIN = {"role_id": ROLE_ID, "secret_id": "wrong"}
FORM = f"role_id={ROLE_ID}&secret_id=wrong".encode()
LOGINS: dict[str, dict[str, Any]] = {
    "json": {"body": LOGIN},
    "form": {"body": FORM, "headers": {"content-type": "application/x-www-form-urlencoded"}},
    "json called a form": {"body": LOGIN, "headers": {"content-type": "application/x-www-form-urlencoded"}},
    "json with a type": {"body": LOGIN, "headers": {"content-type": "application/json; charset=utf-8"}},
    "no token needed": {"body": LOGIN, "token": None},
    "another token": {"body": LOGIN, "token": "root"},
}


@pytest.mark.parametrize("kind", LOGINS)
def test_a_login_counts_alike_in_every_form(front: Front, kind: str) -> None:
    approle(front)
    front.limit("role", path="auth/approle", role="app", rate=2, interval="1h")
    assert front.statuses(4, "POST", "auth/approle/login", **LOGINS[kind]) == [400, 400, 429, 429]


def test_logins_in_different_forms_draw_from_one_count(front: Front) -> None:
    approle(front)
    front.limit("role", path="auth/approle", role="app", rate=len(LOGINS), interval="1h")
    assert [front.ask("POST", "auth/approle/login", **options).status for options in LOGINS.values()] == [400] * len(
        LOGINS
    )
    assert front.post("auth/approle/login", LOGIN).status == 429


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", f"role_id={ROLE_ID}&role_id={ROLE_ID}".encode(), json.dumps({"role_id": [ROLE_ID]}).encode(), b""],
    ids=["broken", "list", "twice", "wrong type", "empty"],
)
def test_a_login_that_names_no_role_counts_by_its_mount(front: Front, body: bytes) -> None:
    approle(front)
    front.limit("role", path="auth/approle", role="app", rate=100, interval="1h")
    front.limit("mount", path="auth/approle", rate=1, interval="1h")
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert front.statuses(3, "POST", "auth/approle/login", body, headers=form) == [400, 429, 429]


def test_the_rule_of_the_role_counts_in_place_of_that_of_the_mount(front: Front) -> None:
    secret_id = approle(front)
    front.limit("role", path="auth/approle", role="app", rate=3, interval="1h")
    front.limit("mount", path="auth/approle", rate=1, interval="1h")
    body = {"role_id": ROLE_ID, "secret_id": secret_id}
    assert front.statuses(4, "POST", "auth/approle/login", body) == [200, 200, 200, 429]
    assert front.statuses(2, "POST", "auth/approle/login", {"role_id": "unknown", "secret_id": "x"}) == [400, 429]


def test_roles_are_counted_apart(front: Front) -> None:
    approle(front)
    other = str(front.vault.get("auth/approle/role/other/role-id").data["role_id"])
    front.limit("role", path="auth/approle", role="app", rate=1, interval="1h")
    assert front.statuses(2, "POST", "auth/approle/login", LOGIN) == [400, 429]
    assert front.statuses(2, "POST", "auth/approle/login", {"role_id": other, "secret_id": "x"}) == [400, 400]


def test_a_user_is_a_role_in_every_spelling_of_the_name(front: Front) -> None:
    vault = front.vault
    assert vault.post("sys/auth/userpass", {"type": "userpass"}).status == 204
    front.limit("ada", path="auth/userpass", role="Ada", rate=2, interval="1h")
    wrong = {"password": "wrong"}
    assert front.post("auth/userpass/login/ada", wrong).status == 400
    assert front.post("auth/userpass/login/ADA", wrong).status == 400
    assert front.post("auth/userpass/login/Ada", wrong).status == 429
    assert front.post("auth/userpass/login/bob", wrong).status == 400


def test_other_requests_to_the_mount_are_no_logins(front: Front) -> None:
    approle(front)
    front.limit("role", path="auth/approle", role="app", rate=1, interval="1h")
    assert front.statuses(3, "GET", "auth/approle/role/app") == [200] * 3


def test_the_headers_of_a_login_are_those_of_its_role(front: Front) -> None:
    approle(front)
    front.configure(enable_rate_limit_response_headers=True)
    front.limit("role", path="auth/approle", role="app", rate=7, interval="1h")
    assert front.post("auth/approle/login", LOGIN).headers["X-Ratelimit-Remaining"] == "6"


def test_what_a_sibling_process_let_through_is_not_counted_again(front: Front) -> None:
    front.limit("all", rate=1, interval="1h")
    forwarded = [front.asked("GET", "kv/x") for _ in range(3)]
    for number, one in enumerate(forwarded):
        one.request.id = f"id-of-the-sibling-{number}"
    assert [result.status for result in front.ask_together(*forwarded)] == [404] * 3
    assert forwarded[0].request.id == "id-of-the-sibling-0"
    assert front.statuses(2, "GET", "kv/x") == [404, 429]


def test_a_record_of_a_refusal_that_cannot_be_kept_is_an_error_and_no_leak(front: Front) -> None:
    front.configure(enable_rate_limit_audit_logging=True)
    front.limit("kv", path="kv", rate=1, interval="1h")
    front.get("kv/x")
    front.vault.device.is_broken = True
    assert front.get("kv/x").status == 500
