from __future__ import annotations

from typing import Any

import pytest
from tests.engines.harness import START_NS, MountedEngine

from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation


def states(kv2: MountedEngine, path: str = "app") -> dict[str, tuple[bool, bool]]:
    """By version: whether it has a deletion time, and whether it was destroyed."""
    versions: dict[str, dict[str, Any]] = kv2.read(f"metadata/{path}")["versions"]
    return {number: (version["deletion_time"] != "", version["destroyed"]) for number, version in versions.items()}


def written(kv2: MountedEngine, count: int) -> None:
    for number in range(1, count + 1):
        kv2.update("data/app", data={"n": number})


@pytest.mark.parametrize(
    "versions",
    [[1, 3], ["1", "3"], "1,3", [3, 1, 3, 99, -1, 0]],
    ids=["numbers", "texts", "commas", "strays"],
)
def test_versions_are_deleted_and_restored_by_number(kv2: MountedEngine, versions: object) -> None:
    written(kv2, 3)

    assert kv2.update("delete/app", versions=versions) is None
    assert states(kv2) == {"1": (True, False), "2": (False, False), "3": (True, False)}
    with pytest.raises(NotFound):
        kv2.read("data/app", version=1)

    assert kv2.update("undelete/app", versions=versions) is None
    assert states(kv2) == {"1": (False, False), "2": (False, False), "3": (False, False)}
    assert kv2.read("data/app", version=1)["data"] == {"n": 1}


def test_a_destroyed_version_is_gone_for_good(kv2: MountedEngine) -> None:
    written(kv2, 2)

    assert kv2.update("destroy/app", versions=[1]) is None
    kv2.update("destroy/app", versions=[1])
    kv2.update("undelete/app", versions=[1])

    assert states(kv2) == {"1": (False, True), "2": (False, False)}
    assert sorted(kv2.storage.records) == ["metadata/app", "versions/app/2"]
    with pytest.raises(NotFound) as caught:
        kv2.read("data/app", version=1)
    assert caught.value.data is not None
    assert caught.value.data["data"] is None
    assert caught.value.data["metadata"]["destroyed"] is True


def test_a_destroyed_newest_version_cannot_be_deleted(kv2: MountedEngine) -> None:
    written(kv2, 1)
    kv2.update("destroy/app", versions=[1])

    kv2.delete("data/app")
    kv2.update("delete/app", versions=[1])

    assert states(kv2) == {"1": (False, True)}


@pytest.mark.parametrize("endpoint", ["delete", "undelete", "destroy"])
def test_versions_of_a_secret_that_is_not_there_are_passed_over(kv2: MountedEngine, endpoint: str) -> None:
    assert kv2.update(f"{endpoint}/app", versions=[1]) is None
    assert kv2.storage.records == {}


@pytest.mark.parametrize("endpoint", ["delete", "undelete", "destroy"])
@pytest.mark.parametrize(
    "body",
    [{}, {"versions": []}, {"versions": None}, {"versions": "x"}, {"versions": ["1", "x"]}, {"versions": [1.5]}],
    ids=str,
)
def test_versions_must_be_named_by_number(kv2: MountedEngine, endpoint: str, body: dict[str, Any]) -> None:
    written(kv2, 1)

    with pytest.raises(InvalidRequest):
        kv2.call(Operation.UPDATE, f"{endpoint}/app", body)
    assert states(kv2) == {"1": (False, False)}


def test_versions_beyond_the_limit_are_removed(kv2: MountedEngine) -> None:
    written(kv2, 12)

    metadata = kv2.read("metadata/app")
    assert list(metadata["versions"]) == [str(number) for number in range(3, 13)]
    assert metadata["oldest_version"] == 3
    assert metadata["current_version"] == 12
    assert sorted(kv2.storage.records) == sorted(["metadata/app", *(f"versions/app/{n}" for n in range(3, 13))])
    with pytest.raises(NotFound) as caught:
        kv2.read("data/app", version=2)
    assert caught.value.data is None


def test_the_oldest_version_is_zero_until_the_limit_is_reached(kv2: MountedEngine) -> None:
    written(kv2, 9)
    assert kv2.read("metadata/app")["oldest_version"] == 0

    written(kv2, 1)
    assert kv2.read("metadata/app")["oldest_version"] == 1


