"""What the first version of each format wrote, today's code reads: a whole vault, and an audit log, each with its verdicts.

A test that fails here means that a vault of a user would not be read any more, or be read otherwise. The files never change: a new
format gets a new file beside them.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.formats.audit_log import judge
from tests.formats.whole_vault import VECTORS, ask, reopen

from strongroom.core.inspector import Inspector
from strongroom.core.resealing import Resealing
from strongroom.crypto.fingerprint import fingerprint
from strongroom.physical.store import Unavailable
from strongroom.system import founding

VAULT: dict[str, Any] = json.loads((VECTORS / "whole_vault.json").read_text())
APART: dict[str, Any] = json.loads((VECTORS / "whole_vault_environments.json").read_text())
"""One with keyrings of environments, caught while rows were being sealed anew."""
either = pytest.mark.parametrize("frozen", [VAULT, APART], ids=["first", "environments"])
LOG: dict[str, Any] = json.loads((VECTORS / "audit_log.json").read_text())
AREA = "core/fingerprint/"
KEEP_IT_SHUT = {"barrier/root", "seal/root-key", "root/core/keyrings", *(f"barrier/keyring/{one}" for one in range(4))}
"""Rows without which there is no key, or nothing to compare the store with."""
_NEW = (
    "barrier/keyring/",
    "root/core/keyrings",
    "root/core/environment/",
    "root/core/resealing/",
    "root/core/override/",
)


def contains(found: Any, expected: Any) -> bool:
    """Whether all of ``expected`` is there. Answers may learn to say more."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return all(name in found and contains(found[name], value) for name, value in expected.items())
    return bool(found == expected and type(found) is type(expected))


@either
def test_the_frozen_vault_answers_as_it_did(frozen: dict[str, Any]) -> None:
    vault = reopen(frozen)
    vault.unseal()
    wrong = [
        (question["method"], question["path"], found, question["expect"])
        for question in frozen["answers"]
        if not contains(found := json.loads(json.dumps(ask(vault, question), default=float)), question["expect"])
    ]
    assert wrong == []
    assert vault.failures == []


@either
def test_the_frozen_vault_is_intact(frozen: dict[str, Any]) -> None:
    vault = reopen(frozen)
    vault.unseal()
    Inspector(vault.node, vault.failures.append).round(lambda _seconds: False)
    assert vault.get("sys/integrity").data["findings"] == []


def test_the_frozen_fingerprints_are_those_of_the_values() -> None:
    vault = reopen(VAULT)
    vault.unseal()
    assert vault.node.unsealed is not None
    with vault.node.unsealed.barrier.transaction() as transaction:
        key = founding.load(transaction).fingerprint_key
        rows = {row.removeprefix(AREA): transaction.get(row) for row in transaction.scan(AREA)}
    found = {}
    for row, version in rows.items():
        mark, _mount, *name = row.split("/")
        found[mark, "/".join(name)] = version
    assert found == {
        (fingerprint(key, value.encode()).hex(), name): version
        for value, name, version in (
            ("first", "password/app", b"1"),
            ("1.5", "number/app", b"1"),
            ("a", "deep/app", b"1"),
            ("moved", "password/app", b"1"),
            ("ß", "%C3%BCbung/team/app", b"1"),
            ("value 0", "password/team/app", b"1"),
            ("value 1", "password/team/app", b"2"),
            ("value 2", "password/team/app", b"3"),
            ("value 3", "password/team/app", b"4"),
        )
    }


@pytest.mark.parametrize("shares", [[], [0], [0, 0]])
def test_too_few_frozen_shares_do_not_open_it(shares: list[int]) -> None:
    vault = reopen(VAULT)
    for number in shares:
        vault.node.submit_unseal_share(VAULT["shares"][number])
    assert vault.node.unsealed is None


def test_what_the_frozen_vault_had_begun_is_finished() -> None:
    vault = reopen(APART)
    vault.unseal()
    resealing = Resealing(vault.node)
    while resealing.step(vault.node.require()):
        pass
    with vault.store.snapshot() as snapshot:
        assert snapshot.keys("barrier/keyring/") == [f"barrier/keyring/{number}" for number in (0, 1, 3)]
    assert vault.get("sys/environments/production").data["resealing"] == []
    assert vault.get("secret/data/team/app").data["data"]["password"] == "value 3"
    Inspector(vault.node, vault.failures.append).round(lambda _seconds: False)
    assert vault.get("sys/integrity").data["findings"] == []


_ROWS = [("first", row) for row in sorted(VAULT["rows"])]
_ROWS += [("environments", row) for row in sorted(APART["rows"]) if row.startswith(_NEW)]


@pytest.mark.parametrize(("which", "row"), _ROWS)
def test_a_bit_that_changed_in_any_row_is_found(which: str, row: str) -> None:
    frozen = VAULT if which == "first" else APART
    version, value = frozen["rows"][row]
    content = bytearray(base64.b64decode(value))
    content[-1] ^= 1
    changed = frozen["rows"] | {row: [version, base64.b64encode(content).decode()]}
    if row == "seal/config":
        with pytest.raises(Unavailable, match="damaged"):
            reopen(frozen, changed)
        return
    vault = reopen(frozen, changed)
    answers = [vault.post("sys/unseal", {"key": share}, token=None) for share in vault.shares]
    if row in KEEP_IT_SHUT or answers[-1].status != 200:
        assert answers[-1].status >= 400
        assert vault.node.unsealed is None
        return
    Inspector(vault.node, vault.failures.append).round(lambda _seconds: False)
    assert row in {finding.place for finding in vault.node.integrity.findings}


@pytest.mark.parametrize("case", LOG["cases"], ids=lambda case: case["name"])
def test_the_frozen_log_has_its_verdict(case: dict[str, Any], tmp_path: Path) -> None:
    assert judge(LOG, case["how"], tmp_path / "audit.log") == case["expect"]


def test_the_frozen_log_shows_no_value() -> None:
    text = "\n".join(LOG["lines"])
    assert '"returned_keys":["password","port"]' in text
    assert "a value" not in text
    assert "5432" not in text
