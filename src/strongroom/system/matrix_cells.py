"""What one key of one secret is in each environment, as far as the caller may know it. Values are compared here, and none leaves.

Two values are the *same* where they are equal, or alike as the guard against reuse sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from strongroom.encoding.json import encode
from strongroom.environments.forms import LENGTH_MIN, one_form
from strongroom.logical.instant import rfc3339
from strongroom.logical.inventory import SecretState
from strongroom.logical.secret_notes import Notes, read_notes
from strongroom.system.fingerprint_rows import KnownValues
from strongroom.system.matrix_columns import Column, Found
from strongroom.system.override_store import Overrides, takes_overrides
from strongroom.system.secret_access import Access, SecretMount


class State(Enum):
    """What a cell is. Of several the first in this order is the one to show."""

    LEAKED = "leaked"
    STALE = "stale"
    OVERRIDDEN = "overridden"
    SAME = "same"
    EMPTY = "empty"
    SET = "set"
    MISSING = "missing"
    HIDDEN = "hidden"


class Stale(Enum):
    """Why a value is stale."""

    EXPIRED = "expired"
    """The time in ``expires_at`` of the secret has come."""
    TOO_OLD = "too old"
    """It has been there for longer than ``max_age`` of the secret says."""
    BEHIND = "behind"
    """A less sensitive environment has had another value since later."""


@dataclass(slots=True)
class Look:
    """What one environment holds at one label. ``values`` is None where the caller may not know the keys."""

    column: Column
    mount: SecretMount | None = None
    path: str = ""
    state: SecretState | None = None
    values: Mapping[str, Any] | None = None
    may_read: bool = False
    is_hidden: bool = False
    overridden: frozenset[str] = frozenset()
    notes: Notes = field(default_factory=Notes)


@dataclass(slots=True)
class Cell:
    """One key in one environment."""

    look: Look
    states: set[State]
    since_ns: int = 0
    same_as: list[str] = field(default_factory=list)
    stale: list[Stale] = field(default_factory=list)
    value: Any = field(default=None, repr=False)

    @property
    def is_readable(self) -> bool:
        """Whether the caller could read the value."""
        return self.look.may_read and self.states.isdisjoint({State.MISSING, State.HIDDEN})

    def described(self) -> dict[str, Any]:
        """For the answer: never the value."""
        ordered = [state.value for state in State if state in self.states]
        shown: dict[str, Any] = {"state": ordered[0], "states": ordered}
        if self.same_as:
            shown["same_as"] = self.same_as
        if self.stale:
            shown["stale"] = [reason.value for reason in self.stale]
        if self.since_ns:
            shown["since"] = rfc3339(self.since_ns)
        if self.look.state is not None and self.look.values is not None and self.look.state.version:
            shown["version"] = self.look.state.version
        return shown


@dataclass(slots=True)
class Row:
    """One key of the secrets at one label, by environment. ``key`` is ``""`` where the caller may only know that a secret is there."""

    label: str
    key: str
    cells: dict[str, Cell]

    @property
    def is_equal(self) -> bool | None:
        """Whether all have the same value, or none; None where the caller may not know."""
        cells = list(self.cells.values())
        missing = [State.MISSING in cell.states for cell in cells]
        if any(missing) and not all(missing):
            return None if any(State.HIDDEN in cell.states for cell in cells) else False
        if all(missing):
            return True
        if not all(cell.is_readable for cell in cells):
            return None
        return all(same(cells[0].value, cell.value) for cell in cells[1:])

    def described(self) -> dict[str, Any]:
        """For the answer."""
        cells = {name: cell.described() for name, cell in self.cells.items()}
        return {"path": self.label, "key": self.key, "equal": self.is_equal, "cells": cells}


class Reader:
    """Makes rows for one request. ``size`` is how many bytes of secrets it has opened."""

    def __init__(self, access: Access, known: KnownValues, overrides: Overrides | None, now_ns: int) -> None:
        self._access = access
        self._known = known
        self._overrides = overrides
        self._now_ns = now_ns
        self.size = 0

    def rows(self, compared: Sequence[Column], found: Found) -> Iterator[Row]:
        """Every key of the secrets at a label."""
        looks = [self._look(column, found) for column in compared]
        keys = sorted({key for look in looks for key in (*(look.values or ()), *look.overridden)})
        for key in keys:
            yield self._row(found.label, key, looks)
        if not keys and any(look.is_hidden and look.column.name in found.listed_in for look in looks):
            yield self._row(found.label, "", looks)

    def look(self, column: Column, label: str) -> Look:
        """What one environment holds at ``label``."""
        return self._look(column, Found(label, frozenset(), closes=False))

    def _look(self, column: Column, found: Found) -> Look:
        place = column.place(found.label)
        if place is None:
            return Look(column)
        mount, path = place
        look = Look(column, mount, path)
        if not self._access.may_know_keys(mount, path):
            may_list = self._access.may_list(mount, path[: path.rfind("/") + 1])
            look.is_hidden = column.name in found.listed_in or not may_list
            return look
        look.may_read = self._access.may_read(mount, path)
        look.overridden = self._overridden(mount, path)
        look.state = self._access.state(mount, path)
        if look.state is not None:
            self.size += look.state.size
            look.is_hidden = look.state.is_damaged
            look.values = look.state.values
            look.notes = read_notes(look.state.notes)
        return look

    def _overridden(self, mount: SecretMount, path: str) -> frozenset[str]:
        """The keys that the caller has put values of their own over."""
        if self._overrides is None or not takes_overrides(mount.environment, self._access.environments):
            return frozenset()
        return frozenset(self._overrides.of(mount.uuid, path))

    def _row(self, label: str, key: str, looks: Sequence[Look]) -> Row:
        cells = {look.column.name: self._cell(key, look) for look in looks}
        ordered = list(cells.items())
        for at, (name, cell) in enumerate(ordered):
            if not cell.is_readable:
                continue
            others = [(other, one) for other, one in ordered if other != name and one.is_readable]
            cell.same_as = [other for other, one in others if same(cell.value, one.value)]
            below = [one for other, one in ordered[:at] if one.is_readable and other not in cell.same_as]
            cell.stale = list(self._stale(cell, below))
            cell.states |= {State.SAME} if cell.same_as else set()
            cell.states |= {State.STALE} if cell.stale else set()
        return Row(label, key, cells)

    def _cell(self, key: str, look: Look) -> Cell:
        if look.is_hidden:
            return Cell(look, {State.HIDDEN})
        overridden = {State.OVERRIDDEN} if key in look.overridden else set()
        if look.values is None or key not in look.values:
            return Cell(look, {State.MISSING} | overridden)
        if not look.may_read or look.mount is None or look.state is None:
            return Cell(look, {State.SET} | overridden)
        value = look.values[key]
        state = State.EMPTY if value in ("", None) else State.SET
        cell = Cell(look, {state} | overridden, value=value)
        version = self._known.first_version(look.mount.uuid, look.path, key, value)
        cell.since_ns = look.state.since_ns(version or look.state.version)
        if self._known.has_leaked(value):
            cell.states.add(State.LEAKED)
        return cell

    def _stale(self, cell: Cell, below: Sequence[Cell]) -> Iterator[Stale]:
        notes = cell.look.notes
        if notes.expires_ns and notes.expires_ns <= self._now_ns:
            yield Stale.EXPIRED
        if notes.max_age_ns and cell.since_ns and cell.since_ns + notes.max_age_ns <= self._now_ns:
            yield Stale.TOO_OLD
        if cell.since_ns and any(one.since_ns > cell.since_ns for one in below):
            yield Stale.BEHIND


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, or alike as the guard sees it."""
    if encode(one) == encode(other):
        return True
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    form = one_form(one)
    return len(form) >= LENGTH_MIN and form == one_form(other)
