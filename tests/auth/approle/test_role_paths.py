from __future__ import annotations

from typing import Any

import pytest

from strongroom.auth.approle import AppRole, secret_id
from strongroom.logical.errors import InvalidRequest, NotFound, UnsupportedOperation
from strongroom.logical.operation import Operation

UNSET: dict[str, Any] = {
    "bind_secret_id": True,
    "local_secret_ids": False,
    "secret_id_bound_cidrs": None,
    "secret_id_num_uses": 0,
    "secret_id_ttl": 0,
    "token_bound_cidrs": [],
    "token_explicit_max_ttl": 0,
    "token_max_ttl": 0,
    "token_no_default_policy": False,
    "token_num_uses": 0,
    "token_period": 0,
    "token_policies": [],
    "token_strictly_bind_ip": False,
    "token_ttl": 0,
    "token_type": "default",
}


def test_a_role_with_nothing_set_reads_back_as_clients_know_it(approle: Any) -> None:
    approle.write("role/r")
    assert approle.read("role/r") == UNSET
    assert list(approle.read("role/r")) == sorted(UNSET)


def test_every_field_reads_back_as_it_was_written(approle: Any) -> None:
    approle.write(
        "role/r",
        secret_id_bound_cidrs=["10.0.0.1/24", "10.0.0.1/32"],
        secret_id_num_uses="5",
        secret_id_ttl="1h",
        local_secret_ids="true",
        token_policies="B,a,a, b",
        token_bound_cidrs="10.0.0.1/24,192.168.1.1/32,::1",
        token_explicit_max_ttl="3h",
        token_max_ttl=7200,
        token_no_default_policy=True,
        token_num_uses=7,
        token_period="60",
        token_ttl="30m",
        token_type="service",
    )
    assert approle.read("role/r") == UNSET | {
        "local_secret_ids": True,
        "secret_id_bound_cidrs": ["10.0.0.1/24", "10.0.0.1/32"],
        "secret_id_num_uses": 5,
        "secret_id_ttl": 3600,
        "token_bound_cidrs": ["10.0.0.1/24", "192.168.1.1", "::1"],
        "token_explicit_max_ttl": 10800,
        "token_max_ttl": 7200,
        "token_no_default_policy": True,
        "token_num_uses": 7,
        "token_period": 60,
        "token_policies": ["a", "b"],
        "token_ttl": 1800,
        "token_type": "service",
    }


def test_a_write_changes_what_it_names_and_nothing_else(approle: Any) -> None:
    approle.write("role/r", token_ttl=60, token_policies=["a"])
    role_id = approle.read("role/r/role-id")
    approle.write("role/r", token_max_ttl=600, token_ttl=None)
    assert approle.read("role/r") == UNSET | {"token_ttl": 60, "token_max_ttl": 600, "token_policies": ["a"]}
    assert approle.read("role/r/role-id") == role_id


def test_an_older_name_is_read_back_until_todays_name_is_written(approle: Any) -> None:
    approle.write("role/r", policies="x", period="1h", bound_cidr_list="10.0.0.0/8")
    role = approle.read("role/r")
    assert (role["policies"], role["token_policies"]) == (["x"], ["x"])
    assert (role["period"], role["token_period"]) == (3600, 3600)
    assert role["secret_id_bound_cidrs"] == ["10.0.0.0/8"]
    approle.write("role/r", token_policies="y")
    role = approle.read("role/r")
    assert "policies" not in role
    assert role["token_policies"] == ["y"]
    assert role["period"] == 3600


def test_where_both_names_are_sent_todays_wins_and_both_are_read_back(approle: Any) -> None:
    approle.write("role/r", policies="x", token_policies="y")
    role = approle.read("role/r")
    assert (role["policies"], role["token_policies"]) == (["y"], ["y"])


def test_whether_a_write_creates_or_changes_a_role_can_be_asked(approle: Any) -> None:
    assert not approle.exists("role/r")
    approle.write("role/r")
    assert approle.exists("role/r")
    assert not approle.exists("role/R")


