from __future__ import annotations

from typing import Any

import pytest

from strongroom.auth.approle import tidy
from strongroom.logical.operation import Operation


def _tidy(method: Any) -> str:
    response = method.call(Operation.UPDATE, "tidy/secret-id", {})
    assert response.status == 202
    assert response.data is None
    text: str = response.warnings[0]
    return text


def _kept(method: Any, folder: str) -> int:
    return sum(key.startswith(folder) for key in method.snapshot())


def test_tidying_removes_what_has_expired_and_nothing_else(approle: Any) -> None:
    approle.write("role/r")
    approle.write("role/r/secret-id", ttl=10)
    kept = approle.write("role/r/secret-id")["secret_id_accessor"]
    approle.clock.jump(10)
    assert len(approle.keys("role/r/secret-id")) == 2
    assert _tidy(approle).startswith("Tidy operation successfully started.")
    assert approle.keys("role/r/secret-id") == [kept]
    assert _kept(approle, "secret_id/") == 1


def test_tidying_removes_what_belongs_to_no_role(approle: Any) -> None:
    approle.write("role/r")
    approle.write("role/r/secret-id")
    approle.write("role/r/secret-id/destroy", secret_id="x")
    orphans = {
        key: value
        for key, value in approle.snapshot().items()
        if key.startswith(("secret_id/", "accessor/", "destroyed/"))
    }
    approle.delete("role/r")
    clean = approle.snapshot()
    approle.store.records.update(orphans)
    _tidy(approle)
    assert approle.snapshot() == clean


def test_a_mark_of_destruction_goes_once_no_token_can_be_left(approle: Any) -> None:
    approle.write("role/r")
    approle.write("role/r/secret-id/destroy", secret_id="x")
    approle.clock.jump(approle.mount.max_lease_ttl)
    _tidy(approle)
    assert _kept(approle, "destroyed/") == 1
    approle.clock.jump(1)
    _tidy(approle)
    assert _kept(approle, "destroyed/") == 0


def test_a_mark_of_destruction_stays_while_the_role_makes_tokens_without_an_end(approle: Any) -> None:
    approle.write("role/r", token_period=60)
    approle.write("role/r/secret-id/destroy", secret_id="x")
    approle.clock.jump(approle.mount.max_lease_ttl + 1)
    _tidy(approle)
    assert _kept(approle, "destroyed/") == 1


def test_one_call_removes_a_bounded_number_and_says_that_there_is_more(
    approle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidy, "REMOVALS_MAX", 2)
    approle.write("role/r")
    for _ in range(3):
        approle.write("role/r/secret-id", ttl=1)
    approle.clock.jump(1)
    assert _tidy(approle).endswith("There is more to remove: call this again.")
    assert _tidy(approle).endswith("Expired secret IDs were removed.")
    assert _kept(approle, "secret_id/") == 0
