from __future__ import annotations

from typing import Any

import pytest
from tests.environments.world import REASON, bound, write
from tests.kit import Vault
from tests.processes import Result

EVERYTHING = 'path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list"] }'


@pytest.fixture
def vault() -> Vault:
    vault = Vault()
    for mount in ("secret", "dev", "prod"):
        vault.mount(mount, options={"version": "2"})
    vault.mount("plain")
    for rank, name in enumerate(("dev", "prod")):
        assert write(vault, name, rank=rank, mounts=[name]).status == 204
    vault.write_policy("all", EVERYTHING)
    return vault


def put(vault: Vault, path: str, **values: Any) -> None:
    mount, _, name = path.partition("/")
    answer = vault.post(f"{mount}/data/{name}", {"data": values})
    assert answer.status == 200, answer


def transfer(vault: Vault, way: str, source: str, target: str, **options: Any) -> Result:
    return vault.post(f"sys/secrets/{way}", {"from": source, "to": target}, **options)


def fingerprints(vault: Vault) -> set[str]:
    with vault.node.require().barrier.transaction() as transaction:
        return {key.split("/", 3)[3] for key in transaction.scan("core/fingerprint/")}


def test_a_secret_moves_with_its_versions_times_settings_and_notes(vault: Vault) -> None:
    for number in (1, 2, 3, 4):
        put(vault, "secret/app", k=f"value {number}")
        vault.clock.jump(60)
    vault.post("secret/metadata/app", {"custom_metadata": {"owner": "ana"}, "max_versions": 7, "cas_required": True})
    vault.post("secret/delete/app", {"versions": [2]})
    vault.post("secret/destroy/app", {"versions": [1]})
    before = vault.get("secret/metadata/app").data
    answer = transfer(vault, "move", "secret/app", "secret/team/web")
    assert answer.data == {"secrets": [{"from": "secret/app", "to": "secret/team/web", "versions": 4}]}
    assert vault.get("secret/metadata/team/web").data == before
    assert vault.get("secret/metadata/app").status == 404
    assert vault.get("secret/data/app?version=3").status == 404
    assert vault.get("secret/data/team/web?version=3").data["data"] == {"k": "value 3"}
    assert vault.get("secret/data/team/web?version=2").status == 404
    vault.post("secret/undelete/team/web", {"versions": [2]})
    assert vault.get("secret/data/team/web?version=2").data["data"] == {"k": "value 2"}
    assert vault.post("secret/data/team/web", {"data": {"k": "5"}, "options": {"cas": 4}}).data["version"] == 5
    # What is known of the value that was destroyed stays where it was.
    assert {place.split("/", 2)[2] for place in fingerprints(vault)} == {"app", "team/web"}


def test_a_copy_has_a_data_key_of_its_own(vault: Vault) -> None:
    put(vault, "secret/app", k="v")
    assert transfer(vault, "copy", "secret/app", "secret/twin").status == 200
    assert vault.delete("secret/metadata/app").status == 204
    assert vault.get("secret/data/twin").data["data"] == {"k": "v"}
    with vault.node.require().barrier.transaction() as transaction:
        keys = [transaction.get(key) for key in transaction.scan("logical/") if "/metadata/" in key]
    assert len(keys) == 1


def test_many_versions_move_at_once(vault: Vault) -> None:
    vault.post("secret/metadata/app", {"max_versions": 10_000})
    for number in range(60):
        put(vault, "secret/app", k=f"value {number}")
    assert transfer(vault, "move", "secret/app", "secret/web").data["secrets"][0]["versions"] == 60
    assert vault.get("secret/data/web?version=1").data["data"] == {"k": "value 0"}


