"""``sys/secrets``: which secrets there are, over folders and mounts: whole trees, by name, by when they expire, by how critical they are.

Each answers names that the calling token may list where they lie, so that it needs no right of its own; notes of a secret go to whoever may read them.
"""

from __future__ import annotations

import fnmatch
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import Annotated, Any

from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc, Duration
from strongroom.logical.instant import NANOSECONDS, rfc3339
from strongroom.logical.inventory import KeepsNotes
from strongroom.logical.operation import Operation
from strongroom.logical.path import check_canonical
from strongroom.logical.request import Response
from strongroom.logical.secret_notes import Criticality, Notes, read_notes
from strongroom.logical.storage import Storage
from strongroom.system.node import Node
from strongroom.system.secret_access import Access, SecretMount
from strongroom.system.secret_walk import BYTES_MAX, Name, Walk

LIMIT_DEFAULT = 1000
LIMIT_MAX = 5000
NAME_CHARACTERS_MAX = 256
NOTED_MAX = 1000
"""How many secrets a listing by notes answers at most."""

_AFTER = Annotated[str, Doc("The `next` of the page before this one.", public=True)]
_LIMIT = Annotated[int, Doc("How many secrets to answer at most: 1000, and 5000 at most.", public=True)]
_FOLDER = Annotated[
    str,
    Doc(
        "The folder to begin at, with the path of its mount; every mount that the token may see, if left out.",
        public=True,
    ),
]


@dataclass(slots=True)
class Tree:
    """A page of everything below a folder."""

    path: _FOLDER = ""
    after: _AFTER = ""
    limit: _LIMIT = LIMIT_DEFAULT


@dataclass(slots=True)
class Search:
    """A page of what has a name."""

    name: Annotated[
        str,
        Doc(
            "A part of the path below the mount, in any letters; or a pattern with `*` and `?` for the whole of it or of its last segment.",
            public=True,
        ),
    ]
    path: _FOLDER = ""
    environments: Annotated[list[str], Doc("Only in these environments.", public=True)] = field(default_factory=list)
    keys: Annotated[bool, Doc("Look for names of keys within secrets, too, where they may be known.", public=True)] = (
        False
    )
    after: _AFTER = ""
    limit: _LIMIT = LIMIT_DEFAULT


@dataclass(slots=True)
class Expiring:
    """Which time is meant."""

    within: Annotated[
        Duration | None,
        Doc(
            "What expires until then, or has; if left out, what has a reminder by now, which is 30 days before unless its note says otherwise.",
            public=True,
        ),
    ] = None
    path: _FOLDER = ""


class Least(Enum):
    """How critical, in a word."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(slots=True)
class Critical:
    """How critical is meant."""

    least: Annotated[Least, Doc("The least that is shown.", public=True)] = Least.LOW
    path: _FOLDER = ""


class SecretListingArea:
    """Secrets found over folders and mounts."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        read = Operation.READ
        # They may look at many names, so not in the loop.
        return (
            Path(
                "secrets/tree",
                "All secrets below a folder, in its folders, too.",
                (Endpoint(Operation.LIST, self.tree, "List a page of them.", any_access=True, slow=True),),
            ),
            Path(
                "secrets/search",
                "Secrets by their names, over all mounts.",
                (Endpoint(read, self.search, "Find a page of them.", any_access=True, slow=True),),
            ),
            Path(
                "secrets/expiring",
                "Secrets whose notes say that they expire, the soonest first.",
                (Endpoint(read, self.expiring, "List them.", any_access=True, slow=True),),
            ),
            Path(
                "secrets/critical",
                "Secrets whose notes say how bad their loss would be, the worst first.",
                (Endpoint(read, self.critical, "List them.", any_access=True, slow=True),),
            ),
        )

    def tree(self, context: Context, request: Tree) -> Response:
        """Paths below the folder, in order. Raises NotFound where there is none."""
        access, limit = self._access(context, request.limit)
        folder = _folder(request.path)
        keys: list[str] = []
        after = ""
        for mount, name in _names(access, folder, request.after):
            full = mount.path + name.path
            keys.append(full.removeprefix(folder))
            if len(keys) == limit or name.closes:
                after = full
                break
        if not keys and not request.after:
            raise NotFound
        return Response(data={"keys": keys, "next": after}, returned_keys=())

    def search(self, context: Context, request: Search) -> Response:
        """Paths, and names of keys where they were asked for."""
        access, limit = self._access(context, request.limit)
        if not 0 < len(request.name) <= NAME_CHARACTERS_MAX:
            raise InvalidRequest(f"'name' has 1 to {NAME_CHARACTERS_MAX} characters")
        wanted = {name.lower() for name in request.environments}
        matches = _Pattern(request.name)
        found: list[dict[str, Any]] = []
        after, size = "", 0
        for mount, name in _names(access, _folder(request.path), request.after):
            environment = mount.environment.name if mount.environment else ""
            if not wanted or environment in wanted:
                keys, opened = _matching_keys(access, mount, name.path, matches) if request.keys else ([], 0)
                size += opened
                if keys or matches.path(name.path):
                    found.append({"path": mount.path + name.path, "environment": environment, "keys": keys})
            if len(found) == limit or size > BYTES_MAX or name.closes:
                after = mount.path + name.path
                break
        return Response(data={"secrets": found, "next": after}, returned_keys=())

    def expiring(self, context: Context, request: Expiring) -> Response:
        """What expires within a time, or has a reminder."""
        access, _ = self._access(context, LIMIT_DEFAULT)
        now = context.now_ns()
        by_reminder = request.within is None
        until = now if request.within is None else now + request.within * NANOSECONDS

        def of_mount(keeper: KeepsNotes, storage: Storage) -> Iterator[tuple[int, str]]:
            return keeper.expiring(storage, until, by_reminder=by_reminder)

        return _noted(access, request.path, of_mount, now)

    def critical(self, context: Context, request: Critical) -> Response:
        """What is at least so critical."""
        access, _ = self._access(context, LIMIT_DEFAULT)
        least = Criticality[request.least.name]

        def of_mount(keeper: KeepsNotes, storage: Storage) -> Iterator[tuple[int, str]]:
            return ((-how, path) for how, path in keeper.critical(storage, least))

        return _noted(access, request.path, of_mount, context.now_ns())

    def _access(self, context: Context, limit: int) -> tuple[Access, int]:
        if not 1 <= limit <= LIMIT_MAX:
            raise InvalidRequest(f"'limit' must be between 1 and {LIMIT_MAX}")
        return Access(self._node, context), limit


