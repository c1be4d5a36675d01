from __future__ import annotations

from typing import Any

import pytest
from tests.kit import Vault

READ = {"path": "secret/data/app", "version": 3, "keys": ["A"], "time": "2020-01-31T12:00:00Z"}


def test_a_read_without_the_server_can_be_reported_by_every_token(vault: Vault) -> None:
    token = vault.post("auth/token/create", {"no_default_policy": True, "policies": ["none"]}).auth["client_token"]
    assert vault.post("sys/offline-reads", READ, token=token).status == 204


@pytest.mark.parametrize(
    "change",
    [
        *({"path": ""}, {"path": "a\nb"}, {"path": "x" * 2000}, {"version": -1}, {"time": "yesterday"}, {"time": ""}),
        *({"time": "2999-01-01T00:00:00Z"}, {"keys": ["a\0"]}, {"keys": ["k"] * 2000}, {"path": None}),
    ],
)
def test_what_cannot_be_a_report_is_refused(vault: Vault, change: dict[str, Any]) -> None:
    assert vault.post("sys/offline-reads", {**READ, **change}).status == 400


def test_nobody_reports_without_a_token(vault: Vault) -> None:
    assert vault.post("sys/offline-reads", READ, token="").status == 403
