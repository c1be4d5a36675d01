from __future__ import annotations

import pytest
from tests.core.conftest import Scene

from strongroom.barrier.barrier import Barrier
from strongroom.core.batch import Alarms
from strongroom.core.sweeper import Sweeper
from strongroom.core.term_rotation import rotate_due_terms
from strongroom.mounts.table import EPOCH_KEY
from strongroom.system.rotation_rules import RotationRules, put_rotation_rules

DAY = 24 * 3600


def terms(scene: Scene) -> dict[int, int]:
    statuses = scene.node.require().barrier.key_statuses()
    return {keyring: status.term for keyring, status in statuses.items()}


def rule(scene: Scene, rules: RotationRules) -> None:
    barrier: Barrier = scene.node.require().barrier
    with barrier.transaction() as transaction:
        put_rotation_rules(transaction, rules)
        barrier.commit(transaction)


def epoch(scene: Scene) -> int | None:
    with scene.node.require().barrier.transaction() as transaction:
        return transaction.version(EPOCH_KEY)


def test_without_rules_no_term_ends_by_its_age(scene: Scene) -> None:
    scene.clock.jump(10_000 * DAY)
    assert rotate_due_terms(scene.node.require()) == 0
    assert set(terms(scene).values()) == {1}


def test_a_term_ends_with_its_interval_in_every_keyring_and_is_new_after_that(scene: Scene) -> None:
    assert scene.post("sys/environments/prod", {"rank": 20}).status == 204
    assert scene.post("sys/rotate/config", {"interval": "48h"}).status == 204
    scene.clock.jump(2 * DAY - 1)
    assert rotate_due_terms(scene.node.require()) == 0
    scene.clock.jump(1)
    before = epoch(scene)
    assert len(terms(scene)) == 2
    assert rotate_due_terms(scene.node.require()) == 2
    assert set(terms(scene).values()) == {2}
    assert epoch(scene) != before, "the other processes of the server have not heard of it"
    assert rotate_due_terms(scene.node.require()) == 0


def test_only_the_keyring_that_is_due_gets_a_new_term(scene: Scene) -> None:
    assert scene.post("sys/rotate/config", {"interval": "48h"}).status == 204
    scene.clock.jump(DAY)
    assert scene.post("sys/environments/prod", {"rank": 20}).status == 204
    scene.clock.jump(DAY)
    assert rotate_due_terms(scene.node.require()) == 1
    assert sorted(terms(scene).values()) == [1, 2]


def test_a_term_ends_with_its_number_of_encryptions(scene: Scene) -> None:
    used = scene.node.require().barrier.key_status().encryptions
    rule(scene, RotationRules(max_operations=used + 50))
    assert rotate_due_terms(scene.node.require()) == 0
    for number in range(50):
        assert scene.post(f"cubbyhole/{number}", {"a": "b"}).status == 204
    assert rotate_due_terms(scene.node.require()) == 1
    assert set(terms(scene).values()) == {2}


@pytest.mark.parametrize(
    ("rules", "age", "encryptions", "is_due"),
    [
        (RotationRules(), 1e12, 2**31, False),
        (RotationRules(interval_seconds=10), 9.9, 0, False),
        (RotationRules(interval_seconds=10), 10, 0, True),
        (RotationRules(interval_seconds=10), -5, 0, False),
        (RotationRules(max_operations=10), 1e12, 9, False),
        (RotationRules(max_operations=10), 0, 10, True),
        (RotationRules(max_operations=10, interval_seconds=10, enabled=False), 10, 10, False),
    ],
)
def test_rules_say_whether_a_term_is_due(rules: RotationRules, age: float, encryptions: int, *, is_due: bool) -> None:
    assert rules.is_due(age_seconds=age, encryptions=encryptions) is is_due


def test_the_sweeper_rotates_what_is_due_and_what_was_written_before_still_opens(scene: Scene) -> None:
    assert scene.post("cubbyhole/a", {"k": "v"}).status == 204
    assert scene.post("sys/rotate/config", {"interval": "24h"}).status == 204
    scene.clock.jump(DAY)
    failures: list[Exception] = []
    Sweeper(scene.node, Alarms(failures.append, lambda: None)).sweep()
    assert set(terms(scene).values()) == {2}
    assert scene.get("cubbyhole/a").data == {"k": "v"}
    assert failures == []
