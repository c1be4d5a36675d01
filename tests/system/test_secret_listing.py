from __future__ import annotations

from typing import Any

import pytest
from tests.environments.world import bound, write
from tests.kit import Vault

DAY = 86400


@pytest.fixture
def vault() -> Vault:
    """A vault with two environments, a mount of none, and one without versions."""
    vault = Vault()
    for mount in ("secret", "dev", "prod"):
        vault.mount(mount, options={"version": "2"})
    vault.mount("plain")
    for rank, name in enumerate(("dev", "prod")):
        assert write(vault, name, rank=rank, mounts=[name]).status == 204
    vault.write_policy("all", 'path "*" { capabilities = ["create", "read", "update", "list"] }')
    for path in ("dev/app", "dev/team/db", "prod/team/db", "prod/team/db-backup", "secret/a/b/c"):
        mount, _, name = path.partition("/")
        assert vault.post(f"{mount}/data/{name}", {"data": {"PASSWORD": path, "Url": path}}).status == 200
    vault.post("plain/dbs", {"k": "v"})
    return vault


def tree(vault: Vault, path: str = "", query: str = "", **options: Any) -> list[str]:
    keys: list[str] = vault.list(f"sys/secrets/tree?path={path}{query}", **options).data["keys"]
    return keys


def search(vault: Vault, name: str, query: str = "", **options: Any) -> list[str]:
    answer = vault.get(f"sys/secrets/search?name={name}{query}", **options)
    assert answer.status == 200, answer
    return [one["path"] for one in answer.data["secrets"]]


def token_of(vault: Vault, *rules: str) -> str:
    vault.write_policy("some", "\n".join(f"path {rule}" for rule in rules))
    return vault.token_for("some")


# Trees


def test_everything_below_a_folder_is_listed_relative_to_it(vault: Vault) -> None:
    assert tree(vault, "prod") == ["team/db", "team/db-backup"]
    assert tree(vault, "prod/team") == ["db", "db-backup"]
    assert tree(vault, "secret/a") == ["b/c"]
    assert tree(vault) == ["dev/app", "dev/team/db", "plain/dbs", "prod/team/db", "prod/team/db-backup", "secret/a/b/c"]
    assert vault.list("sys/secrets/tree?path=prod/nothing").status == 404
    assert vault.list("sys/secrets/tree?path=nowhere").status == 404


def test_pages_follow_each_other_over_mounts(vault: Vault) -> None:
    found: list[str] = []
    after = ""
    while True:
        page = vault.list(f"sys/secrets/tree?limit=2&after={after}").data
        found += page["keys"]
        after = page["next"]
        if not after:
            break
    assert found == tree(vault)


def test_a_name_is_listed_only_where_its_folder_may_be(vault: Vault) -> None:
    token = token_of(
        vault,
        '"prod/metadata/team" { capabilities = ["list"] }',
        '"dev/data/*" { capabilities = ["read"] }',
        '"secret/metadata/a/*" { capabilities = ["list"] }',
    )
    assert tree(vault, token=token) == ["prod/team/db", "prod/team/db-backup", "secret/a/b/c"]
    assert vault.list("sys/secrets/tree?path=dev", token=token).status == 404


def test_a_denied_folder_below_is_left_out(vault: Vault) -> None:
    token = token_of(
        vault, '"+/metadata/*" { capabilities = ["list"] }', '"prod/metadata/team/*" { capabilities = ["deny"] }'
    )
    assert tree(vault, token=token) == ["dev/app", "dev/team/db", "secret/a/b/c"]


def test_a_bound_token_lists_its_environments_and_what_is_of_none(vault: Vault) -> None:
    assert tree(vault, token=bound(vault, "dev")) == ["dev/app", "dev/team/db", "plain/dbs", "secret/a/b/c"]


def test_a_limit_of_a_policy_is_the_limit_of_a_page(vault: Vault) -> None:
    token = token_of(vault, '"prod/metadata/*" { capabilities = ["list"]\n pagination_limit = 1 }')
    page = vault.list("sys/secrets/tree", token=token).data
    assert (page["keys"], page["next"]) == (["prod/team/db"], "prod/team/db")