def test_more_bytes_than_one_commit_takes_are_refused(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.engines.kv_v2.transfer.BYTES_MAX", 1000)
    put(vault, "secret/app", k="x" * 2000)
    answer = transfer(vault, "move", "secret/app", "secret/web")
    assert (answer.status, "destroy old ones" in str(answer.errors)) == (413, True)
    assert vault.get("secret/data/app").status == 200


def test_a_folder_moves_whole(vault: Vault) -> None:
    for path in ("secret/team/a", "secret/team/b/c", "secret/team2"):
        put(vault, path, k=path)
    assert transfer(vault, "move", "secret/team/", "secret/group/x/").status == 200
    assert vault.get("secret/data/group/x/b/c").data["data"] == {"k": "secret/team/b/c"}
    assert vault.list("secret/metadata").data["keys"] == ["group/", "team2"]
    assert transfer(vault, "copy", "secret/", "dev/").status == 200
    assert vault.get("dev/data/team2").data["data"] == {"k": "secret/team2"}


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("secret/app", "secret/there", "already"),
        ("secret/app", "secret/app", "already"),
        ("secret/team/", "secret/group", "folder goes to a folder"),
        ("secret/team/", "secret/team/inner/", "into itself"),
        ("secret/app", "plain/app", "keep versions"),
        ("secret/app", "secret//x", "empty segment"),
        ("secret/../x", "secret/x", "'..'"),
        ("secret", "secret/x", "name a secret"),
        ("secret/app", "secret", "name a secret"),
    ],
)
def test_what_makes_no_sense_is_refused(vault: Vault, source: str, target: str, said: str) -> None:
    for path in ("secret/app", "secret/there", "secret/team/a"):
        put(vault, path, k=path)
    answer = transfer(vault, "move", source, target)
    assert (answer.status, said in str(answer.errors)) == (400, True), answer


def test_what_is_not_there_is_not_found_and_what_is_no_mount_is_denied(vault: Vault) -> None:
    assert transfer(vault, "move", "secret/nothing", "secret/x").status == 404
    assert transfer(vault, "move", "secret/none/", "secret/x/").status == 404
    assert transfer(vault, "move", "nowhere/app", "secret/x").status == 403


def test_nothing_leaves_for_a_less_sensitive_environment_or_for_none(vault: Vault) -> None:
    put(vault, "prod/app", k="a long value of production")
    write(vault, "dev", reuse="allow")
    for way in ("move", "copy"):
        for target in ("dev/app", "secret/app"):
            answer = transfer(vault, way, "prod/app", target)
            assert (answer.status, "less sensitive" in str(answer.errors)) == (400, True)
    assert vault.get("dev/metadata/app").status == 404


def test_upward_a_secret_moves_and_is_not_copied(vault: Vault) -> None:
    put(vault, "dev/app", k="a long value of dev")
    answer = transfer(vault, "copy", "dev/app", "prod/app")
    assert (answer.status, "promote" in str(answer.errors)) == (400, True)
    moved = transfer(vault, "move", "dev/app", "prod/app")
    assert moved.status == 200
    assert "less protected" not in moved.raw.decode(), "it is in use below no more"
    # It belongs to production now, and is refused below.
    answer = vault.post("dev/data/app", {"data": {"k": "a long value of dev"}})
    assert (answer.status, "more protected" in str(answer.errors)) == (400, True)


def test_a_value_that_is_in_use_above_is_refused_where_it_would_be_new(vault: Vault) -> None:
    put(vault, "secret/app", k="a long value of production")
    put(vault, "prod/app", k="a long value of production")
    answer = transfer(vault, "move", "secret/app", "dev/app")
    assert (answer.status, "more protected" in str(answer.errors)) == (400, True)
    assert vault.get("secret/data/app").status == 200
    assert vault.get("dev/metadata/app").status == 404


def test_a_note_that_holds_a_value_from_above_does_not_come_along(vault: Vault) -> None:
    put(vault, "prod/app", k="a long value of production")
    put(vault, "secret/app", k="another value")
    assert vault.post("secret/metadata/app", {"custom_metadata": {"was": "a long value of production"}}).status == 204
    answer = transfer(vault, "move", "secret/app", "dev/app")
    assert (answer.status, "more protected" in str(answer.errors)) == (400, True)
    assert vault.get("dev/metadata/app").status == 404


