from __future__ import annotations

from typing import Any

import pytest
from tests.environments.world import bound, write
from tests.kit import Vault

from strongroom.crypto.fingerprint import fingerprint

NAMES = ("dev", "stage", "prod")
DAY = 86400


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


def rows(vault: Vault, path: str = "", query: str = "", **options: Any) -> dict[str, dict[str, Any]]:
    """Cells by ``path#key``."""
    answer = vault.get(f"sys/matrix?path={path}{query.replace('?', '&')}", **options)
    assert answer.status == 200, answer
    return {f"{row['path']}#{row['key']}": row["cells"] for row in answer.data["rows"]}


def states(vault: Vault, path: str = "", query: str = "", **options: Any) -> dict[str, list[str]]:
    """The first state of each cell, in the order of the environments."""
    return {
        name: [cell["state"] for cell in cells.values()] for name, cells in rows(vault, path, query, **options).items()
    }


# States


def test_each_key_is_set_missing_empty_or_the_same(vault: Vault) -> None:
    put(vault, "dev", "app", url="https://dev.example", level="info", only_here="a value of dev", nothing="")
    put(vault, "prod", "app", url="https://prod.example", level="info", nothing="")
    assert states(vault, query="?environments=dev,prod") == {
        "app#level": ["same", "same"],
        "app#nothing": ["same", "same"],
        "app#only_here": ["set", "missing"],
        "app#url": ["set", "set"],
    }
    assert rows(vault)["app#level"]["dev"]["same_as"] == ["prod"]
    assert rows(vault)["app#nothing"]["dev"]["states"] == ["same", "empty"]


def test_what_is_alike_is_the_same(vault: Vault) -> None:
    put(vault, "prod", "app", k="of production alone")
    write(vault, "dev", reuse="warn")
    put(vault, "dev", "app", k="T2YgUHJvZHVjdGlvbiBhbG9uZQ==")
    assert states(vault, query="?environments=dev,prod") == {"app#k": ["same", "same"]}


def test_values_of_any_shape_are_compared_whole(vault: Vault) -> None:
    put(vault, "dev", "app", deep={"a": [1, "x"]}, number=5)
    put(vault, "prod", "app", deep={"a": [1, "y"]}, number=5)
    found = vault.get("sys/matrix?environments=dev,prod").data["rows"]
    assert {row["key"]: row["equal"] for row in found} == {"deep": False, "number": True}


def test_a_deleted_secret_is_missing(vault: Vault) -> None:
    put(vault, "dev", "app", k="v")
    put(vault, "prod", "app", k="w")
    assert vault.delete("prod/data/app").status == 204
    assert states(vault, query="?environments=dev,prod") == {"app#k": ["set", "missing"]}


def test_a_value_is_stale_once_something_below_is_newer(vault: Vault) -> None:
    put(vault, "dev", "app", k="first of dev", same="x")
    vault.clock.jump(DAY)
    put(vault, "prod", "app", k="first of prod", same="x")
    assert states(vault, query="?environments=dev,prod")["app#k"] == ["set", "set"]
    vault.clock.jump(DAY)
    put(vault, "dev", "app", k="first of dev", same="x", other="a change elsewhere is none")
    assert states(vault, query="?environments=dev,prod")["app#k"] == ["set", "set"]
    put(vault, "dev", "app", k="second of dev", same="x")
    found = rows(vault, query="?environments=dev,prod")
    assert found["app#k"]["prod"]["stale"] == ["behind"]
    assert found["app#k"]["dev"]["state"] == "set"
    assert found["app#same"]["prod"]["state"] == "same"


def test_a_value_is_stale_when_its_notes_say_so(vault: Vault) -> None:
    put(vault, "prod", "app", k="v")
    notes = {"expires_at": "2030-03-20", "max_age": "2d"}
    assert vault.post("prod/metadata/app", {"custom_metadata": notes}).status == 204
    assert rows(vault)["app#k"]["prod"]["state"] == "set"
    vault.clock.jump(2 * DAY)
    assert rows(vault)["app#k"]["prod"]["stale"] == ["too old"]
    vault.clock.jump(DAY)
    assert rows(vault)["app#k"]["prod"]["stale"] == ["expired", "too old"]
    put(vault, "prod", "app", k="w")
    assert rows(vault)["app#k"]["prod"]["stale"] == ["expired"]


