"""What several of these tests need: a vault with engines and methods, a password hash that counts, a store that fails."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from tests.kit import SeededEntropy, Vault
from tests.processes import Result

from strongroom.auth.userpass import UserPass
from strongroom.crypto.passwords import Mismatch
from strongroom.logical.ambient import Entropy
from strongroom.logical.secret import Secret
from strongroom.physical.memory import MemorySnapshot, MemoryStore
from strongroom.physical.store import Record, StoreError, Witness
from strongroom.server.builtins import PLUGS

CANARY = "canary-2b7e151628"


class CountingPasswords:
    """A hash that costs nothing and keeps what was checked: the stored hash, or None for nobody's."""

    def __init__(self) -> None:
        self.checked: list[str | None] = []

    @property
    def real_checks(self) -> int:
        return sum(stored is not None for stored in self.checked)

    def hash(self, password: Secret[str], entropy: Entropy) -> str:
        del entropy
        return f"hash of {password.reveal()}"

    def check(self, stored: str | None, password: Secret[str]) -> None:
        self.checked.append(stored)
        if stored != f"hash of {password.reveal()}":
            raise Mismatch

    def needs_rehash(self, stored: str) -> bool:
        del stored
        return False


class FailingStore(MemoryStore):
    """A store in memory that fails in a chosen way while ``failure`` is set."""

    failure: StoreError | None = None

    def snapshot(self) -> MemorySnapshot:
        if self.failure is not None:
            raise self.failure
        return super().snapshot()

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        witness: Witness | None = None,
        *,
        is_urgent: bool = False,
    ) -> None:
        if self.failure is not None:
            raise self.failure
        super().commit(expected, puts, deletes, witness, is_urgent=is_urgent)


def vault_with_userpass(passwords: CountingPasswords, **users: str) -> Vault:
    """A vault with ``userpass`` and these users with their passwords, and ``default`` as everybody's policy."""
    vault = Vault(plugs=replace(PLUGS, auth_methods={**PLUGS.auth_methods, "userpass": lambda: UserPass(passwords)}))
    expect(vault.post("sys/auth/userpass", {"type": "userpass"}))
    for name, password in users.items():
        expect(vault.post(f"auth/userpass/users/{name}", {"password": password}))
    return vault


def vault_with_approle(**role: object) -> tuple[Vault, str]:
    """A vault with ``approle`` and a role ``app``; and the role's ID."""
    vault = Vault()
    expect(vault.post("sys/auth/approle", {"type": "approle"}))
    expect(vault.post("auth/approle/role/app", {"token_policies": ["default"], **role}))
    return vault, str(vault.get("auth/approle/role/app/role-id").data["role_id"])


def new_secret_id(vault: Vault, role: str = "app", **fields: object) -> str:
    return str(expect(vault.post(f"auth/approle/role/{role}/secret-id", fields)).data["secret_id"])


def vault_with_kv(**options: Any) -> Vault:
    """A vault with a versioned ``kv`` at ``secret/`` and a plain one at ``kv/``."""
    vault = Vault(**options)
    vault.mount("secret", "kv", options={"version": "2"})
    vault.mount("kv")
    return vault


def second_process(vault: Vault) -> Vault:
    """Another process on the same store, unsealed."""
    other = Vault(store=vault.store, clock=vault.clock, entropy=SeededEntropy("another process"), is_unsealed=False)
    other.shares, other.root = vault.shares, vault.root
    other.unseal()
    return other


def tokens_stored(vault: Vault) -> int:
    """How many tokens the store holds."""
    return len(vault.list("auth/token/accessors").data["keys"])


def stored(vault: Vault) -> dict[str, Record]:
    """Everything in the store, byte for byte."""
    with vault.store.snapshot() as snapshot:
        return {key: record for key in snapshot.keys("") if (record := snapshot.get(key)) is not None}


def expect(result: Result) -> Result:
    """``result``, which must be a success."""
    assert 200 <= result.status < 300, result
    return result


def is_alive(vault: Vault, token: str) -> bool:
    return vault.get("auth/token/lookup-self", token=token).status == 200
