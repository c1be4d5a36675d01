"""Whatever is written, imported, promoted, rotated, moved and removed in whatever order: no value of production is readable or stored below.

A value is production's own where it was there first. The model knows for each value where it is or was, and so which write must be refused;
the vault must agree in both directions, and bound tokens then read all that they can.
"""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.environments.world import NAMES, bound, vault_with_environments, write
from tests.kit import Vault

from strongroom.core.reuse_index import list_pending
from strongroom.quotas.guesses import BLOCK_SECONDS

REFUSED = "in use in a more protected environment"
PATHS = ("app", "app/db", "team")
VERSIONED = ("dev2", "stage2", "prod2")
MOUNTS = ("dev", "stage", "prod", *VERSIONED)

mounts = st.sampled_from(MOUNTS)
paths = st.sampled_from(PATHS)
numbers = st.integers(0, 7)
spellings = st.sampled_from(("plain", "blanks", "capitals", "base64", "url", "hex", "document"))


def spelled(number: int, spelling: str) -> Any:
    """The value with this number, in one of its spellings."""
    value = f"Secret?value>{number}~of~the~pool"
    content = value.encode()
    return {
        "plain": value,
        "blanks": f" {value}\n",
        "capitals": value.upper(),
        "base64": base64.b64encode(content).decode(),
        "url": base64.urlsafe_b64encode(content).decode().rstrip("="),
        "hex": content.hex(),
        "document": {"inner": [value]},
    }[spelling]


def number_in(value: Any) -> int:
    """The inverse of :func:`spelled`."""
    text = value["inner"][0] if isinstance(value, dict) else value.strip()
    if not text.lower().startswith("secret?"):
        try:
            text = bytes.fromhex(text).decode()
        except ValueError:
            text = base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "==").decode()
    return int(text.partition(">")[2].partition("~")[0])


class Apart(RuleBasedStateMachine):
    """``places`` are the secrets that have or had a value and were not removed; ``own`` the rank at which a value was first."""

    @initialize()
    def begin(self) -> None:
        self.vault: Vault = vault_with_environments()
        self.rank_of: dict[str, int] = {}
        for rank, name in enumerate(NAMES):
            self.vault.mount(f"{name}2", options={"version": "2"})
            write(self.vault, name, mounts=[name, f"{name}2"])
            self.rank_of |= {name: rank, f"{name}2": rank}
        self.places: dict[int, set[tuple[str, str]]] = {}
        self.own: dict[int, int] = {}
        self.current: dict[tuple[str, str], set[int]] = {}
        self.tokens = {rank: bound(self.vault, name) for rank, name in enumerate(NAMES)}

    def api(self, mount: str, folder: str, path: str) -> str:
        return f"{mount}/{folder}/{path}" if mount in VERSIONED else f"{mount}/{path}"

    def store(self, mount: str, path: str, values: dict[str, Any], held: set[int], *, is_patch: bool = False) -> None:
        """Write, and hold the answer against the model. ``held`` are the numbers of the values that are in the secret then."""
        rank = self.rank_of[mount]
        body = {"data": values} if mount in VERSIONED else values
        call = self.vault.patch if is_patch else self.vault.post
        answer = call(self.api(mount, "data", path), body)
        must_refuse = any(self.rank_of[place[0]] > rank for number in held for place in self.places.get(number, ()))
        if answer.status == 429:  # too many refusals in this run
            self.vault.clock.jump(2 * BLOCK_SECONDS)
            answer = call(self.api(mount, "data", path), body)
        assert (answer.status == 400 and REFUSED in str(answer.errors)) is must_refuse, (answer, held, self.places)
        if must_refuse:
            return
        assert answer.status in {200, 204}, answer
        self.current[mount, path] = held
        for number in held:
            if not self.places.get(number):
                self.own[number] = rank
            self.places.setdefault(number, set()).add((mount, path))

    @rule(mount=mounts, path=paths, number=numbers, spelling=spellings)
    def put(self, mount: str, path: str, number: int, spelling: str) -> None:
        self.store(mount, path, {"k": spelled(number, spelling)}, {number})

    @rule(mount=mounts, path=paths, several=st.lists(st.tuples(numbers, spellings), min_size=2, max_size=4))
    def import_several(self, mount: str, path: str, several: list[tuple[int, str]]) -> None:
        values = {str(at): spelled(*one) for at, one in enumerate(several)}
        self.store(mount, path, values, {number for number, _ in several})

    @rule(mount=st.sampled_from(VERSIONED), path=paths, number=numbers, spelling=spellings)
    def patch(self, mount: str, path: str, number: int, spelling: str) -> None:
        held = self.current.get((mount, path))
        if held is not None:
            values = {f"patched-{number}": spelled(number, spelling)}
            self.store(mount, path, values, held | {number}, is_patch=True)

    @rule(source=mounts, into=mounts, path=paths)
    def copy(self, source: str, into: str, path: str) -> None:
        """Up it is a promotion, down it is what must not be."""
        held = self.current.get((source, path))
        if held is None:
            return
        data = self.vault.get(self.api(source, "data", path)).data
        self.store(into, path, data["data"] if source in VERSIONED else data, set(held))

    @rule(mount=mounts, path=paths)
    def remove(self, mount: str, path: str) -> None:
        if mount not in VERSIONED and (mount, path) in self.current:
            # What it was before stays known of a secret without versions, too; what it is now is forgotten with it.
            gone = self.current.pop((mount, path))
        elif mount in VERSIONED:
            self.current.pop((mount, path), None)
            gone = {number for number, places in self.places.items() if (mount, path) in places}
        else:
            return
        assert self.vault.delete(self.api(mount, "metadata", path)).status == 204
        for number in gone:
            self.places[number].discard((mount, path))

    @rule(mount=st.sampled_from(("dev2", "stage2")))
    def move_up(self, mount: str) -> None:
        """A whole mount goes to the environment above its own."""
        rank = self.rank_of[mount]
        if rank + 1 < len(NAMES):
            target = NAMES[rank + 1]
            shown = self.vault.get(f"sys/environments/{target}").data["mounts"]
            assert write(self.vault, target, mounts=[*shown, mount]).status == 204
            self.rank_of[mount] = rank + 1
            while list_pending(self.vault.node.require(), 2):
                pass

    @rule()
    def restart(self) -> None:
        self.vault.node.seal()
        self.vault.unseal()

    @invariant()
    def nothing_of_above_is_readable_below(self) -> None:
        for rank, token in self.tokens.items():
            for mount, path in self.current:
                answer = self.vault.get(self.api(mount, "data", path), token=token)
                if self.rank_of[mount] != rank:
                    assert answer.status == 403
                    continue
                data = answer.data["data"] if mount in VERSIONED else answer.data
                for number in map(number_in, data.values()):
                    assert self.own[number] <= rank, (
                        f"value {number} of {NAMES[self.own[number]]} is readable in {NAMES[rank]}"
                    )


Apart.TestCase.settings = settings(
    max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestApart = Apart.TestCase