def test_a_value_whose_fingerprint_is_marked_has_leaked(vault: Vault) -> None:
    put(vault, "prod", "app", k="it was on the internet", other="it was not")
    unsealed = vault.node.require()
    mark = fingerprint(unsealed.fingerprint_key, b"it was on the internet").hex()
    with unsealed.barrier.transaction() as transaction:
        transaction.put(f"core/leaked/{mark}", b"")
        unsealed.barrier.commit(transaction)
    assert states(vault, query="?environments=prod") == {"app#k": ["leaked"], "app#other": ["set"]}
    assert list(states(vault, query="?environments=prod&only=leaked")) == ["app#k"]


# What is asked for


def test_a_path_means_the_secret_and_all_below_it(vault: Vault) -> None:
    for path in ("app", "app/db", "app2", "other"):
        put(vault, "dev", path, k=f"value of {path}")
    assert list(rows(vault, "app")) == ["app#k", "app/db#k"]
    assert list(rows(vault)) == ["app#k", "app/db#k", "app2#k", "other#k"]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("missing", ["app#one"]),
        ("same", ["app#level"]),
        ("different", ["app#one", "app#url"]),
        ("missing,same", ["app#level", "app#one"]),
    ],
)
def test_rows_are_chosen_by_state(vault: Vault, only: str, expected: list[str]) -> None:
    put(vault, "dev", "app", url="https://dev.example", level="info", one="a value of dev")
    put(vault, "prod", "app", url="https://prod.example", level="info")
    assert list(rows(vault, query=f"?environments=dev,prod&only={only}")) == expected


def test_pages_follow_each_other_without_gap_or_repetition(vault: Vault) -> None:
    for number in range(30):
        put(vault, NAMES[number % 3], f"f{number % 4}/s{number:02}", a=f"value {number} a", b=f"value {number} b")
    whole = list(rows(vault))
    paged: list[str] = []
    after = ""
    while True:
        answer = vault.get(f"sys/matrix?limit=5&after={after}").data
        paged += [f"{row['path']}#{row['key']}" for row in answer["rows"]]
        after = answer["next"]
        if not after:
            break
    assert paged == whole
    assert len(whole) == 60


@pytest.mark.parametrize(
    "query", ["?limit=0", "?limit=1001", "?only=colour", "?environments=nowhere", "?environments=dev,nowhere"]
)
def test_what_makes_no_sense_is_refused_with_what_does(vault: Vault, query: str) -> None:
    put(vault, "dev", "app", k="v")
    answer = vault.get(f"sys/matrix{query}")
    assert answer.status == 400
    assert "nowhere" not in str(answer.errors)


def test_several_mounts_correspond_by_their_names(vault: Vault) -> None:
    for name in ("dev-team", "prod-team"):
        vault.mount(name, options={"version": "2"})
    write(vault, "dev", mounts=["dev", "dev-team"])
    write(vault, "prod", mounts=["prod", "prod-team"])
    put(vault, "dev-team", "app", k="of the team in dev")
    put(vault, "prod-team", "app", k="of the team in prod")
    put(vault, "dev", "app", k="of dev")
    # "dev" and "prod" say nothing but the environment, so whole paths stand.
    assert set(rows(vault, query="?environments=dev,prod")) == {"dev/app#k", "dev-team/app#k", "prod-team/app#k"}
    for name in ("dev", "prod"):
        vault.post("sys/remount", {"from": name, "to": f"kv-{name}"})
    assert states(vault, query="?environments=dev,prod") == {
        "kv/app#k": ["set", "missing"],
        "team/app#k": ["set", "set"],
    }
    assert list(states(vault, "team", query="?environments=dev,prod")) == ["team/app#k"]


def test_secrets_without_versions_take_part(vault: Vault) -> None:
    vault.mount("qa")
    write(vault, "qa", rank=7, mounts=["qa"])
    vault.post("qa/app", {"k": "x1"})
    put(vault, "dev", "app", k="x1")
    assert states(vault, query="?environments=dev,qa") == {"app#k": ["same", "same"]}


# Rights


def reader(vault: Vault, *rules: str, **options: Any) -> str:
    vault.write_policy("some", "\n".join(f"path {rule}" for rule in rules))
    return vault.token_for("some", **options)


LIST_DEV = '"dev/metadata/*" { capabilities = ["list"] }'
READ_DEV = '"dev/data/*" { capabilities = ["read"] }'


@pytest.fixture
def filled(vault: Vault) -> Vault:
    put(vault, "dev", "app", k="shared by all", mine="x")
    put(vault, "prod", "app", k="shared by all", theirs="y")
    put(vault, "prod", "hidden", k="z")
    return vault


