"""The vault under test, the model beside it, and the one way in which a rule asks both. Nothing here knows a single endpoint's meaning."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine
from tests.anomalies.scene import CountingPasswords
from tests.kit import JumpingClock, SeededEntropy, Vault
from tests.machine.comparison import differences, expiry_of
from tests.machine.model import Model, Mount, policy_text
from tests.machine.store import ALL_FAULTS, Fault, FaultyStore
from tests.processes import Result

from strongroom.auth.userpass import UserPass
from strongroom.server.builtins import PLUGS

Effect = Callable[[Model, Result | None], None]
"""What a request does to the model, if it succeeds. Without an answer nobody learnt what the vault made."""

MAKES = "makes"
MAY_MAKE = {"auth/token": frozenset({"create", "update"})}
ROLE = "app"


def nothing(model: Model, result: Result | None) -> None:
    """The effect of a read."""
    del model, result


class Stage(RuleBasedStateMachine):
    """A vault on a store that can fail, and its model."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FaultyStore()
        self.clock = JumpingClock()
        self.passwords = CountingPasswords()
        self.starts = 0
        self.steps = 0
        self.model = Model()
        self.schedule: list[Fault | None] = []
        """How the commits of the next requests fail, over and over; None is not at all."""
        self.asked = 0
        self.is_sealed = False
        self.requests_unrecorded = 0
        self.shares: list[str] = []
        self.root = ""
        self.vault = self._started()
        self.vault.initialize(3, 2)
        self.shares, self.root = self.vault.shares[:2], self.vault.root
        self.vault.unseal()
        self._furnish()

    def _furnish(self) -> None:
        for path, body in (
            (f"sys/policies/acl/{MAKES}", {"policy": policy_text(MAY_MAKE)}),
            ("sys/auth/userpass", {"type": "userpass"}),
            ("sys/auth/approle", {"type": "approle"}),
            (f"auth/approle/role/{ROLE}", {"token_policies": [MAKES], "secret_id_num_uses": 2, "secret_id_ttl": 600}),
            (f"auth/approle/role/{ROLE}/role-id", {"role_id": ROLE}),
        ):
            assert self.vault.post(path, body).status == 204
        self.model.policies[MAKES] = MAY_MAKE
        for path in ("one", "two"):
            self.vault.mount(path, options={"version": "2"} if path == "two" else {})
            self.model.mounts[path] = Mount(is_versioned=path == "two")

    def _started(self) -> Vault:
        """A new process on the same store. Its random bytes are others than those of the ones before."""
        self.starts += 1
        passwords = self.passwords
        methods = {**PLUGS.auth_methods, "userpass": lambda: UserPass(passwords)}
        vault = Vault(
            store=self.store,
            plugs=replace(PLUGS, auth_methods=methods),
            clock=self.clock,
            entropy=SeededEntropy(f"start {self.starts}"),
            is_unsealed=False,
        )
        vault.root = self.root
        return vault

    # Asking

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        effect: Effect = nothing,
        expected: Collection[int] = (200, 204),
        is_emergency: bool = False,
        faults: Collection[Fault] = ALL_FAULTS,
        **options: Any,
    ) -> Result | None:
        """Ask the vault, and have the model follow: ``effect`` where the answer is a success. None where no answer means anything.

        ``faults`` are those that may meet this request, if it is their turn.
        """
        if self.is_sealed:
            # A change is on record even so, or it is refused for that.
            refusals = {500, 503} if self.vault.device.is_broken else {503}
            assert self.vault.call(method, path, body, **options).status in refusals
            return None
        self._count_unrecorded()
        self.vault.device.written.clear()
        planned = self._planned_fault(faults)
        self.store.fault, self.store.hits = planned, 0
        result = self.vault.call(method, path, body, **options)
        fault, self.store.fault = planned if self.store.hits else None, None
        assert self.vault.failures == []
        if fault in {Fault.UNKNOWN_LOST, Fault.UNKNOWN_KEPT}:
            self._resolve(effect, result)
            return None
        if self.vault.device.is_broken and not is_emergency:
            assert result.status == 500, result
            return None
        if fault is Fault.UNAVAILABLE:
            assert result.status >= 500, result
            self._check_records(is_emergency=is_emergency)
            return None
        assert result.status in expected, (method, path, body, result)
        if 200 <= result.status < 300:
            effect(self.model, result)
        self._check_records(is_emergency=is_emergency)
        return result

    def _planned_fault(self, faults: Collection[Fault]) -> Fault | None:
        if not self.schedule:
            return None
        self.asked += 1
        planned = self.schedule[self.asked % len(self.schedule)]
        return planned if planned in faults else None

    def break_audit_for(self, requests: int) -> None:
        """No device takes a record for so many requests."""
        self.vault.device.is_broken = True
        self.requests_unrecorded = requests

    def _count_unrecorded(self) -> None:
        if self.vault.device.is_broken:
            self.requests_unrecorded -= 1
            self.vault.device.is_broken = self.requests_unrecorded >= 0

    def _check_records(self, *, is_emergency: bool) -> None:
        """Whoever was answered is on record, with what was asked and what was answered."""
        if self.vault.device.is_broken:
            assert is_emergency
            return
        identity = f"request-{self.vault._number}"
        kinds = [record["type"] for record in self.vault.device.records if record["request"]["id"] == identity]
        assert kinds[-1:] == ["response"], kinds
        assert kinds.count("request") >= 1

    def _resolve(self, effect: Effect, result: Result) -> None:
        """The outcome of a commit is unknown: the server stops, and afterwards the change is there as a whole, or it is not."""
        assert result.status in {500, 502, 503}, result
        if not self.vault.device.is_broken:
            assert self.vault.unknown_commits == 1
        self.start_again()
        after = copy.deepcopy(self.model)
        effect(after, None)
        candidates = {"after": after, "before": self.model}
        found = {name: differences(self.vault, candidate) for name, candidate in candidates.items()}
        same = [name for name, different in found.items() if not different]
        assert same, found
        self.model = candidates[same[0]]

    # Life of the process

    def start_again(self) -> None:
        """The process dies, and another one opens the same store."""
        self.retire()
        self.store.revive()
        self.vault = self._started()
        self.open()

    def retire(self) -> None:
        """End the thread of the vault's audit device. A process would take it along; here hundreds of them would pile up."""
        self.vault.node.broker.disable("memory")

    def open(self) -> None:
        """Unseal with the shares that hold."""
        for share in self.shares:
            assert self.vault.call("PUT", "sys/unseal", {"key": share}, token=None).status == 200
        assert self.vault.node.unsealed is not None
        self.is_sealed = False

    def learn_expiries(self) -> None:
        """Ask for what the model cannot know: when a token expires whose renewal had no answer."""
        for text, token in self.model.tokens.items():
            if token.expiry_ns is None:
                looked_up = self.vault.post("auth/token/lookup", {"token": text})
                assert looked_up.status == 200, token
                token.expiry_ns = expiry_of(looked_up.data)