def test_many_folders_that_may_not_be_listed_are_passed_over_in_one_look_each(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        vault.post(f"secret/data/f{number % 3}/s{number}", {"data": {"k": "v"}})
    token = token_of(vault, '"secret/metadata/a/*" { capabilities = ["list"] }')
    monkeypatch.setattr("strongroom.system.secret_walk.LOOKED_AT_MAX", 10)
    assert tree(vault, token=token) == ["secret/a/b/c"]
    # One folder is full of what may be listed in part: that many names are not looked at.
    assert vault.list("sys/secrets/tree").status == 400


@pytest.mark.parametrize("query", ["limit=0", "limit=5001", "path=a//b", "path=../x"])
def test_what_makes_no_sense_is_refused(vault: Vault, query: str) -> None:
    assert vault.list(f"sys/secrets/tree?{query}").status == 400


# Search


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("db", ["dev/team/db", "plain/dbs", "prod/team/db", "prod/team/db-backup"]),
        ("DB", ["dev/team/db", "plain/dbs", "prod/team/db", "prod/team/db-backup"]),
        ("team/db", ["dev/team/db", "prod/team/db", "prod/team/db-backup"]),
        ("db*", ["dev/team/db", "plain/dbs", "prod/team/db", "prod/team/db-backup"]),
        ("?b", ["dev/team/db", "prod/team/db"]),
        ("team/*", ["dev/team/db", "prod/team/db", "prod/team/db-backup"]),
        ("[d]*", []),
        ("nothing", []),
    ],
)
def test_secrets_are_found_by_their_names(vault: Vault, name: str, expected: list[str]) -> None:
    assert search(vault, name) == expected


def test_a_search_is_narrowed_to_environments_and_folders(vault: Vault) -> None:
    assert search(vault, "db", "&environments=prod") == ["prod/team/db", "prod/team/db-backup"]
    assert search(vault, "db", "&path=dev") == ["dev/team/db"]


def test_names_of_keys_are_found_where_they_may_be_known(vault: Vault) -> None:
    rows = vault.get("sys/secrets/search?name=url&keys=true&path=prod").data["secrets"]
    assert [(row["path"], row["keys"]) for row in rows] == [("prod/team/db", ["Url"]), ("prod/team/db-backup", ["Url"])]
    listing = '"+/metadata/*" { capabilities = ["list"] }'
    assert search(vault, "url", "&keys=true", token=token_of(vault, listing)) == []
    token = token_of(vault, listing, '"prod/subkeys/team/db" { capabilities = ["read"] }')
    assert search(vault, "url", "&keys=true", token=token) == ["prod/team/db"]


@pytest.mark.parametrize("query", ["name=", "name=" + "x" * 257, "name=x&limit=0"])
def test_a_search_that_makes_no_sense_is_refused(vault: Vault, query: str) -> None:
    assert vault.get(f"sys/secrets/search?{query}").status == 400


def test_no_value_stands_in_an_answer(vault: Vault) -> None:
    vault.post("dev/data/secretive", {"data": {"k": "hunter2-hunter2"}})
    answers = [vault.get("sys/secrets/search?name=e&keys=true").raw, vault.list("sys/secrets/tree").raw]
    assert b"hunter2" not in b"".join(answers)


# Notes


def note(vault: Vault, path: str, **notes: str) -> None:
    mount, _, name = path.partition("/")
    assert vault.post(f"{mount}/metadata/{name}", {"custom_metadata": notes}).status == 204


def noted(vault: Vault, path: str, **options: Any) -> list[str]:
    answer = vault.get(f"sys/secrets/{path}", **options)
    assert answer.status == 200, answer
    return [one["path"] for one in answer.data["secrets"]]


