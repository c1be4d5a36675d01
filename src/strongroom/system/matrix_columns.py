"""Environments side by side: which place in one is the same as which in another, and what is there that the caller may list."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from strongroom.environments.correspondence import parts_of
from strongroom.environments.environment import Environment
from strongroom.logical.errors import InvalidRequest
from strongroom.system.secret_access import Access, SecretMount
from strongroom.system.secret_walk import Walk, folder_of


@dataclass(frozen=True, slots=True)
class Column:
    """One environment. ``parts`` are its mounts by what they are called in every environment."""

    environment: Environment
    parts: dict[str, SecretMount]

    @property
    def name(self) -> str:
        """That of the environment."""
        return self.environment.name

    def place(self, label: str) -> tuple[SecretMount, str] | None:
        """Where ``label`` is in this environment, or None where it has no such mount."""
        for part, mount in self.parts.items():
            if not part:
                return mount, label
            if label.startswith(f"{part}/"):
                return mount, label[len(part) + 1 :]
        return None


@dataclass(frozen=True, slots=True)
class Found:
    """A label under which some of the columns have a secret that the caller may list."""

    label: str
    listed_in: frozenset[str]
    closes: bool


def columns(access: Access, wanted: Sequence[str]) -> list[Column]:
    """The environments called ``wanted``, or all that the caller may see something of, the least sensitive first.

    Raises InvalidRequest where one that was named is not there for the caller.
    """
    mounts = access.mounts()
    known = {one.name: one for one in access.environments}
    seen = {mount.environment.name for mount in mounts if mount.environment and access.may_see(mount)}
    names = {name.lower() for name in wanted} or seen
    if not names <= seen:
        raise InvalidRequest(
            "one of the environments is not there, has no secrets, or is none of yours; list sys/environments to see which there are"
        )
    of = {name: {mount.path: mount for mount in mounts if mount.environment is known[name]} for name in names}
    parts = parts_of({name: sorted(paths) for name, paths in of.items()})
    ordered = [one for one in known.values() if one.name in names]
    return [Column(one, {part: of[one.name][path] for part, path in parts[one.name].items()}) for one in ordered]


def column_called(columns_: Sequence[Column], name: str) -> Column:
    """The column of the environment called ``name``. Raises LookupError."""
    return next(column for column in columns_ if column.name == name.lower())


def labels(access: Access, compared: Sequence[Column], label: str, after: str) -> Iterator[Found]:
    """What is at ``label`` itself and below it, beyond ``after``, in order; of what the caller may list or named."""
    walk = Walk(access)
    streams = [_of_column(access, walk, column, label.strip("/"), after) for column in compared]
    merged = heapq.merge(*streams)
    for name, group in groupby(merged, key=lambda one: one[0]):
        there = list(group)
        yield Found(name, frozenset(one[1] for one in there), any(one[2] for one in there))


def _of_column(access: Access, walk: Walk, column: Column, label: str, after: str) -> Iterator[tuple[str, str, bool]]:
    if label and (not after or label > after) and _is_known_at(access, column, label):
        yield label, column.name, False
    for part, mount in sorted(column.parts.items(), key=lambda one: f"{one[0]}/"):
        prefix = f"{part}/" if part else ""
        below = folder_of(label)
        if not (below.startswith(prefix) or prefix.startswith(below)):
            continue
        if after > prefix and not after.startswith(prefix):
            continue  # every label of this part was there already
        start = after[len(prefix) :] if after.startswith(prefix) else ""
        for name in walk.names(mount, below[len(prefix) :] if below.startswith(prefix) else "", start):
            yield prefix + name.path, column.name, name.closes


def _is_known_at(access: Access, column: Column, label: str) -> bool:
    """Whether the caller may know that there is a secret at ``label``, which they named themselves, and there is one."""
    place = column.place(label)
    if place is None or not place[1]:
        return False
    mount, path = place
    may_know = access.may_know_keys(mount, path) or access.may_list(mount, path[: path.rfind("/") + 1])
    return may_know and access.state(mount, path) is not None
