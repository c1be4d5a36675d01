"""All environments at one epoch: an immutable picture, read again once anything that it depends on was changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from strongroom.environments.environment import Environment, Reuse
from strongroom.environments.forms import one_form
from strongroom.environments.store import all_environments
from strongroom.logical.storage import Storage


class Standing(NamedTuple):
    """What a mount's environment means for the values in it."""

    environment: Environment
    above: frozenset[str]
    """The mounts of all environments that are more sensitive."""
    is_judged: bool
    """Whether a value that is in use above may not be stored here, or is warned of."""
    is_listed: bool
    """Whether something is less sensitive, so that what is stored here must not be stored there."""
    looks_below: bool
    """Whether a value that is in use below is warned of here."""


class EnvironmentMap:
    """Environments by name and by mount. Immutable."""

    __slots__ = ("_by_mount", "_by_name", "_shared", "are_apart", "standings")

    def __init__(self, environments: Iterable[Environment]) -> None:
        ordered = sorted(environments, key=lambda one: one.rank)
        self._by_name = {one.name: one for one in ordered}
        self._by_mount = {uuid: one for one in ordered for uuid in one.mounts}
        lowest = ordered[0].rank if ordered else 0
        self.are_apart = len(ordered) > 1
        """Whether there are several, so that values of one must not be in another."""
        self.standings: dict[str, Standing] = {}
        """By the uuid of each mount that belongs to an environment."""
        for one in ordered:
            self.standings.update(dict.fromkeys(one.mounts, _standing(one, ordered, lowest)))
        self._shared = {one.name: frozenset(map(one_form, one.shared_values)) for one in ordered}

    def get(self, name: str) -> Environment | None:
        """The environment called ``name``."""
        return self._by_name.get(name)

    def of_mount(self, uuid: str) -> Environment | None:
        """The environment that the mount belongs to."""
        return self._by_mount.get(uuid)

    def shared_forms(self, environment: Environment) -> frozenset[str]:
        """The one forms of the values that it shares with others by declaration."""
        return self._shared[environment.name]

    @property
    def listed_mounts(self) -> frozenset[str]:
        """The mounts whose values are listed for the guard: those with something below them."""
        return frozenset(uuid for uuid, standing in self.standings.items() if standing.is_listed)

    def __iter__(self) -> Iterator[Environment]:
        """The least sensitive first."""
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)


def _standing(environment: Environment, all_of_them: Iterable[Environment], lowest_rank: int) -> Standing:
    above = frozenset(uuid for other in all_of_them if other.rank > environment.rank for uuid in other.mounts)
    is_listed, minds = environment.rank != lowest_rank, environment.reuse is not Reuse.ALLOW
    return Standing(environment, above, bool(above) and minds, is_listed, is_listed and minds)


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