@pytest.mark.parametrize(
    ("mount", "secret", "kept"),
    [(0, 0, 10), (3, 0, 3), (0, 2, 2), (2, 3, 3), (3, 2, 3), (12, 1, 12)],
)
def test_the_larger_of_the_two_limits_counts(kv2: MountedEngine, mount: int, secret: int, kept: int) -> None:
    kv2.update("config", max_versions=mount)
    kv2.update("metadata/app", max_versions=secret)

    written(kv2, 13)

    assert len(kv2.read("metadata/app")["versions"]) == kept


def test_a_lower_limit_holds_from_the_next_write_on(kv2: MountedEngine) -> None:
    written(kv2, 5)
    kv2.update("metadata/app", max_versions=2)
    assert len(states(kv2)) == 5

    kv2.update("data/app", data={"n": 6})

    assert list(states(kv2)) == ["5", "6"]
    assert sorted(kv2.storage.records) == ["metadata/app", "versions/app/5", "versions/app/6"]
    assert kv2.fingerprints.known == {"app": [{"n": number} for number in range(1, 7)]}


def test_a_raised_limit_keeps_what_is_there(kv2: MountedEngine) -> None:
    written(kv2, 12)
    kv2.update("metadata/app", max_versions=20)
    written(kv2, 12)

    metadata = kv2.read("metadata/app")
    assert metadata["oldest_version"] == 5
    assert len(metadata["versions"]) == 20


@pytest.mark.parametrize(
    ("mount", "secret", "seconds"),
    [
        ("0", "0", None),
        ("0", "2h", 7200),
        ("1h", "0", 3600),
        ("1h", "2h", 3600),
        ("1h", "30m", 1800),
        ("-1s", "30m", None),
        ("-1h", "0", None),
    ],
)
def test_the_shorter_of_the_two_lifetimes_counts(
    kv2: MountedEngine, mount: str, secret: str, seconds: int | None
) -> None:
    kv2.update("config", delete_version_after=mount)
    kv2.update("metadata/app", delete_version_after=secret)

    answer = kv2.update("data/app", data={"n": 1})

    assert answer is not None
    expected = "" if seconds is None else rfc3339(START_NS + seconds * 1_000_000_000)
    assert answer["deletion_time"] == expected
    if seconds is not None:
        kv2.clock.jump(seconds - 0.001)
        assert kv2.read("data/app")["metadata"]["deletion_time"] == expected
        kv2.clock.jump(0.001)
        with pytest.raises(NotFound) as caught:
            kv2.read("data/app")
        assert caught.value.data is not None
        assert caught.value.data["metadata"]["deletion_time"] == expected


def test_a_restored_version_lives_as_long_as_a_new_one(kv2: MountedEngine) -> None:
    kv2.update("config", delete_version_after="1h")
    written(kv2, 1)
    kv2.clock.jump(7200)

    kv2.update("undelete/app", versions=[1])

    assert kv2.read("data/app")["metadata"]["deletion_time"] == rfc3339(START_NS + 10_800_000_000_000)
    kv2.clock.jump(3600)
    with pytest.raises(NotFound):
        kv2.read("data/app")
    kv2.update("config", delete_version_after=0)
    kv2.update("undelete/app", versions=[1])
    assert kv2.read("data/app")["metadata"]["deletion_time"] == ""


def test_deleting_a_version_that_would_expire_later_deletes_it_now(kv2: MountedEngine) -> None:
    kv2.update("config", delete_version_after="1h")
    written(kv2, 1)

    kv2.delete("data/app")

    assert kv2.read("metadata/app")["versions"]["1"]["deletion_time"] == rfc3339(START_NS)


def test_a_changed_lifetime_leaves_written_versions_alone(kv2: MountedEngine) -> None:
    written(kv2, 1)
    kv2.update("config", delete_version_after="1h")
    written(kv2, 1)

    assert states(kv2) == {"1": (False, False), "2": (True, False)}


def test_fingerprints_outlive_their_version_and_go_with_the_secret(kv2: MountedEngine) -> None:
    written(kv2, 2)
    kv2.patch("data/app", data={"m": 1})
    everything = {"app": [{"n": 1}, {"n": 2}, {"n": 2, "m": 1}]}
    assert kv2.fingerprints.known == everything

    kv2.update("delete/app", versions=[1, 2, 3])
    kv2.update("destroy/app", versions=[2])
    assert kv2.fingerprints.known == everything
    kv2.delete("metadata/app")
    assert kv2.fingerprints.known == {"app": [{"n": 2}]}
