from __future__ import annotations

import threading

import pytest
from tests.core.conftest import Scene

from strongroom.core.batch import Alarms
from strongroom.core.fingerprints import sweep_unmounted
from strongroom.core.sweeper import TOKENS_PER_STEP, Sweeper
from strongroom.crypto.aead import Damaged
from strongroom.physical.store import Conflict, Full, Unknown
from strongroom.system.unsealed import Unsealed


def sweeper(scene: Scene, failures: list[Exception], *, interval: float = 0.001) -> Sweeper:
    return Sweeper(scene.node, Alarms(failures.append, lambda: None), interval_seconds=interval)


def test_a_round_removes_what_expired_and_says_how_many(scene: Scene) -> None:
    for _ in range(3):
        scene.token_for("default", ttl="1h")
    lasting = scene.token_for("default", ttl="2h")
    scene.clock.jump(3600)
    assert sweeper(scene, []).sweep() == 3
    assert sweeper(scene, []).sweep() == 0
    assert scene.get("auth/token/lookup-self", token=lasting).status == 200


def test_a_round_removes_what_is_left_of_a_revoked_tree_in_several_commits(scene: Scene) -> None:
    parent = scene.token_for("root")
    children = [
        scene.post("auth/token/create", {"policies": ["default"]}, token=parent).auth["client_token"]
        for _ in range(2 * TOKENS_PER_STEP)
    ]
    before = scene.faults.commits
    assert scene.post("auth/token/revoke-self", token=parent).status == 204
    assert scene.faults.commits == before + 1
    assert scene.get("auth/token/lookup-self", token=children[-1]).status == 403

    sweeper(scene, [], interval=600).sweep()

    assert scene.faults.commits >= before + 3
    with scene.node.require().barrier.transaction() as transaction:
        left = list(transaction.scan("core/token/"))
        assert not [key for key in left if key.startswith(("core/token/child/", "core/token/doomed"))]
        assert len([key for key in left if key.startswith("core/token/id/")]) == 1  # the root token
    assert sweeper(scene, [], interval=600).sweep() == 0


def test_what_was_interrupted_goes_on_in_the_next_round(scene: Scene) -> None:
    parent = scene.token_for("root")
    for _ in range(2 * TOKENS_PER_STEP):
        scene.post("auth/token/create", {"policies": ["default"]}, token=parent)
    scene.post("auth/token/revoke-self", token=parent)
    commits = 0

    def fails_second() -> None:
        nonlocal commits
        commits += 1
        if commits == 2:
            raise Conflict

    scene.faults.before_commit = fails_second
    with pytest.raises(Conflict):
        sweeper(scene, [], interval=600).sweep()
    sweeper(scene, [], interval=600).sweep()
    with scene.node.require().barrier.transaction() as transaction:
        assert list(transaction.scan("core/token/child/")) == []


def test_a_sealed_vault_has_nothing_to_sweep(scene: Scene) -> None:
    scene.node.seal()
    assert sweeper(scene, []).sweep() == 0


def test_nothing_is_written_where_nothing_expired(scene: Scene) -> None:
    before = scene.faults.commits
    sweeper(scene, []).sweep()
    assert scene.faults.commits == before


@pytest.mark.parametrize(("failure", "is_told"), [(Conflict(), False), (Full("full"), True)], ids=["faster", "full"])
def test_the_thread_goes_on_after_what_it_could_not_do(scene: Scene, failure: Exception, *, is_told: bool) -> None:
    scene.token_for("default", ttl="1h")
    scene.clock.jump(3600)
    swept = threading.Event()
    attempts = 0

    def fails_first() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise failure
        swept.set()

    scene.faults.before_commit = fails_first
    told: list[Exception] = []
    thread = sweeper(scene, told)
    thread.start()
    assert swept.wait(30)
    thread.stop()
    assert (told == [failure]) is is_told


def test_a_sweeper_that_never_started_stops(scene: Scene) -> None:
    sweeper(scene, []).stop()


def test_an_unknown_outcome_is_an_alarm_and_no_mere_failure(scene: Scene) -> None:
    scene.token_for("default", ttl="1h")
    scene.clock.jump(3600)
    scene.faults.fail_once(Unknown("the disk failed"))
    alarmed = threading.Event()
    failures: list[Exception] = []
    thread = Sweeper(scene.node, Alarms(failures.append, alarmed.set), interval_seconds=0.001)
    thread.start()
    assert alarmed.wait(30)
    thread.stop()
    assert failures == []


def test_the_fingerprints_of_an_unmounted_engine_are_removed_a_part_at_a_time(scene: Scene) -> None:
    for path in ("gone", "staying"):
        scene.mount(path)
        for number in range(8):
            assert scene.post(f"{path}/secret-{number}", {"password": f"value {number}"}).status == 204
    before = fingerprints(scene)
    assert len(before) == 16
    commits = scene.faults.commits
    assert scene.delete("sys/mounts/gone").status == 204
    assert scene.faults.commits == commits + 1
    assert fingerprints(scene) == before, "the unmount itself does not wait for the index"
    seen = [len(fingerprints(scene)) for _ in range(4) if forget(scene, 5)]
    assert seen == sorted(seen, reverse=True)
    assert seen[0] > 8
    assert seen[-1] == 8
    assert not forget(scene, 5)
    sweeper(scene, []).sweep()
    commits = scene.faults.commits
    sweeper(scene, []).sweep()
    assert scene.faults.commits == commits, "there is nothing left to look for"
    assert all(scene.get(f"staying/secret-{number}").status == 200 for number in range(8))


def test_what_takes_many_steps_lets_a_round_that_is_due_come_first(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    thread = sweeper(scene, [], interval=30)

    def step(unsealed: Unsealed) -> bool:
        del unsealed
        done.append("step")
        scene.clock.jump(20)
        return len(done) < 5

    monkeypatch.setattr(thread, "_step", step)
    monkeypatch.setattr(thread._stopping, "wait", lambda seconds: done.append(f"rest {seconds:.0f}"))
    thread.sweep()
    assert done == ["step", "rest 20", "step", "rest 20"]
    assert thread._awake.is_set(), "the next round begins at once"
    thread._awake.clear()
    thread.sweep()
    assert done[4:] == ["step"], "what is done needs no rest and no further round"
    assert not thread._awake.is_set()


def test_damage_that_is_met_is_told_and_the_next_round_comes(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: list[Exception] = []
    thread, again, rounds = sweeper(scene, failures), threading.Event(), 0

    def round_() -> int:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise Damaged
        again.set()
        return 0

    monkeypatch.setattr(thread, "sweep", round_)
    thread.start()
    assert again.wait(30)
    thread.stop()
    assert [type(failure) for failure in failures] == [Damaged]


def forget(scene: Scene, rows: int) -> bool:
    """One step through the index."""
    barrier = scene.node.require().barrier
    with barrier.transaction() as transaction:
        has_more = sweep_unmounted(transaction, rows)
        barrier.commit(transaction)
    return has_more


def fingerprints(scene: Scene) -> list[str]:
    unsealed = scene.node.unsealed
    assert unsealed is not None
    with unsealed.barrier.transaction() as transaction:
        return list(transaction.scan("core/fingerprint/"))
