"""Secret IDs: what a machine shows at its login. Owns the records ``secret_id/``, ``accessor/``, ``destroyed/`` and ``removed/``.

Stored is a keyed digest, never the secret ID. Each lies under its role's uid, so it cannot even be looked for through another role.
``destroyed/`` remembers which ones were taken back: tokens that came of those are not renewed any more, while tokens of a secret
ID that was merely used up or ran out live on as they do in Vault. ``removed/`` names roles that are gone, by uid, and left many records.
"""

from __future__ import annotations

import re
from itertools import chain, islice

import msgspec

from strongroom.auth.approle.keyed_digest import digest, new_digest
from strongroom.auth.approle.role import Role
from strongroom.auth.identifiers import new_uuid
from strongroom.logical.backend import Context
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.storage import Storage

SECRET_IDS = "secret_id/"  # noqa: S105 -- the name of a folder
ACCESSORS = "accessor/"
DESTROYED = "destroyed/"
REMOVED = "removed/"
REMOVED_AT_ONCE = 500
"""So many records of a role go with it in one commit; what is left is removed behind the requests."""

_ACCESSOR = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class SecretId(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored of a secret ID. Instants are nanoseconds since the epoch, ``ttl`` seconds; 0 means unset."""

    accessor: str
    creation_ns: int
    updated_ns: int
    expiration_ns: int = 0
    ttl: int = 0
    num_uses: int = 0
    metadata: dict[str, str] = {}
    cidr_list: tuple[str, ...] = ()
    token_bound_cidrs: tuple[str, ...] = ()

    def is_expired(self, now_ns: int) -> bool:
        """Whether its time is over. Asked at every use, whatever tidying did (SECURITY row 70)."""
        return self.expiration_ns != 0 and now_ns >= self.expiration_ns


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a new secret ID shall be good for; see ``SecretId``."""

    ttl: int
    num_uses: int
    metadata: dict[str, str]
    cidr_list: tuple[str, ...]
    token_bound_cidrs: tuple[str, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(SecretId).decode


def register(context: Context, role: Role, secret_id: str, terms: Terms) -> SecretId:
    """Store ``secret_id`` for ``role``. Raises InvalidRequest where it is registered already."""
    storage, now = context.storage, context.now_ns()
    mark = new_digest(storage, context.entropy, role.uid, secret_id)
    earlier = _read(storage, role, mark)
    if earlier is not None:
        if not earlier.is_expired(now):
            raise InvalidRequest("the secret ID is already registered; destroy it first or choose another one")
        _remove(storage, role, mark, earlier)
    # Nothing outlives what the mount allows, however long the role would have it.
    lifetime = min(terms.ttl, context.mount.max_lease_ttl) if context.mount.max_lease_ttl else terms.ttl
    entry = SecretId(
        accessor=new_uuid(context.entropy),
        creation_ns=now,
        updated_ns=now,
        expiration_ns=now + lifetime * NANOSECONDS if lifetime else 0,
        ttl=lifetime,
        num_uses=terms.num_uses,
        metadata=terms.metadata,
        cidr_list=terms.cidr_list,
        token_bound_cidrs=terms.token_bound_cidrs,
    )
    storage.put(_key(role, mark), _encode(entry))
    storage.put(_accessor_key(role, entry.accessor), mark.encode())
    return entry


def mark_of(storage: Storage, role: Role, secret_id: str) -> str | None:
    """The digest under which ``secret_id`` would be stored for ``role``; None where nothing is."""
    return digest(storage, role.uid, secret_id)


def find(context: Context, role: Role, mark: str | None) -> SecretId | None:
    """The secret ID with this digest if it is good today, else None."""
    entry = None if mark is None else _read(context.storage, role, mark)
    return None if entry is None or entry.is_expired(context.now_ns()) else entry


def find_mark_by_accessor(storage: Storage, role: Role, accessor: str) -> str | None:
    """The digest of the secret ID of ``role`` that has this accessor, or None. Other roles' are not found."""
    # What is no accessor names no key: the text comes from the client.
    if _ACCESSOR.fullmatch(accessor) is None:
        return None
    mark = storage.get(_accessor_key(role, accessor))
    return None if mark is None else mark.decode()


def spend_use(context: Context, role: Role, mark: str, entry: SecretId) -> None:
    """Count one login. Two at once are in conflict at the commit, so never more get through than there are uses."""
    if entry.num_uses == 0:
        return
    if entry.num_uses == 1:
        _remove(context.storage, role, mark, entry)
        return
    spent = msgspec.structs.replace(entry, num_uses=entry.num_uses - 1, updated_ns=context.now_ns())
    context.storage.put(_key(role, mark), _encode(spent))


def destroy(context: Context, role: Role, mark: str) -> None:
    """Take a secret ID back, whether or not it is still good: no login with it, and no renewal of a token that came of it."""
    entry = _read(context.storage, role, mark)
    if entry is not None:
        _remove(context.storage, role, mark, entry)
    context.storage.put(_destroyed_key(role.uid, mark), str(context.now_ns()).encode())


def is_destroyed(storage: Storage, role: Role, mark: str, creation_ns: int) -> bool:
    """Whether the secret ID with this digest was taken back since it was registered at ``creation_ns``."""
    at = storage.get(_destroyed_key(role.uid, mark))
    return at is not None and int(at) >= creation_ns


def accessors(storage: Storage, role: Role, after: str, limit: int | None) -> list[str]:
    """The accessors of the role's secret IDs, in order."""
    return storage.children(f"{ACCESSORS}{role.uid}/", after, limit)


def destroy_all(storage: Storage, role: Role) -> None:
    """Remove everything that belongs to a role which is being removed: at once if it is little, else :func:`remove_left` goes on with it.

    Nothing finds it any more: it lies under the uid of the role, which no other role ever has.
    """
    if not _remove_some(storage, role.uid, REMOVED_AT_ONCE):
        storage.put(REMOVED + role.uid, b"")


def remove_left(storage: Storage, limit: int) -> bool:
    """Remove some of what roles left that are gone; whether there may be more to do."""
    name = next(iter(storage.scan(REMOVED)), None)
    if name is None:
        return False
    if _remove_some(storage, name.removeprefix(REMOVED), limit):
        storage.delete(name)
    return True


def remove_if_expired(context: Context, role: Role, mark: str) -> bool:
    """Remove the secret ID with this digest if its time is over; whether it was."""
    entry = _read(context.storage, role, mark)
    if entry is None or not entry.is_expired(context.now_ns()):
        return False
    _remove(context.storage, role, mark, entry)
    return True


def _read(storage: Storage, role: Role, mark: str) -> SecretId | None:
    stored = storage.get(_key(role, mark))
    return None if stored is None else _decode(stored)


def _remove(storage: Storage, role: Role, mark: str, entry: SecretId) -> None:
    storage.delete(_key(role, mark))
    storage.delete(_accessor_key(role, entry.accessor))


def _remove_some(storage: Storage, uid: str, limit: int) -> bool:
    """Remove up to ``limit`` records of a role; whether these were the last."""
    folders = (f"{folder}{uid}/" for folder in (SECRET_IDS, ACCESSORS, DESTROYED))
    keys = list(islice(chain.from_iterable(storage.scan(folder) for folder in folders), limit))
    for key in keys:
        storage.delete(key)
    return len(keys) < limit


def _key(role: Role, mark: str) -> str:
    return f"{SECRET_IDS}{role.uid}/{mark}"


def _accessor_key(role: Role, accessor: str) -> str:
    return f"{ACCESSORS}{role.uid}/{accessor}"


def _destroyed_key(uid: str, mark: str) -> str:
    return f"{DESTROYED}{uid}/{mark}"
