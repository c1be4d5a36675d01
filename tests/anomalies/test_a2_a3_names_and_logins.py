"""SECURITY A2 and A3: names of policies, passwords, lockout."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.anomalies.scene import CountingPasswords, expect, is_alive, vault_with_approle, vault_with_userpass
from tests.kit import Vault
from tests.processes import Result

ROOTS = [
    ["ROOT"],
    [" root"],
    ["root "],
    ["Root\t"],
    ["root\u0000"],
    ["ｒｏｏｔ"],
    ["root,default"],
    "root",
    "default, RoOt",
]
SPELLINGS = ["admin", "Admin", "ADMIN", "aDmIn"]
POLICY_LISTS = [
    ("auth/userpass/users/mia", "token_policies", {"password": "right"}),
    ("auth/userpass/users/mia", "policies", {"password": "right"}),
    ("auth/userpass/users/mia/policies", "token_policies", {}),
    ("auth/approle/role/app", "token_policies", {}),
    ("auth/approle/role/app/policies", "token_policies", {}),
    ("auth/token/roles/bounds", "allowed_policies", {}),
    ("auth/token/create", "policies", {}),
]


@pytest.fixture
def passwords() -> CountingPasswords:
    return CountingPasswords()


@pytest.fixture
def vault(passwords: CountingPasswords) -> Vault:
    vault = vault_with_userpass(passwords, admin="right", mia="right")
    expect(vault.post("sys/auth/approle", {"type": "approle"}))
    expect(vault.post("auth/approle/role/app", {"token_policies": ["default"]}))
    return vault


def log_in(vault: Vault, name: str, password: object, **options: str) -> Result:
    return vault.post(f"auth/userpass/login/{name}", {"password": password}, token=None, **options)


@pytest.mark.parametrize(("path", "field", "more"), POLICY_LISTS, ids=str)
def test_row_014_cve_2025_64761_no_spelling_of_root_is_taken_anywhere(
    vault: Vault, path: str, field: str, more: dict[str, str]
) -> None:
    vault.write_policy("admins", 'path "auth/*" { capabilities = ["create", "update", "read", "sudo"] }')
    token = vault.token_for("admins")
    for names in ROOTS:
        assert vault.post(path, {field: names, **more}, token=token).status == 400, names
    login = log_in(vault, "mia", "right")
    assert login.auth["policies"] == ["default"]
    assert vault.get("sys/mounts", token=login.auth["client_token"]).status == 403


def test_row_013_cve_2025_5999_what_a_token_may_do_is_not_changed_by_a_refused_change(vault: Vault) -> None:
    token = log_in(vault, "mia", "right").auth["client_token"]
    for names in ROOTS:
        assert vault.post("auth/userpass/users/mia", {"token_policies": names}).status == 400
    assert vault.get("auth/token/lookup-self", token=token).data["policies"] == ["default"]
    assert vault.post("sys/policies/acl/ROOT", {"policy": ""}).status == 400


@pytest.mark.parametrize("right", SPELLINGS)
def test_row_019_cve_2025_6004_the_lockout_counts_the_user_and_not_the_spelling(
    vault: Vault, passwords: CountingPasswords, right: str
) -> None:
    for name in ("admin", "Admin", "ADMIN", "aDMIN", "admiN"):
        assert log_in(vault, name, "wrong").status == 400
    assert log_in(vault, right, "right").status == 400
    for name in ("admin%20", "%20admin", "admin%09", "%EF%BD%81dmin"):
        assert log_in(vault, name, "right").status == 400
    assert passwords.real_checks == 5
    vault.clock.jump(15 * 60)
    assert log_in(vault, right, "right").status == 200


def test_row_020_cve_2025_6011_every_failed_login_does_the_same_work_and_says_the_same(
    vault: Vault, passwords: CountingPasswords
) -> None:
    expect(vault.post("auth/userpass/users/elsewhere", {"password": "right", "token_bound_cidrs": ["192.0.2.0/24"]}))
    for _ in range(5):
        log_in(vault, "admin", "wrong")
    passwords.checked.clear()
    answers = [
        log_in(vault, name, password)
        for name, password in (
            ("nobody", "wrong"),
            ("mia", "wrong"),
            ("admin", "right"),
            ("elsewhere", "right"),
            ("a%20b", "wrong"),
        )
    ]
    assert len(passwords.checked) == len(answers)
    assert len({(answer.status, answer.raw, tuple(answer.headers)) for answer in answers}) == 1
    assert answers[0].errors == ["invalid username or password"]


def test_row_020_nobodys_password_costs_what_a_real_one_does() -> None:
    from argon2 import extract_parameters

    from strongroom.auth.userpass.passwords import Argon2Passwords
    from strongroom.crypto.parameters import CHEAPEST, OWASP_LOGIN
    from strongroom.logical.ambient import SystemEntropy
    from strongroom.logical.secret import Secret

    for parameters in (CHEAPEST, OWASP_LOGIN):
        hashing = Argon2Passwords(parameters)
        real = hashing.hash(Secret("right"), SystemEntropy())
        assert extract_parameters(hashing._nobodys) == extract_parameters(real)
        assert len(hashing._nobodys) == len(real)


def test_row_020_a_password_that_nobody_has_is_hashed_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import extract_parameters
    from argon2.low_level import verify_secret

    from strongroom.auth.userpass.passwords import Argon2Passwords
    from strongroom.crypto import passwords as room
    from strongroom.crypto.parameters import CHEAPEST
    from strongroom.logical.ambient import SystemEntropy
    from strongroom.logical.secret import Secret

    hashing, hashed = Argon2Passwords(CHEAPEST), []

    def counting(encoded: bytes, *rest: Any) -> bool:
        hashed.append(extract_parameters(encoded.decode()))
        return verify_secret(encoded, *rest)

    monkeypatch.setattr(room, "verify_secret", counting)
    for stored in (None, hashing.hash(Secret("right"), SystemEntropy())):
        with pytest.raises(room.Mismatch):
            hashing.check(stored, Secret("wrong"))
    assert len(hashed) == 2
    assert hashed[0] == hashed[1]


def test_row_028_cve_2024_4629_parallel_logins_do_not_beat_the_counter(
    vault: Vault, passwords: CountingPasswords
) -> None:
    started = threading.Barrier(16)

    def attempts(thread: int) -> list[int]:
        started.wait()
        return [log_in(vault, SPELLINGS[thread % 4], "wrong").status for _ in range(4)]

    with ThreadPoolExecutor(16) as pool:
        statuses = [status for found in pool.map(attempts, range(16)) for status in found]
    assert set(statuses) == {400}
    assert passwords.real_checks <= 5
    assert log_in(vault, "admin", "right").status == 400


def test_row_029_cve_2026_9798_a_locked_user_gets_no_new_life_on_any_other_way(vault: Vault) -> None:
    auth = log_in(vault, "admin", "right").auth
    wrapped = log_in(vault, "admin", "right", wrap_ttl="5m")
    assert wrapped.body is not None
    for _ in range(5):
        log_in(vault, "admin", "wrong")
    token, accessor = auth["client_token"], auth["accessor"]
    assert vault.post("auth/token/renew-self", {}, token=token).status == 400
    assert vault.post("auth/token/renew", {"token": token}).status == 400
    assert vault.post("auth/token/renew-accessor", {"accessor": accessor}).status == 400
    lease_id = f"auth/userpass/login/admin/{vault.list('sys/leases/lookup/auth/userpass/login/admin').data['keys'][0]}"
    assert vault.post("sys/leases/renew", {"lease_id": lease_id}).status == 400
    assert log_in(vault, "admin", "right", wrap_ttl="5m").status == 400
    assert log_in(vault, "ADMIN", "right").status == 400


@pytest.mark.parametrize("password", ["", None, "\u0000", "right\u0000", ["right"], {"a": "right"}])
def test_row_031_cve_2025_13357_what_is_no_password_is_refused_before_it_is_looked_at(
    vault: Vault, passwords: CountingPasswords, password: object
) -> None:
    assert log_in(vault, "mia", password).status == 400
    assert vault.post("auth/userpass/login/mia", {}, token=None).status == 400
    assert passwords.real_checks == 0
    assert vault.post("auth/userpass/users/empty", {"password": ""}).status == 400


def test_row_038_forwarded_headers_of_anybody_are_not_believed() -> None:
    vault, role_id = vault_with_approle(token_bound_cidrs=["192.0.2.1/32"], bind_secret_id=False)
    headers = {"x-forwarded-for": "192.0.2.1", "x-real-ip": "192.0.2.1", "forwarded": "for=192.0.2.1"}
    login = {"role_id": role_id}
    token = vault.post("auth/approle/login", login, token=None, address="192.0.2.1").auth["client_token"]
    vault.device.written.clear()
    assert vault.get("auth/token/lookup-self", token=token, headers=headers, address="192.0.2.9").status == 403
    assert {record["request"]["remote_address"] for record in vault.device.records} == {"192.0.2.9"}
    assert vault.get("auth/token/lookup-self", token=token, address="192.0.2.1").status == 200
    assert is_alive(vault, vault.root)


def test_row_107_cve_2024_8185_strangers_leave_a_bounded_number_of_records(
    vault: Vault, passwords: CountingPasswords
) -> None:
    del passwords

    def kept() -> int:
        with vault.store.snapshot() as snapshot:
            return len(snapshot.keys(""))

    before = kept()
    for number in range(600):
        log_in(vault, f"nobody{number}", "wrong")
    assert kept() <= before + 256
