from __future__ import annotations

import re
from typing import Any

import pytest
from tests.environments.world import REASON, bound, write
from tests.kit import Vault
from tests.processes import Result

NAMES = ("dev", "stage", "prod")
LONG = "a long value of dev"
FORBIDS_DATA = 'path "prod/data/*" { capabilities = ["create", "read"]\n denied_parameters = { "data" = [] } }'


@pytest.fixture
def vault() -> Vault:
    """Three environments with one versioned mount each."""
    vault = Vault()
    for rank, name in enumerate(NAMES):
        vault.mount(name, options={"version": "2"})
        assert write(vault, name, rank=rank, mounts=[name]).status == 204
    vault.write_policy("all", 'path "*" { capabilities = ["create", "read", "update", "delete", "list"] }')
    return vault


def put(vault: Vault, environment: str, path: str, **values: Any) -> None:
    answer = vault.post(f"{environment}/data/{path}", {"data": values})
    assert answer.status == 200, answer


def read(vault: Vault, environment: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = vault.get(f"{environment}/data/{path}").data["data"]
    return found


def ask(vault: Vault, path: str, options: dict[str, Any] | None = None, **fields: Any) -> Result:
    body = {"path": path, "from": "dev", "to": "prod", **fields}
    return vault.post("sys/promote", body, **(options or {}))


def promote(vault: Vault, path: str, options: dict[str, Any] | None = None, **fields: Any) -> Result:
    """Look, and then do what was shown."""
    plan = ask(vault, path, options, **fields)
    assert plan.status == 200, plan
    return ask(vault, path, options, **fields, check=plan.data["check"])


def plan_of(vault: Vault, path: str, **fields: Any) -> dict[str, dict[str, str]]:
    return {one["path"]: one["keys"] for one in ask(vault, path, **fields).data["secrets"]}


def test_the_plan_says_what_happens_to_each_key_and_changes_nothing(vault: Vault) -> None:
    put(vault, "dev", "app", level="info", port=5432, theirs="debug1", password=LONG, fresh=LONG)
    put(vault, "prod", "app", level="info", theirs="warn")
    assert plan_of(vault, "app") == {
        "app": {"level": "same", "port": "add", "theirs": "kept", "password": "refused", "fresh": "refused"}
    }
    assert plan_of(vault, "app", generate={"password": "password:20"}, keys=["theirs"]) == {
        "app": {"theirs": "change", "password": "generate"}
    }
    assert vault.get("prod/metadata/app").data["current_version"] == 1


def test_a_promotion_copies_what_is_no_secret_and_draws_what_is(vault: Vault) -> None:
    put(vault, "dev", "app", level="info", password=LONG, token=LONG)
    put(vault, "prod", "app", mine="only here")
    answer = promote(vault, "app", generate={"password": "password:24", "token": "hex:16"})
    assert answer.data["is_done"] is True
    found = read(vault, "prod", "app")
    assert (found["level"], found["mine"]) == ("info", "only here")
    assert len(found["password"]) == 24
    assert re.fullmatch(r"[0-9a-f]{32}", found["token"])
    assert read(vault, "dev", "app")["password"] == LONG
    assert found["password"] not in answer.raw.decode() + vault.device.text


def test_a_plain_copy_that_the_guard_would_refuse_below_is_refused(vault: Vault) -> None:
    put(vault, "dev", "app", password=LONG)
    plan = ask(vault, "app").data
    assert plan["secrets"][0]["keys"] == {"password": "refused"}
    assert plan["check"] == ""
    assert ask(vault, "app", check="0" * 64).status == 400
    assert vault.get("prod/data/app").status == 404


@pytest.mark.parametrize(
    "rule", [{"reuse": "allow"}, {"reuse": "warn"}, {"shared_values": LONG}, {"reuse_minimum_length": 100}]
)
def test_a_copy_is_made_where_the_rule_of_the_lower_environment_has_it(vault: Vault, rule: dict[str, Any]) -> None:
    put(vault, "dev", "app", password=LONG)
    write(vault, "dev", **rule)
    answer = promote(vault, "app")
    assert answer.status == 200
    assert read(vault, "prod", "app") == {"password": LONG}
    assert ("in use in both environments" in str(answer.body)) is (rule == {"reuse": "warn"})
    # The lower secret stays one that can be written.
    assert vault.patch("dev/data/app", {"data": {"other": "x"}}).status == 200


def test_promotion_goes_upward_only(vault: Vault) -> None:
    put(vault, "prod", "app", level="info")
    for target in ("dev", "stage", "prod"):
        answer = ask(vault, "app", None, **{"from": "prod", "to": target})
        assert (answer.status, "upward only" in str(answer.errors)) == (400, True)
    assert vault.get("dev/data/app").status == 404


@pytest.mark.parametrize("changed", ["dev", "prod"])
def test_what_was_changed_since_the_plan_was_shown_is_not_promoted(vault: Vault, changed: str) -> None:
    put(vault, "dev", "app", level="info")
    put(vault, "prod", "app", other="x")
    check = ask(vault, "app").data["check"]
    put(vault, changed, "app", level="debug2", other="y")
    answer = ask(vault, "app", check=check)
    assert (answer.status, "has changed" in str(answer.errors)) == (400, True)


def test_the_check_of_one_plan_is_none_of_another(vault: Vault) -> None:
    put(vault, "dev", "app", level="info", mode="fast")
    put(vault, "prod", "app", level="warn")
    check = ask(vault, "app").data["check"]
    for fields in ({"overwrite": True}, {"keys": ["level"]}, {"to": "stage"}, {"generate": {"mode": "hex"}}):
        assert ask(vault, "app", **fields, check=check).status == 400
    assert ask(vault, "app", check=check).status == 200
    assert read(vault, "prod", "app") == {"level": "warn", "mode": "fast"}
    assert ask(vault, "app", check=check).status == 400


def test_a_folder_is_promoted_whole_or_not_at_all(vault: Vault) -> None:
    for path in ("team/a", "team/b/c", "other"):
        put(vault, "dev", path, level="info")
    assert plan_of(vault, "team") == {"team/a": {"level": "add"}, "team/b/c": {"level": "add"}}
    vault.write_policy(
        "some",
        'path "dev/*" { capabilities = ["read", "list"] }\npath "prod/+/team/a" { capabilities = ["create", "read"] }',
    )
    token = vault.token_for("some")
    assert ask(vault, "team", {"token": token}).status == 403
    assert promote(vault, "team").status == 200
    assert read(vault, "prod", "team/b/c") == {"level": "info"}
    assert vault.get("prod/data/other").status == 404


def test_a_protected_environment_wants_a_reason_for_the_deed_and_not_for_the_plan(vault: Vault) -> None:
    put(vault, "dev", "app", level="info")
    write(vault, "prod", protected=True)
    plan = ask(vault, "app").data
    assert plan["needs_reason"] is True
    assert ask(vault, "app", check=plan["check"]).status == 400
    vault.device.written.clear()
    assert ask(vault, "app", {"headers": REASON}, check=plan["check"]).status == 200
    (record, _) = vault.device.records
    assert record["request"]["reason"] == REASON["x-strongroom-reason"]
    assert record["request"]["data"]["from"] == "dev"
    assert record["request"]["data"]["to"] == "prod"
    assert record["request"]["path"] == "sys/promote"


@pytest.mark.parametrize(
    "rules",
    [
        'path "dev/data/*" { capabilities = ["list"] }\npath "prod/*" { capabilities = ["create", "read", "update"] }',
        'path "dev/data/*" { capabilities = ["read"] }\npath "prod/*" { capabilities = ["read", "list"] }',
        'path "dev/data/*" { capabilities = ["read"] }\npath "prod/data/*" { capabilities = ["create"] }',
        'path "dev/data/*" { capabilities = ["read"] }\n' + FORBIDS_DATA,
    ],
    ids=["no reading there", "no writing here", "no looking here", "a rule for what is written"],
)
def test_rights_are_needed_in_both_environments(vault: Vault, rules: str) -> None:
    put(vault, "dev", "app", level="info")
    vault.write_policy("some", rules)
    answer = ask(vault, "app", {"token": vault.token_for("some")})
    assert answer.status in {403, 404}
    assert "level" not in answer.raw.decode()


def test_rights_to_read_there_and_to_write_here_suffice(vault: Vault) -> None:
    put(vault, "dev", "app", level="info")
    rules = 'path "dev/data/*" { capabilities = ["read"] }\npath "prod/subkeys/*" { capabilities = ["read"] }\n'
    vault.write_policy("some", rules + 'path "prod/data/*" { capabilities = ["create", "patch"] }')
    token = vault.token_for("some")
    assert promote(vault, "app", {"token": token}).status == 200
    put(vault, "dev", "app", level="info", mode="fast")
    # Who may not read the target is not told what is the same.
    assert ask(vault, "app", {"token": token}).data["secrets"][0]["keys"] == {"level": "kept", "mode": "add"}
    assert promote(vault, "app", {"token": token}).status == 200


def test_a_bound_token_promotes_within_its_environments_alone(vault: Vault) -> None:
    put(vault, "dev", "app", level="info")
    assert ask(vault, "app", {"token": bound(vault, "dev", "stage")}).status == 400
    assert promote(vault, "app", {"token": bound(vault, "dev", "prod")}).status == 200


def test_a_value_that_is_in_use_above_the_target_is_refused_there(vault: Vault) -> None:
    write(vault, "dev", reuse="allow")
    put(vault, "prod", "app", password=LONG)
    put(vault, "dev", "app", password=LONG)
    plan = ask(vault, "app", to="stage").data
    answer = ask(vault, "app", to="stage", check=plan["check"])
    assert (answer.status, "more protected environment" in str(answer.errors)) == (400, True)
    assert vault.get("stage/data/app").status == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"from": "nowhere"},
        {"keys": ["no-such-key"]},
        {"generate": {"level": "poem"}},
        {"generate": {"level": "hex:1"}},
        {"generate": {"level": "hex:9999"}},
        {"generate": {"no-such-key": "hex"}},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(vault: Vault, fields: dict[str, Any]) -> None:
    put(vault, "dev", "app", level="info")
    assert ask(vault, "app", **fields).status == 400


