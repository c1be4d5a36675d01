"""The mount table: stored behind the barrier, read into an immutable map that is good for one epoch.

Every change of mounts or policies touches the *epoch* record in the same commit. A reader compares the record's version, which is
unique, and so never uses a stale map (DESIGN 8).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from strongroom.logical.backend import Backend, Declared, Mount, Router
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.operation import Operation
from strongroom.logical.storage import Storage
from strongroom.mounts.entry import MountEntry

EPOCH_KEY = "core/epoch"
_AREA = "core/mounts/"
UNMOUNTED_AREA = "core/unmounted/"
"""Below it stands the uuid of each secrets engine that was unmounted, until nothing elsewhere names it any more."""
REMOVING_AREA = "core/removing/"
"""Below it stands the uuid of each mount that was unmounted, until the last row is removed that lies under it."""

PROTECTED = ("sys/", "cubbyhole/", "identity/", "audit/", "auth/token/")
"""Paths that every client relies on, or that Vault reserves: nothing can be mounted there, and what is there stays."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(MountEntry).decode


def touch_epoch(storage: Storage) -> None:
    """Make every cache of mounts and policies stale with this commit."""
    storage.put(EPOCH_KEY, b"")


@dataclass(frozen=True, slots=True)
class LiveMount:
    """A mount with the plug that answers for it."""

    entry: MountEntry
    mount: Mount
    router: Router
    storage_prefix: str = field(init=False)
    shown_request_keys: frozenset[str] = field(init=False)
    """The top-level keys of requests that stand in the audit log in clear, because an operator wants it so."""
    shown_response_keys: frozenset[str] = field(init=False)
    """Those of answers."""

    def __post_init__(self) -> None:
        # Every request asks for these, and they stay as they are for as long as this object does.
        config = self.entry.config
        object.__setattr__(self, "storage_prefix", self.entry.storage_prefix)
        object.__setattr__(self, "shown_request_keys", frozenset(config.audit_non_hmac_request_keys))
        object.__setattr__(self, "shown_response_keys", frozenset(config.audit_non_hmac_response_keys))


Found = tuple[LiveMount, Declared, dict[str, str]]
"""Where a path leads: the mount, the endpoint, and what the endpoint's template captures. Not to be changed: it is shared."""

_REMEMBERED_MAX = 4096


class MountMap:
    """All mounts at one epoch. Immutable, but for what it remembers of the paths that were asked for last."""

    def __init__(self, mounts: Iterable[LiveMount]) -> None:
        self._remembered: dict[tuple[str, Operation], Found] = {}
        self._by_path = {live.entry.path: live for live in mounts}
        self._by_uuid = {live.entry.uuid: live for live in self._by_path.values()}
        self._deepest = max((path.count("/") for path in self._by_path), default=0)

    def find(self, path: str) -> tuple[LiveMount, str] | None:
        """The mount below which ``path`` lies and the rest of the path, or None. The longest mount path wins."""
        at = -1
        ends: list[int] = []
        while len(ends) < self._deepest and (at := path.find("/", at + 1)) != -1:
            ends.append(at + 1)
        for end in reversed(ends):
            live = self._by_path.get(path[:end])
            if live is not None:
                return live, path[end:]
        # "secret" alone means the root of "secret/": lists are asked that way.
        live = self._by_path.get(path + "/")
        return None if live is None else (live, "")

    def endpoint(self, path: str, operation: Operation) -> Found | None:
        """The endpoint for ``operation`` on ``path``, where it was found before: clients ask for the same again and again."""
        return self._remembered.get((path, operation))

    def remember(self, path: str, operation: Operation, found: Found) -> None:
        """Have :meth:`endpoint` answer ``found`` from now on, or for as long as there is room."""
        if len(self._remembered) >= _REMEMBERED_MAX:
            self._remembered = {}
        self._remembered[path, operation] = found

    def get(self, path: str) -> LiveMount | None:
        """The mount at exactly this mount path."""
        return self._by_path.get(path)

    def by_uuid(self, uuid: str) -> LiveMount | None:
        """The mount with this uuid, wherever it is mounted."""
        return self._by_uuid.get(uuid)

    def all(self, *, is_auth: bool) -> list[LiveMount]:
        """The secrets engines or the auth methods, by path."""
        return [live for _, live in sorted(self._by_path.items()) if live.entry.is_auth is is_auth]

    def __iter__(self) -> Iterator[LiveMount]:
        return iter(self._by_path.values())


BackendFor = Callable[[MountEntry], Backend | None]
"""Gives the plug for a mount, or None where the type is not known (any more)."""


