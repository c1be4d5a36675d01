from __future__ import annotations

import json
from typing import Any

import pytest
from tests.kit import Vault

from strongroom.core.batch import Alarms
from strongroom.core.sweeper import Sweeper

READER = """
path "secret/data/app" { capabilities = ["read"] }
path "secret/data/team/*" { capabilities = ["read", "list"] }
path "secret/data/team/closed" { capabilities = ["deny"] }
"""


@pytest.fixture
def kv_vault(vault: Vault) -> Vault:
    vault.mount("secret", "kv", options={"version": "2"})
    vault.write_policy("reader", READER)
    vault.post("secret/data/hidden", {"data": {"password": "a value"}})
    return vault


def report(vault: Vault, token: str, name: str = "web", **fields: Any) -> Any:
    return vault.post(f"sys/consumers/{name}", {"kind": "agent", "host": "node-1", **fields}, token=token)


def shown(vault: Vault, name: str = "web") -> list[tuple[str, int]]:
    consumers = vault.get(f"sys/consumers/{name}").data["consumers"]
    return [(one["path"], one["version"]) for consumer in consumers for one in consumer["secrets"]]


def test_a_consumer_reports_and_an_operator_reads_it(kv_vault: Vault) -> None:
    token = kv_vault.token_for("reader", display_name="node")
    assert report(kv_vault, token, secrets=["secret/data/app@3", "secret/data/team/db@1"]).status == 204
    one = kv_vault.get("sys/consumers/web").data["consumers"][0]
    assert (one["kind"], one["host"], one["display_name"], one["ttl"]) == ("agent", "node-1", "token-node", 3600)
    assert one["accessor"]
    assert shown(kv_vault) == [("secret/data/app", 3), ("secret/data/team/db", 1)]


def test_what_the_caller_may_not_read_is_left_out_alike_whether_or_not_it_is_there(kv_vault: Vault) -> None:
    token = kv_vault.token_for("reader")
    refused = ("secret/data/hidden@1", "secret/data/nothing@1", "secret/data/team/closed@1", "nowhere/app@1")
    answers = [report(kv_vault, token, secrets=[one]) for one in refused]
    assert {answer.status for answer in answers} == {200}
    assert len({json.dumps(answer.body["warnings"]) for answer in answers}) == 1
    assert shown(kv_vault) == []


@pytest.mark.parametrize("path", ["sys/health", "auth/token/lookup-self", "secret"])
def test_only_secrets_can_be_reported(kv_vault: Vault, path: str) -> None:
    assert report(kv_vault, kv_vault.root, secrets=[f"{path}@1"]).status == 200
    assert shown(kv_vault) == []


def test_a_token_of_an_environment_reports_nothing_of_another(kv_vault: Vault) -> None:
    kv_vault.mount("live", "kv", options={"version": "2"})
    kv_vault.post("sys/environments/test", {"rank": 1, "mounts": ["secret"]})
    kv_vault.post("sys/environments/live", {"rank": 2, "mounts": ["live"]})
    kv_vault.write_policy("all", 'path "*" { capabilities = ["read"] }')
    kv_vault.post("auth/token/roles/test", {"allowed_policies": ["all"], "token_environments": ["test"]})
    token = kv_vault.post("auth/token/create/test", {"policies": ["all"]}).auth["client_token"]
    assert report(kv_vault, token, secrets=["secret/data/app@1", "live/data/app@1"]).status == 200
    assert shown(kv_vault) == [("secret/data/app", 1)]


def test_another_identity_with_the_same_name_is_another_consumer(kv_vault: Vault) -> None:
    for version in (1, 2):
        report(kv_vault, kv_vault.token_for("reader"), secrets=[f"secret/data/app@{version}"])
    assert sorted(shown(kv_vault)) == [("secret/data/app", 1), ("secret/data/app", 2)]


def test_a_new_login_of_the_same_account_goes_on_with_its_consumer(kv_vault: Vault) -> None:
    kv_vault.post("sys/auth/approle", {"type": "approle"})
    kv_vault.post("auth/approle/role/web", {"token_policies": ["reader"]})
    role_id = kv_vault.get("auth/approle/role/web/role-id").data["role_id"]
    for version in (1, 2):
        secret_id = kv_vault.post("auth/approle/role/web/secret-id").data["secret_id"]
        login = {"role_id": role_id, "secret_id": secret_id}
        token = kv_vault.post("auth/approle/login", login, token=None).auth["client_token"]
        report(kv_vault, token, secrets=[f"secret/data/app@{version}"])
        kv_vault.clock.jump(10)
    assert shown(kv_vault) == [("secret/data/app", 2)]
    one = kv_vault.get("sys/consumers/web").data["consumers"][0]
    assert one["first_seen_time"] < one["last_seen_time"]


def test_a_version_has_been_run_since_it_was_reported_first(kv_vault: Vault) -> None:
    token = kv_vault.token_for("reader")
    report(kv_vault, token, secrets=["secret/data/app@1"])
    first = kv_vault.get("sys/consumers/web").data["consumers"][0]
    kv_vault.clock.jump(60)
    report(kv_vault, token, secrets=["secret/data/app@1", "secret/data/team/db@4"])
    one = kv_vault.get("sys/consumers/web").data["consumers"][0]
    assert one["secrets"][0]["since"] == first["secrets"][0]["since"] == first["first_seen_time"]
    assert one["secrets"][1]["since"] == one["last_seen_time"]


