from __future__ import annotations

import pytest

from strongroom.server.vital import is_vital


@pytest.mark.parametrize(
    "target",
    [
        "/v1/sys/health?standbyok=true",
        "/v1/sys/seal",
        "/v1/sys/seal-status",
        "/v1/sys/metrics?format=prometheus",
        "/v1/auth/token/revoke",
        "/v1/auth/token/revoke-self",
        "/v1/sys/leases/revoke-prefix/auth/userpass",
    ],
)
def test_what_shows_closes_or_takes_access_away_is_vital(target: str) -> None:
    assert is_vital(target)


@pytest.mark.parametrize(
    "target",
    [
        "/v1/kv/sys/health",
        "/v1/sys/healthy",
        "/v1/sys/mounts",
        "/v1/auth/token/create",
        "/sys/health",
        "",
        "/v1/sys/%68ealth",
    ],
)
def test_everything_else_waits_its_turn(target: str) -> None:
    assert not is_vital(target)
