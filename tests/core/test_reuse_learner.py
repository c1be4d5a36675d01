from __future__ import annotations

import pytest
from tests.core.reusing import is_refused, put, vault_of_three
from tests.kit import Vault

from strongroom.core.batch import Alarms, answer_alone, answer_batch
from strongroom.core.reuse_learner import SHARE, ReuseLearner
from strongroom.crypto.aead import Damaged
from strongroom.environments import listed
from strongroom.environments.listed import ListedValues
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request
from strongroom.logical.secret import Secret

COUNT = 40


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Vault:
    """A vault whose process has just opened it and knows nothing yet, of many values above."""
    monkeypatch.setattr(listed, "PART_ENTRIES", 2)
    monkeypatch.setattr(listed, "FEW_PARTS", 3)
    monkeypatch.setattr("strongroom.core.reuse_learner.PARTS_PER_STEP", 2)
    made = vault_of_three()
    for number in range(COUNT):
        put(made, f"prod/{number}", f"value-number-{number}")
    forget(made)
    return made


def forget(vault: Vault) -> None:
    """As after an unseal."""
    object.__setattr__(vault.node.require(), "listed", ListedValues())


def parts_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Takes the size of each piece that is learned from now on."""
    read: list[int] = []
    remember = ListedValues._remember

    def noting(self: ListedValues, entries: bytes) -> None:
        read.append(len(entries))
        remember(self, entries)

    monkeypatch.setattr(ListedValues, "_remember", noting)
    return read


def learner_of(vault: Vault) -> ReuseLearner:
    return ReuseLearner(vault.node, vault.failures.append)


def write_below(vault: Vault, value: str) -> Request:
    return Request(id="1", operation=Operation.UPDATE, path="dev/app", body={"k": value}, token=Secret(vault.root))


def test_what_is_listed_is_learned_behind_the_requests_and_none_waits_for_it(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner_of(vault).round(lambda _: False)
    read = parts_read(monkeypatch)
    assert is_refused(put(vault, "dev/app", "value-number-7"))
    assert put(vault, "dev/app", "value-of-nobody").status == 204
    assert sum(read) <= 2 * 2 * listed.HALF, "nothing but the end of the list was left"


def test_it_rests_longer_than_it_learns_and_learns_nothing_twice(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    learner = learner_of(vault)

    def rest(seconds: float) -> bool:
        rests.append(seconds)
        return False

    learner.round(rest)
    assert len(rests) >= COUNT // 2 // 2 - 1
    assert SHARE < 0.5
    read = parts_read(monkeypatch)
    learner.round(lambda _: pytest.fail("it was learned"))
    assert not read


def test_a_process_that_judges_nothing_for_a_while_is_not_behind_when_it_does(vault: Vault) -> None:
    learner = learner_of(vault)
    learner.round(lambda _: False)
    for number in range(COUNT):
        put(vault, f"prod/later-{number}", f"later-number-{number}")
    learner.round(lambda _: False)
    (answer,) = answer_batch(
        vault.node.require(), [write_below(vault, "later-number-7")], Alarms(lambda _: None, lambda: None)
    )
    assert answer is not None, "it went to the pool"
    assert isinstance(answer.error, InvalidRequest)


def test_it_ends_when_it_is_told_to_and_the_rest_is_learned_by_whoever_asks(vault: Vault) -> None:
    learner_of(vault).round(lambda _: True)
    assert is_refused(put(vault, "dev/app", f"value-number-{COUNT - 1}"))


def test_a_write_that_comes_before_goes_to_the_pool_and_is_judged_by_everything(vault: Vault) -> None:
    unsealed, alarms = vault.node.require(), Alarms(lambda _: None, lambda: None)
    reading = Request(id="2", operation=Operation.READ, path="prod/1", token=Secret(vault.root))
    early, other = answer_batch(unsealed, [write_below(vault, "value-number-7"), reading], alarms)
    assert early is None
    assert other is not None
    assert other.error is None
    assert isinstance(answer_alone(unsealed, write_below(vault, "value-number-7"), alarms).error, InvalidRequest)
    (later,) = answer_batch(unsealed, [write_below(vault, "value-number-8")], alarms)
    assert later is not None
    assert isinstance(later.error, InvalidRequest)


def test_a_part_that_is_missing_refuses_what_asks(vault: Vault) -> None:
    with vault.node.require().barrier.transaction() as transaction:
        transaction.delete(f"{listed.AREA}0/{3:08x}")
        vault.node.require().barrier.commit(transaction)
    learner = learner_of(vault)
    with pytest.raises(Damaged):
        learner.round(lambda _: False)
    learner.round(lambda _: pytest.fail("it is told once"))
    assert put(vault, "dev/app", "value-of-nobody").status == 500