def test_keys_are_about_one_secret(vault: Vault) -> None:
    for path in ("team/a", "team/b"):
        put(vault, "dev", path, level="info")
    assert ask(vault, "team", keys=["level"]).status == 400
    assert ask(vault, "nothing/here").status == 404
    assert plan_of(vault, "team/a", keys=["level"]) == {"team/a": {"level": "add"}}


def test_a_secret_that_was_deleted_above_comes_back_with_what_is_promoted_alone(vault: Vault) -> None:
    put(vault, "dev", "app", level="info")
    put(vault, "prod", "app", old="gone")
    vault.delete("prod/data/app")
    assert promote(vault, "app").status == 200
    assert read(vault, "prod", "app") == {"level": "info"}


def test_secrets_without_versions_are_promoted_and_checked_by_what_they_hold(vault: Vault) -> None:
    for name in ("dev1", "prod1"):
        vault.mount(name)
    write(vault, "dev", mounts=["dev1"], downward=True)
    write(vault, "prod", mounts=["prod1"], downward=True)
    vault.post("dev1/app", {"level": "info"})
    vault.post("prod1/app", {"mine": "x"})
    check = ask(vault, "app").data["check"]
    vault.post("prod1/app", {"mine": "y"})
    assert ask(vault, "app", check=check).status == 400
    assert promote(vault, "app").status == 200
    assert vault.get("prod1/app").data == {"level": "info", "mine": "y"}


def test_too_much_at_once_is_refused(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.system.promotion.SECRETS_MAX", 3)
    for number in range(4):
        put(vault, "dev", f"many/{number}", level="info")
    answer = ask(vault, "many")
    assert (answer.status, "3 secrets" in str(answer.errors)) == (400, True)