def test_roles_are_listed_in_order_and_in_parts(approle: Any) -> None:
    with pytest.raises(NotFound) as caught:
        approle.keys("role")
    assert caught.value.messages == ()
    for name in ("c", "a", "b"):
        approle.write(f"role/{name}")
    assert approle.keys("role") == ["a", "b", "c"]
    assert approle.keys("role", after="a", limit=1) == ["b"]
    assert approle.keys("role", limit=-1) == ["a", "b", "c"]


def test_a_deleted_role_is_gone_with_everything_that_belongs_to_it(approle: Any) -> None:
    approle.write("role/other")
    before = approle.snapshot()
    approle.write("role/r")
    approle.write("role/r/secret-id")
    approle.write("role/r/secret-id/destroy", secret_id="x")
    approle.delete("role/r")
    approle.delete("role/r")
    with pytest.raises(NotFound):
        approle.read("role/r")
    assert approle.snapshot() == before


def test_of_a_role_with_many_secret_ids_a_deletion_leaves_most_for_later(
    approle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_id, "REMOVED_AT_ONCE", 5)
    approle.write("role/other")
    approle.write("role/other/secret-id")
    before = approle.snapshot()
    approle.write("role/r")
    for _ in range(10):
        approle.write("role/r/secret-id")
    approle.write("role/r/secret-id/destroy", secret_id="x")
    held = len(approle.snapshot())
    approle.delete("role/r")
    assert len(approle.snapshot()) == held - 2 - 5 + 1, "the role, its ID, five records; and the note of the others"
    assert not approle.exists("role/r")
    approle.write("role/r")
    with pytest.raises(NotFound):
        approle.keys("role/r/secret-id")
    approle.delete("role/r")
    steps = 0
    while approle.in_transaction("", Operation.UPDATE, lambda context: AppRole().remove_left(context.storage, 4)):
        steps += 1
    assert steps == 5, "of the other 16 four in each, and then it is seen that there are no more"
    assert approle.snapshot() == before


def test_a_missing_role_reads_as_nothing(approle: Any) -> None:
    for path in ("role/nope", "role/nope/role-id", "role/nope/policies", "role/nope/local-secret-ids"):
        with pytest.raises(NotFound) as caught:
            approle.read(path)
        assert caught.value.messages == ()


@pytest.mark.parametrize("name", ["R", "a b", "ａ", "a\u200b"])
def test_a_name_that_is_not_canonical_is_refused_and_changes_nothing(approle: Any, name: str) -> None:
    approle.write("role/r")
    before = approle.snapshot()
    for suffix in ("", "/policies", "/role-id", "/secret-id"):
        with pytest.raises(InvalidRequest, match="role name"):
            approle.write(f"role/{name}{suffix}", token_policies="a", role_id="x")
    for suffix in ("", "/policies"):
        with pytest.raises(InvalidRequest, match="role name"):
            approle.read(f"role/{name}{suffix}")
        with pytest.raises(InvalidRequest, match="role name"):
            approle.delete(f"role/{name}{suffix}")
    assert approle.snapshot() == before


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"secret_id_num_uses": -3}, "secret_id_num_uses cannot be negative"),
        ({"secret_id_ttl": -3}, "secret_id_ttl cannot be negative"),
        ({"bind_secret_id": False}, "at least one constraint"),
        ({"secret_id_bound_cidrs": "nonsense"}, "field 'secret_id_bound_cidrs' must hold"),
        ({"bound_cidr_list": "nonsense"}, "field 'secret_id_bound_cidrs' must hold"),
        ({"policies": "root"}, "root"),
        ({"period": -1}, "'token_period' cannot be negative"),
        ({"role_id": ""}, "missing role_id"),
        ({"role_id": "x" * 4097}, "at most 4096"),
        ({"role_id": "a\0b"}, "without NUL"),
        ({"role_id": "\ud800"}, "without NUL"),
        ({"token_ttl": 100, "token_max_ttl": 50}, "cannot be greater"),
    ],
)
def test_a_role_that_makes_no_sense_is_refused_and_nothing_changes(
    approle: Any, fields: dict[str, Any], text: str
) -> None:
    approle.write("role/r")
    before = approle.snapshot()
    for name in ("r", "new"):
        with pytest.raises(InvalidRequest, match=text):
            approle.write(f"role/{name}", **fields)
    assert approle.snapshot() == before


