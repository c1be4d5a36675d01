"""What clients do with secrets and with the mounts that hold them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.machine.model import Model, Mount, Secret
from tests.machine.stage import Stage
from tests.processes import Result

PATHS = st.sampled_from(["one", "two", "three/deep"])
NAMES = st.sampled_from(["a", "b"])
BODIES = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), min_size=1, max_size=2)


class KvRules(Stage):
    """Rules of mounts and of secrets."""

    @rule(path=PATHS, is_versioned=st.booleans())
    def mount(self, path: str, *, is_versioned: bool) -> None:
        def effect(model: Model, result: Result | None) -> None:
            del result
            model.mounts[path] = Mount(is_versioned)

        body = {"type": "kv", **({"options": {"version": "2"}} if is_versioned else {})}
        self.ask(
            "POST", f"sys/mounts/{path}", body, effect=effect, expected={400 if path in self.model.mounts else 204}
        )

    @rule(path=PATHS)
    def unmount(self, path: str) -> None:
        def effect(model: Model, result: Result | None) -> None:
            del result
            model.mounts.pop(path, None)

        self.ask("DELETE", f"sys/mounts/{path}", effect=effect, expected={204})

    @rule(path=PATHS, description=st.sampled_from(["", "first", "second"]))
    def tune(self, path: str, description: str) -> None:
        def effect(model: Model, result: Result | None) -> None:
            del result
            model.mounts[path].description = description

        expected = 204 if path in self.model.mounts else 400
        self.ask("POST", f"sys/mounts/{path}/tune", {"description": description}, effect=effect, expected={expected})

    @rule(path=PATHS, new_path=PATHS)
    def move(self, path: str, new_path: str) -> None:
        def effect(model: Model, result: Result | None) -> None:
            del result
            model.mounts[new_path] = model.mounts.pop(path)

        can = path in self.model.mounts and new_path not in self.model.mounts
        self.ask("POST", "sys/remount", {"from": path, "to": new_path}, effect=effect, expected={200 if can else 400})

    # Without versions, or one interface for both: what a client that does not know finds out

    @rule(path=PATHS, name=NAMES, body=BODIES)
    def put(self, path: str, name: str, body: dict[str, Any]) -> None:
        mount = self.model.mounts.get(path)
        if mount is not None and mount.is_versioned:
            self.put_version(path, name, body, None)
            return

        def effect(model: Model, result: Result | None) -> None:
            del result
            model.mounts[path].plain[name] = body

        self.ask("POST", f"{path}/{name}", body, effect=effect, expected={404 if mount is None else 204})

    @rule(path=PATHS, name=NAMES)
    def delete(self, path: str, name: str) -> None:
        mount = self.model.mounts.get(path)
        is_versioned = mount is not None and mount.is_versioned

        def effect(model: Model, result: Result | None) -> None:
            del result
            if not is_versioned:
                model.mounts[path].plain.pop(name, None)
                return
            secret = model.mounts[path].secrets.get(name)
            newest = secret.newest() if secret else None
            if newest is not None and not newest.is_destroyed:
                newest.is_deleted = True

        target = f"{path}/data/{name}" if is_versioned else f"{path}/{name}"
        self.ask("DELETE", target, effect=effect, expected={404 if mount is None else 204})

    # With versions

    @rule(path=PATHS, name=NAMES, body=BODIES, cas=st.none() | st.integers(-1, 1))
    def put_version(self, path: str, name: str, body: dict[str, Any], cas: int | None) -> None:
        """``cas`` is the distance from the version that would be right."""
        current = self._secret(path, name).current

        def effect(model: Model, result: Result | None) -> None:
            model.mounts[path].secrets.setdefault(name, Secret()).add(body)
            assert result is None or result.data["version"] == current + 1

        if self._is_versioned(path):
            sent = {"data": body, **({} if cas is None else {"options": {"cas": current + cas}})}
            self.ask("POST", f"{path}/data/{name}", sent, effect=effect, expected={400 if cas else 200})

    @rule(path=PATHS, name=NAMES, changes=st.dictionaries(st.sampled_from("xyz"), st.none() | st.integers(0, 9)))
    def patch(self, path: str, name: str, changes: dict[str, Any]) -> None:
        before = self._secret(path, name)
        body = before.readable(before.current)
        after = {key: value for key, value in {**(body or {}), **changes}.items() if value is not None}

        def effect(model: Model, result: Result | None) -> None:
            del result
            model.mounts[path].secrets[name].add(after)

        if self._is_versioned(path):
            expected = 404 if body is None else 200
            self.ask("PATCH", f"{path}/data/{name}", {"data": changes}, effect=effect, expected={expected})

    @precondition(lambda self: self.known_secrets())
    @rule(
        data=st.data(),
        what=st.sampled_from(["undelete", "delete", "destroy"]),
        back=st.sets(st.integers(0, 2), min_size=1),
    )
    def change_versions(self, data: st.DataObject, what: str, back: set[int]) -> None:
        """``back`` are the versions, counted from the newest."""
        path, name = data.draw(st.sampled_from(self.known_secrets()))
        numbers = [self._secret(path, name).current - one for one in sorted(back)]

        def effect(model: Model, result: Result | None) -> None:
            del result
            versions = model.mounts[path].secrets.get(name, Secret()).versions
            for version in [versions[number - 1] for number in numbers if 0 < number <= len(versions)]:
                if version is None:
                    continue
                if what == "destroy":
                    version.is_destroyed = True
                elif not version.is_destroyed:
                    version.is_deleted = what == "delete"

        self.ask("POST", f"{path}/{what}/{name}", {"versions": numbers}, effect=effect, expected={204})

    @rule(path=PATHS, name=NAMES)
    def remove_secret(self, path: str, name: str) -> None:
        def effect(model: Model, result: Result | None) -> None:
            del result
            model.mounts[path].secrets.pop(name, None)

        if self._is_versioned(path):
            self.ask("DELETE", f"{path}/metadata/{name}", effect=effect, expected={204})

    def known_secrets(self) -> list[tuple[str, str]]:
        """Mount and name of everything that has versions."""
        return [(path, name) for path, mount in self.model.mounts.items() for name in mount.secrets]

    def _is_versioned(self, path: str) -> bool:
        mount = self.model.mounts.get(path)
        return mount is not None and mount.is_versioned

    def _secret(self, path: str, name: str) -> Secret:
        mount = self.model.mounts.get(path)
        return Secret() if mount is None else mount.secrets.get(name, Secret())
