"""``sys/matrix`` and ``sys/reuse``: keys by environments, and where values are in use elsewhere. No answer holds a value.

Each shows only what the calling token may list or read where it lies, so that it needs no right of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

from strongroom.environments.forms import forms_in
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.system.fingerprint_rows import KnownValues, ValuePlace
from strongroom.system.matrix_cells import Reader, Row, State, same
from strongroom.system.matrix_columns import Column, columns, labels
from strongroom.system.node import Node
from strongroom.system.override_store import Overrides, owner_of
from strongroom.system.secret_access import Access, SecretMount
from strongroom.system.secret_walk import BYTES_MAX

LIMIT_DEFAULT = 200
LIMIT_MAX = 1000
PLACES_MAX = 32
"""How many places of one value are looked at."""
LABELS_MAX = 5000
"""After how many labels a page ends, whatever it has found by then."""


class Shown(Enum):
    """Which rows an answer has: those in which some cell is in this state, or whose values are not known to be all the same."""

    MISSING = "missing"
    SAME = "same"
    STALE = "stale"
    LEAKED = "leaked"
    OVERRIDDEN = "overridden"
    EMPTY = "empty"
    HIDDEN = "hidden"
    DIFFERENT = "different"

    def has(self, row: Row) -> bool:
        """Whether the row is one of these."""
        if self is Shown.DIFFERENT:
            return row.is_equal is not True
        return any(State(self.value) in cell.states for cell in row.cells.values())


@dataclass(slots=True)
class Page:
    """A page of what is at a path and below it."""

    path: Annotated[
        str, Doc("A secret or a folder, as it is called in every environment; empty for everything.", public=True)
    ] = ""
    environments: Annotated[
        list[str], Doc("The environments to compare; all that the token may see, if left out.", public=True)
    ] = field(default_factory=list)
    after: Annotated[str, Doc("The `next` of the page before this one.", public=True)] = ""
    limit: Annotated[int, Doc("After how many rows a page ends: 200, and 1000 at most.", public=True)] = LIMIT_DEFAULT


@dataclass(slots=True)
class MatrixPage(Page):
    """A page of the matrix."""

    only: Annotated[
        list[str],
        Doc(
            "Only rows with a cell in one of these states (missing, same, stale, leaked, overridden, empty, hidden), or `different` "
            "for rows that are not the same everywhere.",
            public=True,
        ),
    ] = field(default_factory=list)


class MatrixArea:
    """Environments side by side."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        # They open many secrets, so not in the loop.
        return (
            Path(
                "matrix",
                "Keys of secrets by environments: whether each is set, missing, the same, stale or leaked, without any value.",
                (Endpoint(Operation.READ, self.matrix, "Read a page of the matrix.", any_access=True, slow=True),),
            ),
            Path(
                "reuse",
                "Values that are in use in more than one environment, wherever the token may read both.",
                (Endpoint(Operation.READ, self.reuse, "Read a page of them.", any_access=True, slow=True),),
            ),
        )

    def matrix(self, context: Context, request: MatrixPage) -> Response:
        """One page. Raises InvalidRequest where an environment is not there for the caller."""
        only = _chosen(request.only)
        access, compared, limit = self._begin(context, request)
        reader = Reader(access, self._known(context), self._overrides(context, access), context.now_ns())
        rows: list[Row] = []
        after = ""
        for number, found in enumerate(labels(access, compared, request.path, request.after), 1):
            rows += [row for row in reader.rows(compared, found) if not only or any(one.has(row) for one in only)]
            if len(rows) >= limit or reader.size > BYTES_MAX or found.closes or number == LABELS_MAX:
                after = found.label
                break
        data = {
            "environments": [_described(access, column) for column in compared],
            "rows": [row.described() for row in rows],
            "next": after,
        }
        return Response(data=data, returned_keys=())

    def reuse(self, context: Context, request: Page) -> Response:
        """One page. Only places whose values the caller may read, in both environments."""
        access, compared, limit = self._begin(context, request)
        known = self._known(context)
        places = _Places(access, known)
        rows: list[dict[str, Any]] = []
        after, size = "", 0
        for number, found in enumerate(labels(access, compared, request.path, request.after), 1):
            for column in compared:
                place = column.place(found.label)
                if place is None or not access.may_read(*place):
                    continue
                state = access.state(*place)
                size += state.size if state else 0
                for key, value in ((state and state.values) or {}).items():
                    also = list(places.elsewhere(column, place, key, value))
                    if also:
                        rows.append({"environment": column.name, "path": found.label, "key": key, "also": also})
            if len(rows) >= limit or size > BYTES_MAX or found.closes or number == LABELS_MAX:
                after = found.label
                break
        return Response(data={"rows": rows, "next": after}, returned_keys=())

    def _begin(self, context: Context, request: Page) -> tuple[Access, list[Column], int]:
        if not 1 <= request.limit <= LIMIT_MAX:
            raise InvalidRequest(f"'limit' must be between 1 and {LIMIT_MAX}")
        access = Access(self._node, context)
        return access, columns(access, request.environments), request.limit

    def _overrides(self, context: Context, access: Access) -> Overrides | None:
        owner = owner_of(access.token, self._node.require().fingerprint_key)
        return None if owner is None else Overrides(context.storage, owner)

    def _known(self, context: Context) -> KnownValues:
        return KnownValues(self._node.require().fingerprint_key, context.storage)


class _Places:
    """Finds where else a value is. By the index of fingerprints, so equal values alone."""

    def __init__(self, access: Access, known: KnownValues) -> None:
        self._access = access
        self._known = known
        self._mounts = {mount.uuid: mount for mount in access.mounts()}

    def elsewhere(
        self, column: Column, place: tuple[SecretMount, str], key: str, value: Any
    ) -> Iterator[dict[str, Any]]:
        """Places in other environments that hold ``value`` now. What the guard does not compare is in use nowhere."""
        if not forms_in({key: value}):
            return
        for other in self._known.places(value, PLACES_MAX):
            mount = self._mounts.get(other.mount_uuid)
            if mount is None or mount.environment is None or mount.environment.name == column.name:
                continue
            if (mount, other.path) != place and self._holds(mount, other, value):
                yield {"environment": mount.environment.name, "path": mount.path + other.path, "key": other.key}

    def _holds(self, mount: SecretMount, place: ValuePlace, value: Any) -> bool:
        # To read a secret is not enough to be told its name.
        folder = place.path[: place.path.rfind("/") + 1]
        if not self._access.may_read(mount, place.path) or not self._access.may_list(mount, folder):
            return False
        state = self._access.state(mount, place.path)
        values = (state.values if state else None) or {}
        return place.key in values and same(values[place.key], value)


def _chosen(only: list[str]) -> list[Shown]:
    try:
        return [Shown(one.lower()) for one in only]
    except ValueError:
        raise InvalidRequest(
            f"'only' takes {', '.join(one.value for one in Shown)}; one of what was sent is something else"
        ) from None


def _described(access: Access, column: Column) -> dict[str, Any]:
    environment = column.environment
    return {
        "name": environment.name,
        "rank": environment.rank,
        "protected": environment.protected,
        "mounts": {part: mount.path for part, mount in column.parts.items() if access.may_see(mount)},
    }
