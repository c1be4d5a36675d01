"""All environments at one epoch: an immutable picture, read again once anything that it depends on was changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from strongroom.environments.environment import Environment
from strongroom.environments.forms import one_form
from strongroom.environments.store import all_environments
from strongroom.logical.storage import Storage


class EnvironmentMap:
    """Environments by name and by mount. Immutable."""

    __slots__ = ("_above", "_by_mount", "_by_name", "_lowest_rank", "_shared")

    def __init__(self, environments: Iterable[Environment]) -> None:
        ordered = sorted(environments, key=lambda one: one.rank)
        self._by_name = {one.name: one for one in ordered}
        self._by_mount = {uuid: one for one in ordered for uuid in one.mounts}
        self._lowest_rank = ordered[0].rank if ordered else 0
        self._above = {
            one.name: frozenset(uuid for other in ordered if other.rank > one.rank for uuid in other.mounts)
            for one in ordered
        }
        self._shared = {one.name: frozenset(map(one_form, one.shared_values)) for one in ordered}

    def get(self, name: str) -> Environment | None:
        """The environment called ``name``."""
        return self._by_name.get(name)

    def of_mount(self, uuid: str) -> Environment | None:
        """The environment that the mount belongs to."""
        return self._by_mount.get(uuid)

    def is_lowest(self, environment: Environment) -> bool:
        """Whether nothing is less sensitive."""
        return environment.rank == self._lowest_rank

    def mounts_above(self, environment: Environment) -> frozenset[str]:
        """The mounts of all environments that are more sensitive."""
        return self._above[environment.name]

    def shared_forms(self, environment: Environment) -> frozenset[str]:
        """The one forms of the values that it shares with others by declaration."""
        return self._shared[environment.name]

    @property
    def listed_mounts(self) -> frozenset[str]:
        """The mounts whose values are listed for the guard: those with something below them."""
        return frozenset(uuid for uuid, one in self._by_mount.items() if not self.is_lowest(one))

    def __iter__(self) -> Iterator[Environment]:
        """The least sensitive first."""
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)


class EnvironmentBook:
    """Keeps the map of the epoch that was asked for last. Safe between threads: a map is replaced as a whole."""

    def __init__(self) -> None:
        self._cached: tuple[int | None, EnvironmentMap] = (None, EnvironmentMap(()))

    def at(self, storage: Storage, epoch: int) -> EnvironmentMap:
        """The environments at ``epoch``, the version of the epoch record."""
        cached_epoch, cached = self._cached
        if cached_epoch == epoch:
            return cached
        fresh = EnvironmentMap(all_environments(storage))
        self._cached = (epoch, fresh)
        return fresh