def test_within_an_environment_a_secret_moves_whatever_is_in_use_above(vault: Vault) -> None:
    put(vault, "dev/app", k="a long value of dev")
    put(vault, "prod/app", k="a long value of dev")
    assert transfer(vault, "move", "dev/app", "dev/web").status == 200


def test_a_protected_environment_wants_a_reason(vault: Vault) -> None:
    put(vault, "prod/app", k="v")
    write(vault, "prod", protected=True)
    assert transfer(vault, "move", "prod/app", "prod/web").status == 400
    vault.device.written.clear()
    assert transfer(vault, "move", "prod/app", "prod/web", headers=REASON).status == 200
    record = vault.device.records[0]["request"]
    assert (record["reason"], record["data"]["from"], record["data"]["to"]) == ("ticket 4711", "prod/app", "prod/web")


@pytest.mark.parametrize(
    "missing", ["read data", "read metadata", "delete metadata", "create data", "create metadata", "undelete"]
)
def test_each_right_that_doing_it_by_hand_would_need_is_needed(vault: Vault, missing: str) -> None:
    put(vault, "secret/app", k="v")
    put(vault, "secret/app", k="w")
    vault.post("secret/delete/app", {"versions": [1]})
    rules = {
        "read data": '"secret/data/app" { capabilities = ["read"] }',
        "read metadata": '"secret/metadata/app" { capabilities = ["read", "delete"] }',
        "delete metadata": '"secret/metadata/app" { capabilities = ["read", "delete"] }',
        "create data": '"secret/data/web" { capabilities = ["create"] }',
        "create metadata": '"secret/metadata/web" { capabilities = ["create"] }',
        "undelete": '"secret/undelete/app" { capabilities = ["update"] }',
    }
    left = {rule for name, rule in rules.items() if name != missing}
    if missing in {"read metadata", "delete metadata"}:
        kept = "delete" if missing == "read metadata" else "read"
        left = {rule for rule in left if "metadata/app" not in rule}
        left.add(f'"secret/metadata/app" {{ capabilities = ["{kept}"] }}')
    vault.write_policy("some", "\n".join(f"path {rule}" for rule in left))
    vault.write_policy("enough", "\n".join(f"path {rule}" for rule in set(rules.values())))
    assert transfer(vault, "move", "secret/app", "secret/web", token=vault.token_for("some")).status == 403
    assert vault.get("secret/data/app").status == 200
    assert transfer(vault, "move", "secret/app", "secret/web", token=vault.token_for("enough")).status == 200


def test_who_may_write_nothing_there_does_not_learn_what_is_there(vault: Vault) -> None:
    for path in ("secret/app", "secret/there"):
        put(vault, path, k=path)
    vault.write_policy("some", 'path "secret/+/app" { capabilities = ["read", "delete", "update"] }')
    token = vault.token_for("some")
    answers = {transfer(vault, "copy", "secret/app", f"secret/{name}", token=token).raw for name in ("there", "free")}
    assert {len(answers)} == {2} or len({answer.partition(b"errors")[2] for answer in answers}) == 1


def test_a_bound_token_moves_within_its_environments(vault: Vault) -> None:
    put(vault, "dev/app", k="v")
    token = bound(vault, "dev")
    assert transfer(vault, "move", "dev/app", "prod/app", token=token).status == 403
    assert transfer(vault, "move", "dev/app", "dev/web", token=token).status == 200


def test_secrets_without_versions_move_too(vault: Vault) -> None:
    vault.post("plain/app", {"k": "a value without versions"})
    assert transfer(vault, "move", "plain/app", "plain/web").data["secrets"][0]["versions"] == 0
    assert vault.get("plain/app").status == 404
    assert vault.get("plain/web").data == {"k": "a value without versions"}
    assert {place.split("/", 2)[2] for place in fingerprints(vault)} == {"web"}


def test_no_value_stands_in_an_answer_or_in_the_audit_log(vault: Vault) -> None:
    put(vault, "secret/app", k="hunter2-hunter2")
    vault.device.written.clear()
    answer = transfer(vault, "move", "secret/app", "secret/web")
    assert "hunter2" not in answer.raw.decode() + vault.device.text
