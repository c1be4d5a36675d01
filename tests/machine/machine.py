"""All rules together, what must hold after each, and how a walk of them is repeated: by its seed and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, run_state_machine_as_test
from tests.machine.comparison import differences
from tests.machine.kv_rules import KvRules
from tests.machine.server_rules import ServerRules
from tests.machine.store import Fault
from tests.machine.token_rules import TokenRules

COMPARED_EVERY = 3
"""A comparison costs as much as twenty requests. What is wrong mostly stays so, and what a round ends with is always compared."""
SHORTEN = (Phase.generate, Phase.shrink)
FIND = (Phase.generate,)
"""Shrinking runs a walk hundreds of times: worth it for a person who looks for the cause, too long for whom a seed is enough."""


class VaultMachine(KvRules, TokenRules, ServerRules):
    """All rules together, and what must hold after each."""

    @initialize(
        uses=st.sampled_from([0, 2]),
        is_batch=st.booleans(),
        schedule=st.lists(st.sampled_from([None] * 12 + list(Fault)), min_size=4, max_size=20),
    )
    def begin(self, uses: int, schedule: list[Fault | None], *, is_batch: bool) -> None:
        """Something of everything, so that every rule finds something to work on from its first step; then failures may begin."""
        self.write_policy("red", {"one": {"read"}, "two": {"read", "delete"}})
        self.write_policy("green", {"one": {"deny"}, "three/deep": {"read"}})
        self.put("one", "a", {"x": 1})
        for number in range(2):
            self.put("two", "a", {"x": number, "y": number})
        self.write_user("mia", "right", {"red"})
        self.write_user("tom", "other", set())
        self.log_in("mia", "right", str.lower)
        self.new_token({"red", "green"}, 600, 0, uses, is_batch=is_batch)
        parent = self.new_token({"red"}, 600, 900, 0, is_batch=False)
        self.child_of(parent, 7200, is_batch=False)
        self.child_of(parent, 7200, is_batch=True)
        self.new_secret_id()
        self.wrap({"x": 1}, 600)
        self.schedule = schedule

    @invariant()
    def the_vault_says_what_the_model_says(self) -> None:
        self.steps += 1
        if self.steps % COMPARED_EVERY == 0 and not self.vault.device.is_broken:
            self._compare()

    def teardown(self) -> None:
        self.vault.device.is_broken = False
        try:
            if sys.exc_info()[0] is None:
                self._compare()
        finally:
            self.retire()

    def _compare(self) -> None:
        different = differences(self.vault, self.model)
        assert not different, different
        self._compare_decisions()

    def _compare_decisions(self) -> None:
        for token in self.model.alive(self.clock.now_ns()):
            if token.uses is not None:
                continue  # to ask would spend a use
            for path in ("one", "three/deep"):
                allowed = self.model.capabilities(token.policies, path)
                answer = self.vault.get(f"{path}/probe", token=token.text)
                expected = "read" in allowed or "root" in token.policies
                assert (answer.status != 403) == expected, (token, path, answer)

    @invariant()
    def a_vault_that_cannot_record_says_nothing(self) -> None:
        if self.vault.device.is_broken:
            for path in ("one/a", "sys/mounts", "auth/token/lookup-self"):
                assert self.vault.get(path).status == 500

    @invariant()
    def nothing_failed_that_nobody_made_fail(self) -> None:
        assert self.vault.failures == []


def walk(seeds: Iterable[int], steps: int, phases: tuple[Phase, ...]) -> None:
    """Walk once for each seed, ``steps`` rules long. Raises what the first walk that goes wrong raises."""
    chosen = settings(
        # The first one is of the simplest rules alone. What Hypothesis makes of the second by changing it a little finds much less than a new seed does.
        max_examples=2,
        stateful_step_count=steps,
        # A step is as slow as the machine is busy, and no walk depends on another.
        deadline=None,
        database=None,
        phases=phases,
        # They judge the strategies by time and by the size of what was drawn: both are those of a whole vault here, on purpose.
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    for number in seeds:
        print(f"MACHINE_SEED={number}")  # noqa: T201 -- how to repeat this round
        run_state_machine_as_test(seed(number)(VaultMachine), settings=chosen)