def test_what_expires_is_listed_the_soonest_first_over_all_mounts(vault: Vault) -> None:
    # It is the 17th of March 2030.
    note(vault, "dev/app", expires_at="2030-04-10", owner="ana", description="the app", criticality="high")
    note(vault, "prod/team/db", expires_at="2030-03-20")
    note(vault, "secret/a/b/c", expires_at="2031-01-01")
    assert noted(vault, "expiring?within=30d") == ["prod/team/db", "dev/app"]
    assert noted(vault, "expiring?within=400d") == ["prod/team/db", "dev/app", "secret/a/b/c"]
    assert noted(vault, "expiring?within=30d&path=dev") == ["dev/app"]
    assert noted(vault, "expiring?within=1d") == []
    vault.clock.jump(4 * DAY)
    first, second = vault.get("sys/secrets/expiring?within=30d").data["secrets"]
    assert first["is_expired"] is True
    assert second == {
        "path": "dev/app",
        "environment": "dev",
        "owner": "ana",
        "description": "the app",
        "criticality": "high",
        "expires_at": "2030-04-10T00:00:00.000000000Z",
        "is_expired": False,
        "is_reminding": True,
    }


def test_without_a_time_those_are_listed_of_which_somebody_is_to_be_reminded(vault: Vault) -> None:
    note(vault, "dev/app", expires_at="2030-04-10", remind_before="7d,1d")
    note(vault, "prod/team/db", expires_at="2030-04-10")
    note(vault, "secret/a/b/c", expires_at="2030-12-24", remind_before="365d")
    assert noted(vault, "expiring") == ["secret/a/b/c", "prod/team/db"]
    vault.clock.jump(17 * DAY)
    assert noted(vault, "expiring") == ["secret/a/b/c", "prod/team/db", "dev/app"]


def test_the_most_critical_come_first(vault: Vault) -> None:
    for path, level in (("dev/app", "low"), ("prod/team/db", "critical"), ("prod/team/db-backup", "medium")):
        note(vault, path, criticality=level)
    assert noted(vault, "critical") == ["prod/team/db", "prod/team/db-backup", "dev/app"]
    assert noted(vault, "critical?least=medium") == ["prod/team/db", "prod/team/db-backup"]
    assert vault.get("sys/secrets/critical?least=unknown").status == 400


def test_notes_go_to_whoever_may_list_the_secret_and_read_its_metadata(vault: Vault) -> None:
    for path in ("dev/app", "prod/team/db"):
        note(vault, path, expires_at="2030-03-18", criticality="high")
    listing = '"+/metadata/*" { capabilities = ["list"] }'
    for path in ("expiring", "critical"):
        assert noted(vault, path, token=token_of(vault, listing)) == []
        assert noted(vault, path, token=token_of(vault, listing, '"dev/data/app" { capabilities = ["read"] }')) == [
            "dev/app"
        ]
        assert noted(vault, path, token=token_of(vault, '"dev/metadata/app" { capabilities = ["read"] }')) == []
        assert noted(vault, path, token=bound(vault, "prod")) == ["prod/team/db"]


def index_rows(vault: Vault) -> list[str]:
    with vault.node.require().barrier.transaction() as transaction:
        return sorted(key.split("/", 2)[2] for key in transaction.scan("logical/") if "/noted/" in key)


def test_the_index_follows_every_change_of_the_notes(vault: Vault) -> None:
    note(vault, "dev/app", expires_at="2030-03-20", criticality="low")
    assert index_rows(vault) == [
        "noted/criticality/1/app",
        "noted/expires/001900195200/app",
        "noted/reminds/001897603200/app",
    ]
    vault.patch("dev/metadata/app", {"custom_metadata": {"criticality": "critical", "expires_at": None}})
    assert index_rows(vault) == ["noted/criticality/4/app"]
    vault.post("dev/metadata/app", {"max_versions": 5})
    vault.post("dev/data/app", {"data": {"k": "v"}})
    assert index_rows(vault) == ["noted/criticality/4/app"]
    vault.post("sys/secrets/copy", {"from": "dev/app", "to": "dev/web"})
    assert index_rows(vault) == ["noted/criticality/4/app", "noted/criticality/4/web"]
    vault.post("sys/secrets/move", {"from": "dev/web", "to": "dev/x/y"})
    assert index_rows(vault) == ["noted/criticality/4/app", "noted/criticality/4/x/y"]
    vault.delete("dev/metadata/app")
    assert vault.post("dev/metadata/x/y", {"custom_metadata": {"criticality": "terrible"}}).status == 200
    assert index_rows(vault) == []