@pytest.mark.parametrize("constraint", [{"secret_id_bound_cidrs": "10.0.0.0/8"}, {"token_bound_cidrs": "10.0.0.0/8"}])
def test_a_role_needs_one_constraint_and_any_of_them_will_do(approle: Any, constraint: dict[str, Any]) -> None:
    approle.write("role/r", bind_secret_id=False, **constraint)
    (name,) = constraint
    with pytest.raises(InvalidRequest, match="at least one constraint"):
        approle.delete(f"role/r/{name.replace('_', '-')}")
    assert approle.read("role/r")[name] == ["10.0.0.0/8"]


def test_local_secret_ids_are_decided_at_creation(approle: Any) -> None:
    approle.write("role/r", local_secret_ids=True)
    approle.write("role/r", local_secret_ids=True)
    with pytest.raises(InvalidRequest, match="only be modified during role creation"):
        approle.write("role/r", local_secret_ids=False)
    assert approle.read("role/r/local-secret-ids") == {"local_secret_ids": True}
    for operation in (Operation.UPDATE, Operation.DELETE):
        with pytest.raises(UnsupportedOperation):
            approle.call(operation, "role/r/local-secret-ids", {})


def test_a_role_id_is_random_until_one_is_chosen(approle: Any) -> None:
    approle.write("role/a")
    approle.write("role/b")
    first, second = approle.read("role/a/role-id")["role_id"], approle.read("role/b/role-id")["role_id"]
    assert first != second
    assert len(first) == 36
    approle.write("role/a/role-id", role_id="mine")
    assert approle.read("role/a/role-id") == {"role_id": "mine"}


def test_a_role_id_belongs_to_one_role_and_is_free_again_once_it_was_given_up(approle: Any) -> None:
    approle.write("role/a", role_id="mine")
    before = approle.snapshot()
    for path in ("role/b", "role/a2"):
        with pytest.raises(InvalidRequest, match="role_id already in use"):
            approle.write(path, role_id="mine")
    assert approle.snapshot() == before
    approle.write("role/a/role-id", role_id="other")
    approle.write("role/b", role_id="mine")
    approle.delete("role/a")
    approle.write("role/c", role_id="other")
    with pytest.raises(InvalidRequest, match="role_id already in use"):
        approle.write("role/b/role-id", role_id="other")


def test_a_role_id_write_needs_a_role_id_and_a_role(approle: Any) -> None:
    approle.write("role/r")
    with pytest.raises(InvalidRequest, match="missing role_id"):
        approle.write("role/r/role-id")
    with pytest.raises(NotFound, match="does not exist"):
        approle.write("role/nope/role-id", role_id="x")


SINGLE: list[tuple[str, str, Any, Any, Any]] = [
    ("policies", "token_policies", "b,A,a", ["a", "b"], []),
    ("bound-cidr-list", "bound_cidr_list", "10.0.0.0/8", ["10.0.0.0/8"], None),
    ("secret-id-bound-cidrs", "secret_id_bound_cidrs", ["10.0.0.0/8"], ["10.0.0.0/8"], None),
    ("token-bound-cidrs", "token_bound_cidrs", "10.0.0.1,10.1.0.0/16", ["10.0.0.1", "10.1.0.0/16"], None),
    ("secret-id-num-uses", "secret_id_num_uses", 4, 4, 0),
    ("secret-id-ttl", "secret_id_ttl", "1h", 3600, 0),
    ("period", "token_period", "60", 60, 0),
    ("token-num-uses", "token_num_uses", 5, 5, 0),
    ("token-ttl", "token_ttl", "1h", 3600, 0),
    ("token-max-ttl", "token_max_ttl", 7200, 7200, 0),
]


