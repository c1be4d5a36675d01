"""Whatever is written, imported, promoted, rotated, moved and removed in whatever order: no value of production is readable or stored below.

A value is production's own where it was there first. The model knows for each value where it is or was, and so which write must be refused;
the vault must agree in both directions, and bound tokens then read all that they can.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote, unquote

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.environments.world import NAMES, bound, vault_with_environments, write
from tests.kit import Vault

from strongroom.core.reuse_index import list_pending
from strongroom.quotas.guesses import BLOCK_SECONDS

REFUSED = "in use in a more protected environment"
PATHS = ("app", "app/db", "team")
VERSIONED = ("two-dev", "two-stage", "two-prod")
MOUNTS = ("one-dev", "one-stage", "one-prod", *VERSIONED)

ADDRESS = "amqp://user:"

GENERATED = re.compile("[0-9]{9}")
"""What the vault generates here, and no spelling of a value of the pool looks like."""

mounts = st.sampled_from(MOUNTS)
paths = st.sampled_from(PATHS)
numbers = st.integers(0, 7)
spellings = st.sampled_from(
    ("plain", "blanks", "capitals", "base64", "url", "hex", "document", "0x", "colons", "address")
)


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
        "0x": f"0x{content.hex()}",
        "colons": content.hex(":"),
        "address": f"{ADDRESS}{quote(value, safe='')}@host/",
    }[spelling]


def number_in(value: Any) -> int | None:
    """The inverse of :func:`spelled`; None of a value that the vault generated."""
    if isinstance(value, str) and GENERATED.fullmatch(value):
        return None
    text = value["inner"][0] if isinstance(value, dict) else value.strip()
    text = text.removeprefix("0x")
    if text.startswith(ADDRESS):
        text = unquote(text.removeprefix(ADDRESS))
    elif ":" in text:
        text = text.replace(":", "")
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
            self.vault.post("sys/remount", {"from": name, "to": f"one-{name}"})
            self.vault.mount(f"two-{name}", options={"version": "2"})
            write(self.vault, name, mounts=[f"one-{name}", f"two-{name}"])
            self.rank_of |= {f"one-{name}": rank, f"two-{name}": rank}
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
        values = {key: value for key, value in self.values_of(source, path).items() if number_in(value) is not None}
        if values:
            self.store(into, path, values, set(held))

    def history(self, mount: str, path: str) -> set[int]:
        """The values that go along with a secret: all that it had, where there are versions."""
        if mount not in VERSIONED:
            return set(self.current[mount, path])
        return {number for number, places in self.places.items() if (mount, path) in places}

    @rule(source=mounts, path=paths, into=mounts, name=paths, is_move=st.booleans())
    def transfer(self, source: str, path: str, into: str, name: str, *, is_move: bool) -> None:
        """On the server: a move goes up or stays, a copy stays, and nothing goes down."""
        if (source, path) not in self.current or (source in VERSIONED) is not (into in VERSIONED):
            return
        here, there = self.rank_of[source], self.rank_of[into]
        moved = self.history(source, path)
        others = {number: self.places[number] - {(source, path)} for number in moved}
        is_above = any(self.rank_of[mount] > there for places in others.values() for mount, _ in places)
        must_refuse = there < here or (there > here and (not is_move or is_above)) or (into, name) in self.current
        way = "move" if is_move else "copy"
        answer = self.vault.post(f"sys/secrets/{way}", {"from": f"{source}/{path}", "to": f"{into}/{name}"})
        if answer.status == 429:
            self.vault.clock.jump(2 * BLOCK_SECONDS)
            answer = self.vault.post(f"sys/secrets/{way}", {"from": f"{source}/{path}", "to": f"{into}/{name}"})
        assert (answer.status == 400) is must_refuse, (answer, moved, self.places)
        if must_refuse:
            return
        assert answer.status == 200, answer
        self.current[into, name] = set(self.current[source, path])
        for number in moved:
            self.places[number].add((into, name))
            if is_move:
                self.places[number].discard((source, path))
            self.own[number] = min(self.rank_of[mount] for mount, _ in self.places[number])
        if is_move:
            del self.current[source, path]

    @rule(source=st.sampled_from(NAMES), into=st.sampled_from(NAMES), path=paths, part=st.sampled_from(("one", "two")))
    def promote(self, source: str, into: str, path: str, part: str) -> None:
        """Values of the pool are all such that they are never copied: they are left, or others are drawn."""
        here, there = f"{part}-{source}", f"{part}-{into}"
        if (here, path) not in self.current or self.rank_of[here] != NAMES.index(source):
            return
        # Between environments of one mount each, the mounts correspond whatever they are called.
        ranks = list(self.rank_of.values())
        are_single = all(ranks.count(NAMES.index(name)) == 1 for name in (source, into))
        if not are_single and self.rank_of[there] != NAMES.index(into):
            return  # it was moved away, and nothing corresponds
        body = {"path": path if are_single else f"{part}/{path}", "from": source, "to": into}
        plan = self.vault.post("sys/promote", body)
        if NAMES.index(into) <= NAMES.index(source):
            assert (plan.status, "upward only" in str(plan.errors)) == (400, True)
            return
        assert plan.status == 200, plan
        (secret,) = plan.data["secrets"]
        assert set(secret["keys"].values()) <= {"refused", "kept", "same"}
        generate = dict.fromkeys(secret["keys"], "digits:9")
        plan = self.vault.post("sys/promote", {**body, "generate": generate})
        done = self.vault.post("sys/promote", {**body, "generate": generate, "check": plan.data["check"]})
        if (there, path) not in self.current:
            assert done.status == 200, done
        if done.status == 200:
            left = self.values_of(there, path)
            self.current[there, path] = {number for value in left.values() if (number := number_in(value)) is not None}

    def values_of(self, mount: str, path: str) -> dict[str, Any]:
        data = self.vault.get(self.api(mount, "data", path)).data
        found: dict[str, Any] = data["data"] if mount in VERSIONED else data
        return found

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

    @rule(mount=st.sampled_from(("two-dev", "two-stage")))
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
                    assert number is None or self.own[number] <= rank, (
                        f"value {number} of {NAMES[self.own[number]]} is readable in {NAMES[rank]}"
                    )


Apart.TestCase.settings = settings(
    max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestApart = Apart.TestCase
