"""Writes that cross, in one process and in two, and what a process knows of what another listed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.conftest import FaultyStore
from tests.core.reusing import VALUE, is_refused, put, vault_of_three
from tests.kit import SeededEntropy, Vault
from tests.processes import Result

from strongroom.environments.listed import AREA, PART_ENTRIES


@pytest.fixture
def vault() -> Vault:
    return vault_of_three()


def beside(vault: Vault) -> Vault:
    """What another process is that serves the same vault."""
    other = Vault(store=vault.store, entropy=SeededEntropy("another"), clock=vault.clock, is_unsealed=False)
    other.shares, other.root = vault.shares, vault.root
    other.unseal()
    listed = other.node.require().listed
    listed._digit = "0" if listed._digit == "f" else "f"
    listed._end = f"{AREA}{listed._digit}/end"
    return other


def test_what_was_listed_is_known_after_a_seal_and_in_another_process(vault: Vault) -> None:
    for number in range(PART_ENTRIES + 5):
        put(vault, f"prod/{number}", f"value-number-{number}")
    vault.node.seal()
    vault.unseal()
    other = beside(vault)
    for number in (0, PART_ENTRIES - 1, PART_ENTRIES, PART_ENTRIES + 4):
        assert is_refused(put(vault, "dev/a", f"value-number-{number}"))
        assert is_refused(put(other, "dev/a", f"value-number-{number}"))
    for one, another in ((vault, other), (other, vault)):
        put(one, "prod/later", VALUE)
        assert is_refused(put(another, "dev/a", VALUE))
        assert is_refused(put(one, "dev/a", VALUE))
        one.delete("prod/later")
        assert not is_refused(put(another, "dev/a", VALUE))
        another.delete("dev/a")


def test_of_two_processes_whose_writes_cross_the_lower_one_is_refused_where_it_is_second(vault: Vault) -> None:
    other = beside(vault)
    put(other, "prod/app", VALUE)
    other.delete("prod/app")  # so it is listed already
    for path, value in (
        ("prod2/app", "value-one"),
        ("prod/app", "value-two"),
        ("stage/app", "value-three"),
        ("prod2/new", VALUE),
    ):
        below, above = crossing(vault, ("dev2/app", value), (path, value), other)
        assert above.status in {200, 204}
        assert is_refused(below)
        assert vault.get("dev2/data/app").status == 404


def crossing(
    vault: Vault, slower: tuple[str, Any], faster: tuple[str, Any], other: Vault | None = None
) -> tuple[Result, Result]:
    """Both writes, the second committed between the reads and the commit of the first, perhaps in another process."""
    done: list[Result] = []
    assert isinstance(vault.store, FaultyStore)
    store = vault.store

    def between() -> None:
        store.before_commit = lambda: None
        done.append(put(other or vault, *faster))

    store.before_commit = between
    return put(vault, *slower), done[0]


def test_of_two_writes_that_cross_the_lower_one_is_refused_where_it_is_second(vault: Vault) -> None:
    below, above = crossing(vault, ("dev2/app", VALUE), ("prod2/app", VALUE))
    assert above.status == 200
    assert is_refused(below)
    assert vault.get("dev2/data/app").status == 404


def test_of_two_writes_that_cross_the_upper_one_is_warned_where_it_is_second(vault: Vault) -> None:
    above, below = crossing(vault, ("stage/app", VALUE), ("dev/app", VALUE))
    assert (above.status, below.status) == (200, 204) or (above.status, below.status) == (204, 204)


def test_two_writes_above_that_cross_are_both_listed(vault: Vault) -> None:
    crossing(vault, ("prod/a", VALUE), ("prod2/b", VALUE))
    vault.delete("prod/a")
    assert is_refused(put(vault, "dev/a", VALUE))