@pytest.mark.parametrize(("segment", "field", "sent", "kept", "cleared"), SINGLE)
def test_each_field_has_a_path_of_its_own(
    approle: Any, segment: str, field: str, sent: Any, kept: Any, cleared: Any
) -> None:
    approle.write("role/r")
    path = f"role/r/{segment}"
    assert approle.read(path) == {field: cleared}
    approle.write(path, **{field: sent})
    assert approle.read(path) == {field: kept}
    whole = "secret_id_bound_cidrs" if field == "bound_cidr_list" else field
    assert approle.read("role/r") == UNSET | {whole: kept}
    approle.delete(path)
    assert approle.read(path) == {field: cleared}
    assert approle.read("role/r") == UNSET


@pytest.mark.parametrize(("segment", "field", "sent"), [(row[0], row[1], row[2]) for row in SINGLE])
def test_a_field_of_a_missing_role_cannot_be_written_and_need_not_be_cleared(
    approle: Any, segment: str, field: str, sent: Any
) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        approle.write(f"role/nope/{segment}", **{field: sent})
    approle.delete(f"role/nope/{segment}")
    assert approle.snapshot() == {}


@pytest.mark.parametrize(
    ("segment", "field"),
    [
        ("policies", "token_policies"),
        ("bind-secret-id", "bind_secret_id"),
        ("secret-id-num-uses", "secret_id_num_uses"),
        ("secret-id-ttl", "secret_id_ttl"),
        ("period", "token_period"),
        ("token-num-uses", "token_num_uses"),
        ("token-ttl", "token_ttl"),
        ("token-max-ttl", "token_max_ttl"),
    ],
)
def test_an_empty_write_of_one_field_says_which_is_missing(approle: Any, segment: str, field: str) -> None:
    approle.write("role/r")
    with pytest.raises(InvalidRequest, match=f"missing {field}"):
        approle.write(f"role/r/{segment}")


@pytest.mark.parametrize("segment", ["bound-cidr-list", "secret-id-bound-cidrs", "token-bound-cidrs"])
def test_an_empty_write_of_blocks_clears_them(approle: Any, segment: str) -> None:
    field = segment.replace("-", "_")
    approle.write("role/r", **{field: "10.0.0.0/8"})
    approle.write(f"role/r/{segment}")
    assert approle.read(f"role/r/{segment}") == {field: None}


def test_bind_secret_id_has_a_path_of_its_own(approle: Any) -> None:
    approle.write("role/r", secret_id_bound_cidrs="10.0.0.0/8")
    approle.write("role/r/bind-secret-id", bind_secret_id=False)
    assert approle.read("role/r/bind-secret-id") == {"bind_secret_id": False}
    approle.delete("role/r/bind-secret-id")
    assert approle.read("role/r/bind-secret-id") == {"bind_secret_id": True}


def test_the_paths_of_policies_and_period_take_the_older_names_too(approle: Any) -> None:
    approle.write("role/r")
    approle.write("role/r/policies", policies="z")
    assert approle.read("role/r/policies") == {"policies": ["z"], "token_policies": ["z"]}
    approle.write("role/r/period", period=60)
    assert approle.read("role/r/period") == {"period": 60, "token_period": 60}
    approle.delete("role/r/period")
    assert approle.read("role/r/period") == {"token_period": 0}


def test_the_older_name_of_the_bound_cidrs_answers_with_a_warning(approle: Any) -> None:
    approle.write("role/r")
    response = approle.call(Operation.READ, "role/r/bound-cidr-list", {})
    assert "deprecated" in response.warnings[0]


def test_one_field_is_judged_together_with_the_rest_of_the_role(approle: Any) -> None:
    approle.write("role/r", token_max_ttl=50)
    with pytest.raises(InvalidRequest, match="cannot be greater"):
        approle.write("role/r/token-ttl", token_ttl=100)
    with pytest.raises(InvalidRequest, match="'token_num_uses' cannot be negative"):
        approle.write("role/r/token-num-uses", token_num_uses=-5)


def test_an_adjusted_token_type_is_told(approle: Any) -> None:
    approle.write("role/r", token_type="default-batch")
    assert approle.warnings == ["default-batch has no useful meaning; adjusting to batch"]
    assert approle.read("role/r")["token_type"] == "batch"
