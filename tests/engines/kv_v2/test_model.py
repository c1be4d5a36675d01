"""The engine against a plain model: after any sequence of requests both say the same about every version of every secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.engines.harness import MountedEngine

from strongroom.engines.kv_v2 import KvV2
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.instant import NANOSECONDS, rfc3339

Body = dict[str, Any]

paths = st.sampled_from(["a", "a/1", "a/1/2", "b"])
bodies = st.dictionaries(
    st.sampled_from(["k", "l", ""]),
    st.none() | st.integers() | st.text(max_size=4) | st.lists(st.booleans(), max_size=2),
    max_size=3,
)
numbers = st.lists(st.integers(min_value=-1, max_value=8), min_size=1, max_size=4)
limits = st.integers(min_value=0, max_value=4)
lifetimes = st.sampled_from([0, 1, 5, 60])


@dataclass
class ModelVersion:
    body: Body | None
    created: int
    deletion: int | None

    def readable(self, now: int) -> bool:
        return self.body is not None and (self.deletion is None or self.deletion > now)


@dataclass
class ModelSecret:
    versions: dict[int, ModelVersion] = field(default_factory=dict)
    current: int = 0
    limit: int = 0
    lifetime: int = 0

    def newest(self) -> ModelVersion | None:
        return self.versions.get(self.current)


class KvV2Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.engine = MountedEngine(KvV2())
        self.secrets: dict[str, ModelSecret] = {}
        self.limit = 0
        self.lifetime = 0

    @property
    def now(self) -> int:
        return self.engine.clock.now_ns()

    def _next_deletion(self, secret: ModelSecret) -> int | None:
        lifetime = min((each for each in (self.lifetime, secret.lifetime) if each > 0), default=None)
        return None if self.lifetime == -1 or lifetime is None else self.now + lifetime * NANOSECONDS

    def _add(self, path: str, body: Body) -> None:
        secret = self.secrets.setdefault(path, ModelSecret())
        secret.current += 1
        secret.versions[secret.current] = ModelVersion(body, self.now, self._next_deletion(secret))
        kept = max(self.limit, secret.limit) or 10
        secret.versions = {n: version for n, version in secret.versions.items() if n > secret.current - kept}

    @rule(path=paths, body=bodies)
    def put(self, path: str, body: Body) -> None:
        self.engine.update(f"data/{path}", data=body)
        self._add(path, body)

    @rule(path=paths, body=bodies, cas=st.integers(min_value=0, max_value=6))
    def put_with_cas(self, path: str, body: Body, cas: int) -> None:
        if cas == self.secrets.get(path, ModelSecret()).current:
            self.engine.update(f"data/{path}", data=body, options={"cas": cas})
            self._add(path, body)
        else:
            with pytest.raises(InvalidRequest):
                self.engine.update(f"data/{path}", data=body, options={"cas": cas})

    @rule(path=paths, body=bodies)
    def patch(self, path: str, body: Body) -> None:
        newest = self.secrets.get(path, ModelSecret()).newest()
        if newest is None or newest.body is None or not newest.readable(self.now):
            with pytest.raises(NotFound):
                self.engine.patch(f"data/{path}", data=body)
            return
        self.engine.patch(f"data/{path}", data=body)
        merged = {**newest.body, **body}
        self._add(path, {key: value for key, value in merged.items() if not (key in body and value is None)})

    @rule(path=paths)
    def delete_newest(self, path: str) -> None:
        self.engine.delete(f"data/{path}")
        newest = self.secrets.get(path, ModelSecret()).newest()
        if newest is not None and newest.readable(self.now):
            newest.deletion = self.now

    @rule(path=paths, chosen=numbers)
    def delete_versions(self, path: str, chosen: list[int]) -> None:
        self.engine.update(f"delete/{path}", versions=chosen)
        for version in self._chosen(path, chosen):
            if version.readable(self.now):
                version.deletion = self.now

    @rule(path=paths, chosen=numbers)
    def undelete_versions(self, path: str, chosen: list[int]) -> None:
        self.engine.update(f"undelete/{path}", versions=chosen)
        for version in self._chosen(path, chosen):
            if version.body is not None:
                version.deletion = self._next_deletion(self.secrets[path])

    @rule(path=paths, chosen=numbers)
    def destroy_versions(self, path: str, chosen: list[int]) -> None:
        self.engine.update(f"destroy/{path}", versions=chosen)
        for version in self._chosen(path, chosen):
            version.body = None

    @rule(path=paths)
    def delete_metadata(self, path: str) -> None:
        self.engine.delete(f"metadata/{path}")
        self.secrets.pop(path, None)

    @rule(path=paths, limit=limits, lifetime=lifetimes)
    def set_metadata(self, path: str, limit: int, lifetime: int) -> None:
        self.engine.update(f"metadata/{path}", max_versions=limit, delete_version_after=lifetime)
        secret = self.secrets.setdefault(path, ModelSecret())
        secret.limit, secret.lifetime = limit, lifetime

    @rule(limit=limits, lifetime=lifetimes | st.just(-1))
    def set_config(self, limit: int, lifetime: int) -> None:
        self.engine.update("config", max_versions=limit, delete_version_after=lifetime)
        self.limit, self.lifetime = limit, lifetime

    @rule(seconds=st.integers(min_value=0, max_value=90))
    def jump(self, seconds: int) -> None:
        self.engine.clock.jump(seconds)

    def _chosen(self, path: str, chosen: list[int]) -> list[ModelVersion]:
        versions = self.secrets.get(path, ModelSecret()).versions
        return [versions[number] for number in set(chosen) if number in versions]

    @invariant()
    def every_version_reads_the_same(self) -> None:
        for path in ("a", "a/1", "a/1/2", "b"):
            secret = self.secrets.get(path, ModelSecret())
            for number in range(secret.current + 2):
                version = secret.versions.get(number or secret.current)
                assert self._read(path, number) == (version.body if version and version.readable(self.now) else None)

    @invariant()
    def metadata_says_the_same(self) -> None:
        for path, secret in self.secrets.items():
            shown = self.engine.read(f"metadata/{path}")
            assert shown["current_version"] == secret.current
            assert shown["versions"] == {
                str(number): {
                    "created_time": rfc3339(version.created),
                    "deletion_time": "" if version.deletion is None else rfc3339(version.deletion),
                    "destroyed": version.body is None,
                }
                for number, version in secret.versions.items()
            }

    @invariant()
    def nothing_is_stored_beyond_it_and_all_of_it_is_fingerprinted(self) -> None:
        bodies = {
            (path, number): version.body
            for path, secret in self.secrets.items()
            for number, version in secret.versions.items()
            if version.body is not None
        }
        known = self.engine.fingerprints.known
        assert [place for place, body in bodies.items() if body not in known.get(place[0], ())] == []
        stored = {f"versions/{path}/{number}" for path, number in bodies} | {
            f"metadata/{path}" for path in self.secrets
        }
        assert set(self.engine.storage.records) - {"config"} == stored

    def _read(self, path: str, number: int) -> Body | None:
        try:
            body: Body = self.engine.read(f"data/{path}", version=number)["data"]
        except NotFound:
            return None
        return body


KvV2Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestKvV2 = KvV2Machine.TestCase
