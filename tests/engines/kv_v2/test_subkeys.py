from __future__ import annotations

from typing import Any

import pytest
from tests.engines.harness import START_NS, MountedEngine

from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation

START = rfc3339(START_NS)
CANARY = "CANARY-7f3a"


def test_subkeys_show_the_structure_without_values(kv2: MountedEngine) -> None:
    data = {"a": CANARY, "b": {"c": 2, "d": [1, {"q": CANARY}], "g": {"h": {"i": 1}}}, "e": None, "f": {}, "z": ""}
    kv2.update("data/app", data=data)

    response = kv2.call(Operation.READ, "subkeys/app")

    assert response is not None
    assert response.returned_keys == ()
    assert response.data is not None
    assert response.data["subkeys"] == {
        "a": None,
        "b": {"c": None, "d": None, "g": {"h": {"i": None}}},
        "e": None,
        "f": None,
        "z": None,
    }
    assert response.data["metadata"]["version"] == 1


@pytest.mark.parametrize(
    ("depth", "shown"),
    [
        (0, {"b": {"g": {"h": None}}}),
        (1, {"b": None}),
        ("2", {"b": {"g": None}}),
        (3, {"b": {"g": {"h": None}}}),
        (9, {"b": {"g": {"h": None}}}),
    ],
)
def test_subkeys_stop_at_the_depth(kv2: MountedEngine, depth: object, shown: dict[str, Any]) -> None:
    kv2.update("data/app", data={"b": {"g": {"h": 1}}})

    assert kv2.read("subkeys/app", depth=depth)["subkeys"] == shown


def test_subkeys_of_a_deleted_version_are_not_found_with_its_metadata(kv2: MountedEngine) -> None:
    kv2.update("data/app", data={"a": 1})
    kv2.delete("data/app")

    with pytest.raises(NotFound) as caught:
        kv2.read("subkeys/app")
    assert caught.value.data is not None
    assert caught.value.data["subkeys"] is None
    assert caught.value.data["metadata"]["deletion_time"] == START


@pytest.mark.parametrize("depth", [-1, "x", 1.5])
def test_a_depth_that_makes_no_sense_is_refused(kv2: MountedEngine, depth: object) -> None:
    kv2.update("data/app", data={"a": 1})

    with pytest.raises(InvalidRequest):
        kv2.read("subkeys/app", depth=depth)