def test_a_report_is_over_when_its_time_is(kv_vault: Vault) -> None:
    token = kv_vault.token_for("reader")
    report(kv_vault, token, ttl="2m", secrets=["secret/data/app@1"])
    kv_vault.clock.jump(119)
    assert kv_vault.list("sys/consumers").data["keys"] == ["web"]
    kv_vault.clock.jump(1)
    assert kv_vault.list("sys/consumers").status == 404
    assert kv_vault.list("sys/consumers?secret=secret/data/app").status == 404
    assert kv_vault.get("sys/consumers/web").status == 404
    Sweeper(kv_vault.node, Alarms(kv_vault.failures.append, lambda: None)).sweep()
    with kv_vault.node.require().barrier.transaction() as transaction:
        assert list(transaction.scan("core/consumer/")) == ["core/consumer/count"]


def test_a_report_that_comes_back_after_its_time_begins_anew(kv_vault: Vault) -> None:
    token = kv_vault.token_for("reader")
    report(kv_vault, token, ttl="1m", secrets=["secret/data/app@1"])
    kv_vault.clock.jump(100)
    report(kv_vault, token, ttl="1m", secrets=["secret/data/app@1"])
    one = kv_vault.get("sys/consumers/web").data["consumers"][0]
    assert one["first_seen_time"] == one["last_seen_time"]


def test_rotation_can_ask_who_still_runs_an_old_version(kv_vault: Vault) -> None:
    for name, version in (("old", 1), ("new", 5), ("both", 4), ("other", 0)):
        path = "app" if version else "team/db"
        report(kv_vault, kv_vault.token_for("reader"), name, secrets=[f"secret/data/{path}@{version or 1}"])
    found = kv_vault.list("sys/consumers?secret=secret/data/app").data
    assert found["keys"] == ["both", "new", "old"]
    assert found["key_info"]["old"]["consumers"][0]["versions"] == [1]
    assert kv_vault.list("sys/consumers?secret=secret/data/app&older_than=5").data["keys"] == ["both", "old"]
    assert kv_vault.list("sys/consumers?secret=secret/data/app&older_than=1").status == 404
    assert kv_vault.list("sys/consumers?older_than=1").status == 400
    assert kv_vault.list("sys/consumers?secret=nowhere/app").status == 404
    assert kv_vault.list("sys/consumers").data["key_info"]["new"]["consumers"][0]["secrets"] == 1


def test_consumers_follow_their_secret_when_its_mount_moves_and_forget_it_when_it_goes(kv_vault: Vault) -> None:
    report(kv_vault, kv_vault.root, secrets=["secret/data/app@1"])
    kv_vault.post("sys/remount", {"from": "secret", "to": "moved"})
    assert shown(kv_vault) == [("moved/data/app", 1)]
    assert kv_vault.list("sys/consumers?secret=moved/data/app").data["keys"] == ["web"]
    kv_vault.delete("sys/mounts/moved")
    assert shown(kv_vault) == []


def test_reading_needs_a_policy_and_reporting_a_token(kv_vault: Vault) -> None:
    token = kv_vault.token_for("reader")
    report(kv_vault, token, secrets=["secret/data/app@1"])
    assert kv_vault.get("sys/consumers/web", token=token).status == 403
    assert kv_vault.list("sys/consumers", token=token).status == 403
    assert kv_vault.delete("sys/consumers/web", token=token).status == 403
    assert report(kv_vault, "").status == 403
    assert report(kv_vault, "s.nobodyknowsthistoken0000").status == 403


def test_an_operator_forgets_one_or_all_of_a_name(kv_vault: Vault) -> None:
    for _ in range(3):
        report(kv_vault, kv_vault.token_for("reader"))
    identities = [one["identity"] for one in kv_vault.get("sys/consumers/web").data["consumers"]]
    assert kv_vault.delete(f"sys/consumers/web?identity={identities[0]}").status == 204
    assert [one["identity"] for one in kv_vault.get("sys/consumers/web").data["consumers"]] == identities[1:]
    assert kv_vault.delete("sys/consumers/web").status == 204
    assert kv_vault.get("sys/consumers/web").status == 404


@pytest.mark.parametrize(
    "fields",
    [
        *({"kind": "Not A Word"}, {"host": "a\0b"}, {"ttl": "1s"}, {"ttl": "31d"}, {"secrets": ["secret/data/app"]}),
        *({"secrets": ["secret/data/../app@1"]}, {"secrets": ["secret/data/@1"]}, {"secrets": ["x@1"] * 257}),
        *({"secrets": {"a": 1}}, {"secrets": [["a"]]}),
    ],
)
def test_what_cannot_be_a_report_is_refused_and_changes_nothing(kv_vault: Vault, fields: dict[str, Any]) -> None:
    assert report(kv_vault, kv_vault.root, **fields).status == 400
    assert kv_vault.list("sys/consumers").status == 404


def test_the_audit_log_says_who_runs_what(kv_vault: Vault) -> None:
    report(kv_vault, kv_vault.root, secrets=["secret/data/app@1"])
    request = next(one for one in kv_vault.device.records if one["request"]["path"] == "sys/consumers/web")["request"]
    assert request["data"]["secrets"] == ["secret/data/app@1"]
    assert request["data"]["host"] == "node-1"