def test_who_may_see_nothing_of_an_environment_has_no_column_of_it(filled: Vault) -> None:
    token = reader(filled, LIST_DEV, READ_DEV)
    assert states(filled, token=token) == {"app#k": ["set"], "app#mine": ["set"]}
    assert "prod" not in filled.get("sys/matrix", token=token).raw.decode()
    assert filled.get("sys/matrix?environments=prod", token=token).status == 400


def test_the_key_of_another_environment_that_may_not_be_read_does_not_appear(filled: Vault) -> None:
    token = reader(filled, LIST_DEV, READ_DEV, '"prod/metadata/*" { capabilities = ["list"] }')
    assert states(filled, token=token) == {
        "app#k": ["set", "hidden"],
        "app#mine": ["set", "hidden"],
        "hidden#": ["missing", "hidden"],
    }


def test_who_may_know_keys_alone_is_not_told_what_is_the_same(filled: Vault) -> None:
    token = reader(filled, LIST_DEV, READ_DEV, '"prod/subkeys/*" { capabilities = ["read"] }')
    assert states(filled, token=token) == {
        "app#k": ["set", "set"],
        "app#mine": ["set", "missing"],
        "app#theirs": ["missing", "set"],
    }


def test_what_may_be_read_but_not_listed_appears_to_whoever_names_it(filled: Vault) -> None:
    token = reader(filled, READ_DEV)
    assert rows(filled, token=token) == {}
    assert list(rows(filled, "app", token=token)) == ["app#k", "app#mine"]


def test_a_bound_token_sees_its_environments_alone(filled: Vault) -> None:
    token = bound(filled, "dev", "stage")
    answer = filled.get("sys/matrix", token=token)
    assert [one["name"] for one in answer.data["environments"]] == ["dev", "stage"]
    assert "prod" not in answer.raw.decode()


def test_a_limit_of_a_policy_ends_the_page(vault: Vault) -> None:
    for number in range(5):
        put(vault, "dev", f"s{number}", k=f"value {number}")
    token = reader(vault, '"dev/metadata/*" { capabilities = ["list"]\n pagination_limit = 2 }', READ_DEV)
    answer = vault.get("sys/matrix", token=token).data
    assert [row["path"] for row in answer["rows"]] == ["s0", "s1"]
    assert answer["next"] == "s1"


def test_folders_that_may_not_be_listed_are_passed_over(vault: Vault) -> None:
    for path in ("a/x", "b/c/x", "b/x", "top"):
        put(vault, "dev", path, k=f"value of {path}")
    token = reader(
        vault,
        '"dev/metadata/b/c/*" { capabilities = ["list"] }',
        '"dev/metadata/b/c" { capabilities = ["list"] }',
        READ_DEV,
    )
    assert list(rows(vault, token=token)) == ["b/c/x#k"]


def test_no_value_stands_in_an_answer_or_in_the_audit_log(filled: Vault) -> None:
    filled.device.written.clear()
    answers = [filled.get(path).raw.decode() for path in ("sys/matrix", "sys/reuse", "sys/matrix?only=same")]
    assert "shared by all" not in "".join(answers) + filled.device.text


# Reuse


def test_reuse_names_where_else_a_value_is_whatever_it_is_called_there(vault: Vault) -> None:
    put(vault, "dev", "app", k="used everywhere", port="5432")
    put(vault, "prod", "other", name="used everywhere", port="5432")
    found = vault.get("sys/reuse").data["rows"]
    assert found == [
        {
            "environment": "dev",
            "path": "app",
            "key": "k",
            "also": [{"environment": "prod", "path": "prod/other", "key": "name"}],
        },
        {
            "environment": "prod",
            "path": "other",
            "key": "name",
            "also": [{"environment": "dev", "path": "dev/app", "key": "k"}],
        },
    ]
    for more in ('"prod/metadata/*" { capabilities = ["list"] }', '"prod/data/*" { capabilities = ["read"] }'):
        token = reader(vault, LIST_DEV, READ_DEV, more)
        assert vault.get("sys/reuse", token=token).data["rows"] == []


def test_what_a_secret_once_held_is_no_reuse(vault: Vault) -> None:
    put(vault, "dev", "app", k="used everywhere")
    put(vault, "prod", "app", k="used everywhere")
    put(vault, "dev", "app", k="another one now")
    assert vault.get("sys/reuse").data["rows"] == []
