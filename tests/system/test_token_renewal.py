from __future__ import annotations

import pytest
from tests.kit import Vault
from tests.processes import Result

DAY = 86400
SYSTEM_MAX = 768 * 3600


def renew(vault: Vault, token: str, increment: object = 0) -> Result:
    return vault.post("auth/token/renew-self", {"increment": increment}, token=token)


def ttl(vault: Vault, token: str) -> int:
    return int(vault.get("auth/token/lookup-self", token=token).data["ttl"])


@pytest.mark.parametrize(("increment", "granted"), [(0, 3600), ("", 3600), (60, 60), ("2h", 7200), ("7200", 7200)])
def test_a_renewal_counts_from_now(vault: Vault, increment: object, granted: int) -> None:
    token = vault.token_for("default", ttl="1h")
    vault.clock.jump(1000)
    result = renew(vault, token, increment)
    assert result.auth["lease_duration"] == granted
    assert result.auth["client_token"] == token
    assert ttl(vault, token) == granted


def test_a_renewal_is_remembered(vault: Vault) -> None:
    token = vault.token_for("default", ttl="1h")
    vault.clock.jump(60)
    renew(vault, token)
    data = vault.get("auth/token/lookup-self", token=token).data
    assert data["last_renewal_time"] == data["creation_time"] + 60
    assert data["last_renewal"] == "2030-03-17T17:47:40.000000000Z"


def test_no_renewal_reaches_beyond_the_greatest_lifetime(vault: Vault) -> None:
    token = vault.token_for("default", ttl="24h")
    age = 0
    while renew(vault, token, "10000h").status == 200:
        left = ttl(vault, token)
        assert left > 0
        assert age + left <= SYSTEM_MAX
        vault.clock.jump(left - 1)
        age += left - 1
        assert age < SYSTEM_MAX, "it never ended"
        if SYSTEM_MAX - age <= 1:
            break
    vault.clock.jump(1)
    assert vault.get("auth/token/lookup-self", token=token).status == 403


@pytest.mark.parametrize("increment", [0, 1, "1", "24h", 10**9, "0.5s"])
def test_in_its_last_moment_a_token_gets_no_more_than_what_is_left_and_dies_on_time(
    vault: Vault, increment: object
) -> None:
    token = vault.token_for("default", ttl="1h", explicit_max_ttl="1h")
    vault.clock.jump(3599.6)
    result = renew(vault, token, increment)
    assert result.status in (200, 400)
    if result.status == 200:
        assert result.auth["lease_duration"] == 1
    vault.clock.jump(0.4)
    assert vault.get("auth/token/lookup-self", token=token).status == 403


@pytest.mark.parametrize("increment", [-1, "-1h", "1e18", 10**18, "x", [], True])
def test_an_increment_that_is_none_is_refused_and_changes_nothing(vault: Vault, increment: object) -> None:
    token = vault.token_for("default", ttl="1h")
    assert renew(vault, token, increment).status == 400
    assert ttl(vault, token) == 3600


def test_a_periodic_token_lives_as_long_as_it_is_renewed_and_no_period_longer(vault: Vault) -> None:
    token = vault.token_for("default", period="1h")
    for _ in range(24 * 40):
        vault.clock.jump(3599)
        assert renew(vault, token, "100h").auth["lease_duration"] == 3600
    vault.clock.jump(3600)
    assert vault.get("auth/token/lookup-self", token=token).status == 403


def test_an_explicit_maximum_ends_a_periodic_token_too(vault: Vault) -> None:
    token = vault.token_for("default", period="1h", explicit_max_ttl="90m")
    vault.clock.jump(3000)
    assert renew(vault, token).auth["lease_duration"] == 2400
    vault.clock.jump(2400)
    assert vault.get("auth/token/lookup-self", token=token).status == 403


def test_what_is_not_renewable_is_not_renewed(vault: Vault) -> None:
    token = vault.token_for("default", ttl="1h", renewable=False)
    assert renew(vault, token).errors == ["lease is not renewable"]
    assert renew(vault, vault.root).errors == ["invalid lease ID"]
    assert renew(vault, vault.token_for("default", type="batch")).errors == ["lease is not renewable"]


def test_a_token_is_renewed_by_another_by_token_and_by_accessor(vault: Vault) -> None:
    made = vault.post("auth/token/create", {"policies": ["default"], "ttl": "1h"}).auth
    vault.clock.jump(100)
    by_token = vault.post("auth/token/renew", {"token": made["client_token"]})
    assert by_token.auth["lease_duration"] == 3600
    by_accessor = vault.post("auth/token/renew-accessor", {"accessor": made["accessor"], "increment": 60})
    assert by_accessor.auth["lease_duration"] == 60
    assert by_accessor.auth["client_token"] == ""


def login(vault: Vault, **user: object) -> str:
    vault.post("sys/auth/userpass", {"type": "userpass"})
    vault.post("auth/userpass/users/alice", {"password": "correct horse", "token_ttl": "1h", **user})
    result = vault.post("auth/userpass/login/alice", {"password": "correct horse"}, token=None)
    return str(result.auth["client_token"])


def test_a_login_is_renewed_while_its_user_is_what_it_was(vault: Vault) -> None:
    token = login(vault)
    vault.clock.jump(60)
    assert renew(vault, token).auth["lease_duration"] == 3600


def test_a_login_is_not_renewed_when_its_user_is_gone(vault: Vault) -> None:
    token = login(vault)
    vault.delete("auth/userpass/users/alice")
    assert renew(vault, token).status in (400, 403)
    assert ttl(vault, token) == 3600


def test_a_mount_that_was_tuned_shorter_bounds_its_tokens_at_the_next_renewal(vault: Vault) -> None:
    token = login(vault)
    assert vault.post("sys/auth/userpass/tune", {"max_lease_ttl": "90m", "default_lease_ttl": "30m"}).status == 204
    vault.clock.jump(3000)
    assert renew(vault, token, "100h").auth["lease_duration"] == 2400


def test_a_moved_method_goes_on_renewing_its_tokens(vault: Vault) -> None:
    token = login(vault)
    assert vault.post("sys/remount", {"from": "auth/userpass", "to": "auth/people"}).status == 200
    assert renew(vault, token).status == 200