def is_mounted(storage: Storage, uuid: str) -> bool:
    """Whether the mount with this uuid still is there, asked of the store itself."""
    return storage.version(_AREA + uuid) is not None


def is_being_removed(storage: Storage, uuid: str) -> bool:
    """Whether the mount with this uuid is gone, and rows may lie under it still."""
    return storage.version(REMOVING_AREA + uuid) is not None


class MountTable:
    """Reads and changes the table. ``system_ttls`` are the system's default and greatest lease TTL, in seconds."""

    def __init__(self, backend_for: BackendFor, system_ttls: tuple[int, int]) -> None:
        self._backend_for = backend_for
        self._system_ttls = system_ttls
        # One plug per kind for the life of the table: some count attempts in memory.
        self._routers: dict[tuple[str, str, str], Router] = {}
        self._lock = threading.Lock()
        self._cached: tuple[int | None, MountMap] = (None, MountMap(()))

    def at(self, storage: Storage, epoch: int) -> MountMap:
        """The mounts at ``epoch`` (the version of the epoch record), from the cache where it is still good."""
        cached_epoch, cached = self._cached
        if cached_epoch == epoch:
            return cached
        fresh = MountMap(self._read(storage))
        self._cached = (epoch, fresh)
        return fresh

    @property
    def latest(self) -> MountMap:
        """The map that was used last, whatever the store says by now. A new object after every change that was seen."""
        return self._cached[1]

    def entries(self, storage: Storage) -> list[MountEntry]:
        """All mounts as they are stored, by path."""
        stored = (storage.get(key) for key in storage.scan(_AREA))
        return sorted((_decode(entry) for entry in stored if entry is not None), key=lambda entry: entry.path)

    def add(self, storage: Storage, entry: MountEntry) -> None:
        """Mount ``entry``. Raises InvalidRequest where the path is in use, lies in another mount or holds one."""
        self._check_free(storage, entry.path)
        self.put(storage, entry)

    def put(self, storage: Storage, entry: MountEntry) -> None:
        """Store ``entry`` as it is now."""
        self.store(storage, entry)
        touch_epoch(storage)

    @staticmethod
    def store(storage: Storage, entry: MountEntry) -> None:
        """Store ``entry`` without any check: for what a new vault starts with."""
        storage.put(_AREA + entry.uuid, _encode(entry))

    def remove(self, storage: Storage, entry: MountEntry) -> None:
        """Unmount, and note that what the mount holds is to be removed: at once nobody finds it, whatever that takes (``core.removal``)."""
        _refuse_protected(entry.path)
        storage.delete(_AREA + entry.uuid)
        storage.put(REMOVING_AREA + entry.uuid, b"")
        if not entry.is_auth:
            storage.put(UNMOUNTED_AREA + entry.uuid, b"")
        touch_epoch(storage)

    def move(self, storage: Storage, entry: MountEntry, target: str) -> None:
        """Give ``entry`` the path ``target``. Data stays where it is: it is kept under the mount's uuid."""
        _refuse_protected(entry.path)
        if target.startswith("auth/") is not entry.is_auth:
            raise InvalidRequest("a mount cannot be moved between secrets engines and auth methods")
        self._check_free(storage, target)
        entry.path = target
        self.put(storage, entry)

    def _check_free(self, storage: Storage, path: str) -> None:
        _refuse_protected(path)
        if path.startswith("auth/") and path.count("/") < 2:
            raise InvalidRequest("the mount path is empty; name one, for example 'auth/userpass/'")
        for other in (entry.path for entry in self.entries(storage)):
            if other.startswith(path) or path.startswith(other):
                raise InvalidRequest(f"path is already in use at {other}")

    def _read(self, storage: Storage) -> list[LiveMount]:
        live: list[LiveMount] = []
        for entry in self.entries(storage):
            router = self._router_for(entry)
            if router is not None:
                live.append(LiveMount(entry, entry.resolved(*self._system_ttls), router))
        return live

    def _router_for(self, entry: MountEntry) -> Router | None:
        # A router is a function of the plug alone, so all mounts of one kind share it.
        version = (entry.options or {}).get("version", "")
        key = ("auth" if entry.is_auth else "secret", entry.type, version)
        with self._lock:
            router = self._routers.get(key)
            if router is None:
                backend = self._backend_for(entry)
                if backend is None:
                    return None
                router = self._routers[key] = Router(backend)
            return router


def _refuse_protected(path: str) -> None:
    if any(path == protected or path.startswith(protected) for protected in PROTECTED) or path == "auth/":
        raise InvalidRequest("this path is reserved; choose another")
