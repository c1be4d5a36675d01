"""What a plug leaves to be removed goes behind the requests."""

from __future__ import annotations

import pytest
from tests.core.conftest import Scene

from strongroom.core import removal
from strongroom.core.batch import Alarms
from strongroom.core.removal import remove_left_in_mounts
from strongroom.core.sweeper import Sweeper


@pytest.fixture
def uuid(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> str:
    """That of an AppRole method with a role that is gone, of which more was left than goes in one step."""
    monkeypatch.setattr("strongroom.auth.approle.secret_id.REMOVED_AT_ONCE", 3)
    monkeypatch.setattr(removal, "ROWS_MAX", 4)
    scene.post("sys/auth/approle", {"type": "approle"})
    for role in ("web", "other"):
        scene.post(f"auth/approle/role/{role}", {})
        for _ in range(6):
            assert scene.post(f"auth/approle/role/{role}/secret-id", {}).status == 200
    assert scene.delete("auth/approle/role/web").status == 204
    found: str = scene.get("sys/auth/approle").data["uuid"]
    return found


def rows(scene: Scene, uuid: str, folder: str) -> list[str]:
    with scene.store.snapshot() as snapshot:
        return snapshot.keys(f"root/auth/{uuid}/{folder}")


def test_it_goes_in_steps_and_nothing_else_with_it(scene: Scene, uuid: str) -> None:
    assert len(rows(scene, uuid, "removed/")) == 1
    commits, steps = scene.faults.commits, 0
    while remove_left_in_mounts(scene.node.require()):
        steps += 1
    assert scene.faults.commits == commits + steps
    assert steps == 3, "of twelve rows three are gone, so nine are left"
    assert [len(rows(scene, uuid, folder)) for folder in ("removed/", "secret_id/", "accessor/")] == [0, 6, 6]
    assert len(scene.list("auth/approle/role/other/secret-id").data["keys"]) == 6


def test_a_round_of_the_sweeper_goes_to_the_end(scene: Scene, uuid: str) -> None:
    Sweeper(scene.node, Alarms(scene.failures.append, lambda: None)).sweep()
    assert rows(scene, uuid, "removed/") == []
    assert scene.failures == []


def test_it_goes_with_the_method_where_that_is_disabled(scene: Scene, uuid: str) -> None:
    scene.delete("sys/auth/approle")
    Sweeper(scene.node, Alarms(scene.failures.append, lambda: None)).sweep()
    assert rows(scene, uuid, "") == []