class _Pattern:
    """What a name is compared with: letters count alike, whether capital or small."""

    def __init__(self, text: str) -> None:
        self._text = text.casefold()
        self._is_glob = any(letter in text for letter in "*?")
        # Brackets would be sets of letters; here they are themselves.
        self._glob = self._text.replace("[", "[[]")

    def path(self, path: str) -> bool:
        """Whether it is the name of a secret at ``path``."""
        folded = path.casefold()
        if not self._is_glob:
            return self._text in folded
        return self._fits(folded) or self._fits(folded.rpartition("/")[2])

    def key(self, key: str) -> bool:
        """Whether it is the name of a key."""
        folded = key.casefold()
        return self._fits(folded) if self._is_glob else self._text in folded

    def _fits(self, folded: str) -> bool:
        return fnmatch.fnmatchcase(folded, self._glob)


def _folder(path: str) -> str:
    if not path.strip("/"):
        return ""
    return f"{check_canonical(path.strip('/'))}/"


def _names(access: Access, folder: str, after: str) -> Iterator[tuple[SecretMount, Name]]:
    """Every secret below ``folder`` that may be listed and is greater than ``after``, in order of full paths."""
    walk = Walk(access)
    for mount in _mounts(access, folder):
        if after > mount.path and not after.startswith(mount.path):
            continue  # all of this mount was there already
        start = after[len(mount.path) :] if after.startswith(mount.path) else ""
        below = folder[len(mount.path) :] if folder.startswith(mount.path) else ""
        for name in walk.names(mount, below, start):
            yield mount, name


def _mounts(access: Access, folder: str) -> list[SecretMount]:
    """The mounts that ``folder`` lies in or that lie in it, by path, where the caller may see something of them."""
    return [
        mount
        for mount in sorted(access.mounts(), key=lambda one: one.path)
        if (mount.path.startswith(folder) or folder.startswith(mount.path)) and access.may_see(mount)
    ]


def _matching_keys(access: Access, mount: SecretMount, path: str, pattern: _Pattern) -> tuple[list[str], int]:
    """The names of keys that fit, where they may be known; and how many bytes were opened for it."""
    if not access.may_know_keys(mount, path):
        return [], 0
    state = access.state(mount, path)
    if state is None:
        return [], 0
    return [key for key in state.values or {} if pattern.key(key)], state.size


def _noted(
    access: Access, path: str, of_mount: Callable[[KeepsNotes, Storage], Iterator[tuple[int, str]]], now_ns: int
) -> Response:
    """The secrets that ``of_mount`` names, over all mounts in its order, with their notes."""
    folder = _folder(path)
    walk = Walk(access)
    streams = []
    for mount in _mounts(access, folder):
        if isinstance(mount.inventory, KeepsNotes):
            found = of_mount(mount.inventory, access.interior(mount).storage)
            streams.append(_visible(access, walk, mount, folder, found))
    merged = heapq.merge(*streams, key=lambda one: (one[0], one[1].path, one[2]))
    rows = [_described(access, mount, at, now_ns) for _, mount, at in islice(merged, NOTED_MAX + 1)]
    data = {"secrets": rows[:NOTED_MAX], "is_cut": len(rows) > NOTED_MAX}
    return Response(data=data, returned_keys=())


def _visible(
    access: Access, walk: Walk, mount: SecretMount, folder: str, found: Iterator[tuple[int, str]]
) -> Iterator[tuple[int, SecretMount, str]]:
    for rank, path in found:
        walk.look()
        is_below = (mount.path + path).startswith(folder)
        if is_below and access.may_list(mount, path[: path.rfind("/") + 1]) and access.may_know_notes(mount, path):
            yield rank, mount, path


def _described(access: Access, mount: SecretMount, path: str, now_ns: int) -> dict[str, Any]:
    state = access.state(mount, path)
    notes = read_notes(state.notes) if state else Notes()
    return {
        "path": mount.path + path,
        "environment": mount.environment.name if mount.environment else "",
        "owner": notes.owner,
        "description": notes.description,
        "criticality": notes.criticality.name.lower() if notes.criticality else "",
        "expires_at": rfc3339(notes.expires_ns) if notes.expires_ns else "",
        "is_expired": bool(notes.expires_ns) and notes.expires_ns <= now_ns,
        "is_reminding": notes.is_reminding(now_ns),
    }
