from __future__ import annotations

import threading
from typing import Any, cast

from strongroom.cli.run_sources import Gathered
from strongroom.cli.run_watch import Watch
from strongroom.client.client import Client
from strongroom.client.errors import ApiError, ConnectionFailed
from strongroom.delivery.environment import Source, Variable
from strongroom.delivery.schedule import Schedule
from strongroom.logical.ambient import SystemEntropy
from strongroom.logical.secret import Secret


class Vault:
    """A client whose server has one secret, and days on which it says no or nothing."""

    def __init__(self) -> None:
        self.version = 1
        self.failures: list[Exception] = []
        self.asked = 0
        self.reads = 0

    def read(self, path: str) -> dict[str, Any]:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return {"data": {"current_version": self.version}}

    def everything(self, client: Client) -> tuple[Gathered, list[Variable]]:
        self.reads += 1
        value = f"CANARY-{self.version}"
        gathered = Gathered([Source("s", {"A": value})], {"secret/metadata/a": self.version}, unversioned=False)
        return gathered, [Variable("A", "s", Secret(value))]


def watched(vault: Vault, ends_with: str) -> tuple[list[str], list[str]]:
    """The values that were delivered and the sentences that were said until ``ends_with`` was one of them."""
    values: list[str] = []
    told: list[str] = []
    over = threading.Event()

    def note(where: list[str], what: str) -> None:
        where.append(what)
        if ends_with in what:
            over.set()

    watch = Watch(
        cast("Client", vault),
        vault.everything,
        vault.everything(cast("Client", vault)),
        Schedule(0.01, SystemEntropy()),
        lambda variables: note(values, variables[0].value.reveal()),
        lambda text: note(told, text),
    )
    if ends_with.startswith("CANARY"):
        vault.version = int(ends_with.rpartition("-")[2])
    watch.start()
    assert over.wait(60)
    watch.stop()
    return values, told


def test_a_change_is_delivered_once() -> None:
    assert watched(Vault(), "CANARY-2") == (["CANARY-2"], [])


def test_nothing_is_read_while_the_version_is_the_same() -> None:
    vault = Vault()
    vault.failures = [ConnectionFailed("gone")]
    watched(vault, "secrets can be read again")
    assert vault.reads == 1


def test_a_server_that_is_away_changes_nothing_and_is_told_once() -> None:
    vault = Vault()
    vault.failures = [ConnectionFailed("gone"), ConnectionFailed("gone"), ApiError(503, "GET", "u", b"", None)]
    values, told = watched(vault, "secrets can be read again")
    assert values == []
    assert told == [
        "secrets cannot be read, so the program goes on with those it has: gone",
        "secrets can be read again",
    ]


def test_whoever_may_not_see_the_metadata_has_the_values_read() -> None:
    vault = Vault()
    vault.failures = [ApiError(403, "GET", "u", b"", None)]
    assert watched(vault, "CANARY-3") == (["CANARY-3"], [])
    assert vault.asked == 1
