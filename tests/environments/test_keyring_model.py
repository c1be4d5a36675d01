"""Whatever is written, moved, rotated, sealed and deleted in whatever order: in the end each row lies under its environment's keyring."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.environments.rings import findings, keyrings_below, settle, storage_of, stored_keyrings
from tests.environments.world import write
from tests.kit import Vault

from strongroom.core.resealing import Resealing

NAMES = ("a", "b", "c")
MOUNTS = ("one", "two", "three", "auth/approle")
names, mounts, numbers = st.sampled_from(NAMES), st.sampled_from(MOUNTS), st.integers(0, 5)


class Rings(RuleBasedStateMachine):
    """``place`` says to which environment a mount belongs, ``values`` what was written where."""

    @initialize()
    def begin(self) -> None:
        self.vault = Vault()
        self.vault.post("sys/auth/approle", {"type": "approle"})
        self.place: dict[str, str | None] = {"auth/approle": None}
        self.values: dict[tuple[str, int], str] = {}
        self.made: set[str] = set()
        self.seen_ids: set[int] = {0}
        for name in MOUNTS[:3]:
            self.mount(name)

    @rule(name=st.sampled_from(MOUNTS[:3]))
    def mount(self, name: str) -> None:
        if name not in self.place:
            self.vault.mount(name, options={"version": "2"} if name == "two" else {})
            self.place[name] = None

    @rule(name=st.sampled_from(MOUNTS[:3]))
    def unmount(self, name: str) -> None:
        if name in self.place:
            assert self.vault.delete(f"sys/mounts/{name}").status == 204
            del self.place[name]
            self.values = {at: value for at, value in self.values.items() if at[0] != name}

    @rule(mount=mounts, number=numbers, value=st.integers(0, 10**9))
    def write_value(self, mount: str, number: int, value: int) -> None:
        if mount not in self.place:
            return
        if mount.startswith("auth/"):
            assert self.vault.post(f"{mount}/role/r{number}", {"token_ttl": value % 1000}).status == 204
            self.values[mount, number] = str(value % 1000)
            return
        body, path = ({"data": {"k": str(value)}}, "two/data/") if mount == "two" else ({"k": str(value)}, f"{mount}/")
        assert self.vault.post(f"{path}{number}", body).status in {200, 204}
        self.values[mount, number] = str(value)

    @rule(name=names, chosen=st.sets(mounts))
    def give(self, name: str, chosen: set[str]) -> None:
        """Make the environment, or change what belongs to it."""
        members = [mount for mount in sorted(chosen) if mount in self.place]
        fields: dict[str, Any] = {"rank": NAMES.index(name), "mounts": members, "downward": True, "reuse": "allow"}
        assert write(self.vault, name, **fields).status == 204
        self.made.add(name)
        for mount, place in self.place.items():
            if mount in members:
                self.place[mount] = name
            elif place == name:
                self.place[mount] = None

    @rule(name=names)
    def remove(self, name: str) -> None:
        if name in self.made and name not in self.place.values():
            assert self.vault.delete(f"sys/environments/{name}").status == 204
            self.made.discard(name)

    @rule(name=names)
    def rotate(self, name: str) -> None:
        if name in self.made:
            before = self.keyring(name)["term"]
            assert self.vault.post(f"sys/environments/{name}/rotate").status == 200
            assert self.keyring(name)["term"] == before + 1
        else:
            assert self.vault.post("sys/rotate").status == 204

    @rule(steps=st.integers(1, 3))
    def reseal_a_little(self, steps: int) -> None:
        resealing = Resealing(self.vault.node)
        resealing._rows = 1
        for _ in range(steps):
            resealing.step(self.vault.node.require())

    @rule()
    def restart(self) -> None:
        self.vault.node.seal()
        self.vault.unseal()

    @rule()
    def change_root_key(self) -> None:
        assert self.vault.post("sys/rotate/root").status == 204

    @rule()
    def wait(self) -> None:
        settle(self.vault)
        ids = {name: self.keyring(name)["id"] for name in self.made}
        assert len(set(ids.values())) == len(ids)
        assert stored_keyrings(self.vault) == {0, *ids.values()}
        for mount, place in self.place.items():
            found = keyrings_below(self.vault.store, storage_of(self.vault, mount))
            assert set(found.values()) <= {ids[place] if place else 0}, (mount, found)
        assert set(keyrings_below(self.vault.store, "core/").values()) == {0}
        assert findings(self.vault) == []

    @invariant()
    def everything_reads_back(self) -> None:
        for (mount, number), value in self.values.items():
            if mount.startswith("auth/"):
                assert self.vault.get(f"{mount}/role/r{number}").data["token_ttl"] == int(value)
            elif mount == "two":
                assert self.vault.get(f"two/data/{number}").data["data"] == {"k": value}
            else:
                assert self.vault.get(f"{mount}/{number}").data == {"k": value}
        for name in self.made:
            assert self.keyring(name)["id"]

    def keyring(self, name: str) -> dict[str, int]:
        found: dict[str, int] = self.vault.get(f"sys/environments/{name}").data["keyring"]
        return found

    def teardown(self) -> None:
        if hasattr(self, "vault"):
            self.wait()
            assert self.vault.failures == []


Rings.TestCase.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestRings = Rings.TestCase
