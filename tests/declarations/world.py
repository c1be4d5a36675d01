"""A vault in which every plug is mounted and something of every kind is stored under the name ``example``.

It is made once and put back between the tests, because making one costs as much as two hundred requests.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.declarations.catalog import BUILT_IN_MOUNTS, Case, mount_of_engine, mount_of_method
from tests.kit import Vault
from tests.processes import Result

from strongroom.auth.userpass import UserPass
from strongroom.auth.userpass.passwords import Argon2Passwords
from strongroom.barrier.assignment import Areas, Assignment
from strongroom.crypto.parameters import CHEAPEST
from strongroom.mounts.table import MountMap
from strongroom.physical.memory import MemoryStore, _State
from strongroom.physical.store import Record
from strongroom.policy.store import _Compiled
from strongroom.server.builtins import PLUGS

NAME = "example"
STORED_SECRET = "stored-hunter2-9f1c"
SECRET_ID = "secret-id-of-example-5e1d"
ROLE_ID = "role-id-of-example"
PASSWORD = "correct-horse-battery-staple"

POLICY = 'path "kv/data/*" { capabilities = ["read"] }'
_SEED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", f"sys/policies/acl/{NAME}", {"policy": POLICY}),
    ("POST", f"sys/mounts/{NAME}", {"type": "kv"}),
    ("POST", f"sys/auth/{NAME}", {"type": "userpass"}),
    ("POST", f"sys/environments/{NAME}", {"rank": 1}),
    ("POST", f"sys/quotas/rate-limit/{NAME}", {"rate": 1000, "path": NAME}),
    ("POST", f"sys/consumers/{NAME}", {}),
    ("POST", f"auth/token/roles/{NAME}", {"allowed_policies": [NAME]}),
    ("POST", f"kv/{NAME}", {"value": STORED_SECRET}),
    ("POST", f"kv/{NAME}/inner", {"value": STORED_SECRET}),
    ("POST", f"kv2/data/{NAME}", {"data": {"value": STORED_SECRET}}),
    ("POST", f"kv2/data/{NAME}", {"data": {"value": STORED_SECRET}}),
    ("POST", f"kv2/data/{NAME}/inner", {"data": {"value": STORED_SECRET}}),
    ("POST", f"cubbyhole/{NAME}", {"value": STORED_SECRET}),
    ("POST", f"cubbyhole/{NAME}/inner", {"value": STORED_SECRET}),
    ("POST", f"auth/userpass/users/{NAME}", {"password": PASSWORD, "token_policies": [NAME]}),
    ("POST", f"auth/approle/role/{NAME}", {"token_policies": [NAME]}),
    ("POST", f"auth/approle/role/{NAME}/role-id", {"role_id": ROLE_ID}),
    ("POST", f"auth/approle/role/{NAME}/custom-secret-id", {"secret_id": SECRET_ID}),
)
"""What is written into the vault before any test. A new plug adds what the examples of its endpoints need."""

QUICK_PLUGS = replace(
    PLUGS, auth_methods={**PLUGS.auth_methods, "userpass": lambda: UserPass(Argon2Passwords(CHEAPEST))}
)
"""The plugs of the server, with a password hash that costs nothing."""

Records = dict[str, Record]


def stored(vault: Vault) -> Records:
    """Everything in the vault's store, byte for byte."""
    with vault.store.snapshot() as snapshot:
        return {key: record for key in snapshot.keys("") if (record := snapshot.get(key)) is not None}


def lasting(vault: Vault) -> Records:
    """The same without what a refused login leaves on purpose: the count of failures, what hides whether there was one, and the
    store's root, which every change moves.
    """
    passing = ("/failures/", "/decoy/", "barrier/counter/", "barrier/root")
    return {key: record for key, record in stored(vault).items() if not any(part in key for part in passing)}


class World:
    """One vault, which is put back to the same state before each test."""

    def __init__(self) -> None:
        vault = Vault(plugs=QUICK_PLUGS)
        for name in PLUGS.engines:
            if name not in BUILT_IN_MOUNTS:
                kind, _, version = name.partition("/")
                options = {"options": {"version": version}} if version else {}
                vault.mount(mount_of_engine(name).strip("/"), kind, **options)
        for name in PLUGS.auth_methods:
            expect(vault.post(f"sys/{mount_of_method(name).strip('/')}", {"type": name}))
        for method, path, body in _SEED:
            expect(vault.call(method, path, body))
        assert vault.failures == []
        self._vault = vault
        self._records = stored(vault)
        self._routers = vault.node.require().mounts._routers
        self._keys_may_differ = False

    def vault_for(self, case: Case) -> Vault:
        """The vault, in which ``case`` finds everything as new. Slow endpoints of the system may keep something in memory alone."""
        if case.mount != "sys/" or not case.declared.endpoint.slow:
            return self.vault()
        fresh = self.fresh()
        # It may put another root key in the place of the one that the vault at the beginning had.
        self._keys_may_differ = True
        return fresh

    def fresh(self) -> Vault:
        """The vault as after a restart: nothing is left of what is kept in memory alone."""
        vault = self._vault
        vault.device.is_broken = False
        self._keys_may_differ = False
        if vault.node.unsealed is not None:
            vault.node.seal()
        self._rewind()
        vault.unseal()
        # Reading the declarations is nearly all that a restart costs, and they are the same.
        vault.node.require().mounts._routers = self._routers
        return self.vault()

    def vault(self) -> Vault:
        """The vault with its store as it was at the beginning. What is kept in memory alone stays."""
        vault = self._vault
        if vault.node.unsealed is None or self._keys_may_differ:
            return self.fresh()
        self._rewind()
        unsealed = vault.node.require()
        unsealed.mounts._cached = (None, MountMap(()))
        unsealed.policies._compiled = _Compiled(epoch=-1)
        # No open vault takes an assignment of keyrings for right that is older than the one that it knows.
        unsealed.barrier._keys.areas = Areas(Assignment(), None)
        unsealed.barrier.refresh_keyrings()
        # There may only be a few at once, and whoever asked before fetched none.
        vault.node.backups.drop_all()
        vault.device.is_broken = False
        vault.device.written.clear()
        vault.failures.clear()
        return vault

    def _rewind(self) -> None:
        assert isinstance(self._vault.store, MemoryStore)
        self._vault.store._state = _State(dict(self._records), sorted(self._records))
        barrier = self._vault.node.lifecycle.barrier
        if barrier is not None:
            # It would notice that the store goes backwards.
            barrier.witness._highest = 0


def expect(result: Result) -> Result:
    """``result``, which must be a success."""
    assert 200 <= result.status < 300, result
    return result
