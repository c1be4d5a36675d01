"""The store of tokens: made, looked up, renewed, spent and revoked inside the caller's transaction.

A token is found by its keyed hash, so that no comparison of secrets happens and a thief of the store cannot test guesses. Batch
tokens are not stored at all: the sealed entry is the token. Keys, all below ``core/token/``:

===================================  ====================================================
``id/<hash>``                        the entry
``accessor/<hash of accessor>``      the token's hash
``child/<parent hash>/<hash>``       nothing; for revoking a whole tree
``expiry/<instant, 20 digits>/<hash>``  nothing; for the sweeper
``lease/<path>/h<hash>``             nothing; for finding by the path that made the token (``lease_index``)
``family/<parent hash or mount>``    nothing; written with every member of a family
===================================  ====================================================

All of them change in the same commit. Who revokes a family finds its members by listing, and what is listed is not checked again at
the commit; so whoever adds a member also writes the family's key, whoever revokes the family reads it, and a member that joins
meanwhile makes the commit a conflict instead of surviving it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator

import msgspec

from strongroom.crypto import aead
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.backend import Caller
from strongroom.logical.errors import InvalidRequest, PermissionDenied
from strongroom.logical.request import TokenType
from strongroom.logical.secret import Secret
from strongroom.logical.storage import Storage
from strongroom.mounts.table import is_mounted
from strongroom.tokens import lease_index, text
from strongroom.tokens.entry import NEVER, TokenEntry
from strongroom.tokens.known import KnownTokens
from strongroom.tokens.names import Names

_AREA = "core/token/"
ENTRY_PREFIX = f"{_AREA}id/"
"""Below this lies one record for each stored token, and nothing else."""
_BATCH_LABEL = b"strongroom/batch-token/v1"
TOKEN_LENGTH_MAX = 8192
NESTING_MAX = 1000
"""How many generations of tokens that expire may stand above one: each is looked at whenever it is used."""
SPENT = -1
"""The number of uses of a token that is being used for the last time."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(TokenEntry).decode


class _Lineage(msgspec.Struct):
    """The part of an entry that its descendants depend on."""

    parent: str = ""
    orphan: bool = False
    watched_ancestors: int = 0
    expire_time_ns: int = NEVER


_decode_lineage = msgspec.json.Decoder(_Lineage).decode

Dropped = Callable[[Storage, str], None]
"""Called in the revoking transaction with the root storage and the id of a token that is gone."""


class TokenKeys(msgspec.Struct, frozen=True):
    """The two keys of the store, made at initialization and kept behind the barrier."""

    hash_key: bytes
    batch_key: bytes

    def __repr__(self) -> str:
        return "<token keys>"


def install_keys(storage: Storage, entropy: Entropy) -> None:
    """Make and store the keys of a new vault."""
    storage.put(f"{_AREA}keys", msgspec.msgpack.encode(TokenKeys(entropy.bytes(32), entropy.bytes(32))))


def load_keys(storage: Storage) -> TokenKeys:
    """The keys of this vault. Raises LookupError where they are missing, which only a damaged store can cause."""
    stored = storage.get(f"{_AREA}keys")
    if stored is None:
        raise LookupError("the token keys are missing from the store")
    return msgspec.msgpack.decode(stored, type=TokenKeys)


class TokenStore:
    """Everything that can happen to a token. All state is in the storage that is passed in; what is kept here saves decoding it again."""

    def __init__(self, keys: TokenKeys, clock: Clock, entropy: Entropy, on_dropped: Dropped) -> None:
        self._names = Names(keys.hash_key)
        self._batch_key = keys.batch_key
        self._clock = clock
        self._entropy = entropy
        self._on_dropped = on_dropped
        self._known = KnownTokens()

    def id_of(self, token: Secret[str]) -> str:
        """The keyed hash under which a token is stored."""
        return self._names.of_token(token.reveal())

    def identity_of(self, entry: TokenEntry) -> str:
        """A keyed hash of who is behind a token: the same for every token of an account."""
        return self._names.of_identity(entry)

    def create(self, storage: Storage, entry: TokenEntry, *, token: Secret[str] | None = None) -> Secret[str]:
        """Store ``entry`` and return the token. Its ``id`` and ``accessor`` are set here; ``token`` names a chosen one.

        Raises InvalidRequest where a chosen token exists already, and PermissionDenied where the parent is gone.
        """
        if entry.type is TokenType.BATCH:
            if entry.is_root:
                raise InvalidRequest("batch tokens cannot be root tokens")
            return self._seal_batch(entry)
        now = self._clock.now_ns()
        made = token or Secret(
            text.new_root_token(self._entropy) if entry.is_root else text.new_service_token(self._entropy, now)
        )
        entry.id = self.id_of(made)
        entry.accessor = text.new_accessor(self._entropy, now)
        if storage.get(f"{_AREA}id/{entry.id}") is not None:
            raise InvalidRequest("cannot create a token with a duplicate ID; choose another or leave it out")
        self._join_families(storage, entry)
        storage.put(f"{_AREA}accessor/{self._names.of_accessor(entry.accessor)}", entry.id.encode())
        self._put(storage, entry)
        self._add_expiry(storage, entry)
        lease_index.add(storage, entry)
        return made

    def find(self, storage: Storage, token: Secret[str]) -> TokenEntry | None:
        """The entry of a token that is good right now, or None: unknown, expired, used up, or its parent is gone."""
        shown = token.reveal()
        if not shown or len(shown) > TOKEN_LENGTH_MAX:
            return None
        if shown.startswith(text.BATCH_PREFIX):
            return self._find_batch(storage, shown)
        return self.by_id(storage, self.id_of(token))

    def by_id(self, storage: Storage, token_id: str) -> TokenEntry | None:
        """The entry with this keyed hash, if the token is good right now."""
        stored = storage.get(f"{_AREA}id/{token_id}")
        if stored is None:
            return None
        entry = _decode(stored)
        return entry if self._is_good(storage, entry) else None

    def recognise(self, storage: Storage, token: Secret[str]) -> TokenEntry | None:
        """The same as :meth:`find`, for whoever changes nothing but the count of uses: the entry may be shared with other requests."""
        shown = token.reveal()
        if not shown or len(shown) > TOKEN_LENGTH_MAX:
            return None
        if shown.startswith(text.BATCH_PREFIX):
            return self._find_batch(storage, shown)
        token_id = self.id_of(token)
        key = ENTRY_PREFIX + token_id
        version = storage.version(key)
        if version is None:
            return None
        entry = self._known.find(token_id, version)
        if entry is None:
            stored = storage.get(key)
            if stored is None:
                return None
            entry = _decode(stored)
            self._known.remember(version, entry)
        return entry if self._is_good(storage, entry) else None

    def caller_of(self, entry: TokenEntry) -> Caller:
        """What handlers may know of a token that :meth:`recognise` found."""
        return self._known.caller_of(entry)

    def by_accessor(self, storage: Storage, accessor: str) -> TokenEntry | None:
        """The entry that an accessor names, if the token is good right now."""
        token_id = storage.get(f"{_AREA}accessor/{self._names.of_accessor(accessor)}")
        return None if token_id is None else self.by_id(storage, token_id.decode())

    def by_lease(self, storage: Storage, lease_id: str) -> TokenEntry | None:
        """The entry of the token that has this lease, if the token is good right now."""
        token_id = lease_index.token_id_of(lease_id)
        entry = None if token_id is None else self.by_id(storage, token_id)
        return entry if entry is not None and entry.lease_id == lease_id else None

    def lease_names(self, storage: Storage, prefix: str) -> list[str]:
        """What lies directly below ``prefix``: the names of leases that are good right now, and folders, which end in ``/``.

        A folder may hold nothing but expired leases, for as long as the sweeper takes.
        """
        names = lease_index.names(storage, prefix)
        return [name for name in names if name[-1] == "/" or self._is_good_lease(storage, name)]

    def spend_use(self, storage: Storage, entry: TokenEntry) -> bool:
        """Count one use of a use-limited token, and say whether it was the last. Counted on denied requests too.

        After the last use the caller revokes the token in the same transaction, once the request is done. Until then its number
        of uses is -1, as Vault shows it, because 0 would read as "no limit".
        """
        if not entry.use_limited:
            return False
        is_last = entry.num_uses <= 1
        entry.num_uses = SPENT if is_last else entry.num_uses - 1
        self._put(storage, entry)
        return is_last

    def set_expiry(self, storage: Storage, entry: TokenEntry, expire_time_ns: int) -> None:
        """Renew: the token now expires at ``expire_time_ns``."""
        self._drop_expiry(storage, entry)
        entry.expire_time_ns = expire_time_ns
        entry.last_renewal_ns = self._clock.now_ns()
        self._put(storage, entry)
        self._add_expiry(storage, entry)
        lease_index.add(storage, entry)

    def revoke_tree(self, storage: Storage, token_id: str) -> int:
        """Revoke a token and every descendant that is not an orphan; returns how many. Deep trees cost no stack."""
        revoked = 0
        pending = [token_id]
        while pending:
            current = pending.pop()
            pending.extend(self._children(storage, current))
            revoked += self._remove(storage, current)
        return revoked

    def revoke_orphaning(self, storage: Storage, token_id: str) -> None:
        """Revoke one token; its children live on as orphans."""
        for child in self._children(storage, token_id):
            stored = storage.get(f"{_AREA}id/{child}")
            if stored is not None:
                entry = _decode(stored)
                entry.parent, entry.orphan = "", True
                self._put(storage, entry)
            storage.delete(f"{_AREA}child/{token_id}/{child}")
        self._remove(storage, token_id)

    def revoke_of_mount(self, storage: Storage, auth_mount: str) -> int:
        """Revoke every token that an auth method's mount made: the mount is going away."""
        storage.get(_family_key(auth_mount))
        doomed = [entry.id for entry in self._all(storage) if entry.auth_mount == auth_mount]
        return sum(self.revoke_tree(storage, token_id) for token_id in doomed)

    def revoke_of_leases(self, storage: Storage, prefix: str) -> int:
        """Revoke every token whose lease is called ``prefix`` or lies below it, with their trees; returns how many."""
        exact = self.by_lease(storage, prefix)
        doomed = [exact.id] if exact is not None else []
        doomed.extend(lease_index.token_ids(storage, prefix))
        return sum(self.revoke_tree(storage, token_id) for token_id in doomed)

    def accessors(self, storage: Storage) -> list[str]:
        """The accessors of all tokens that are good right now, sorted."""
        now = self._clock.now_ns()
        return sorted(entry.accessor for entry in self._all(storage) if not entry.is_expired(now))

    def sweep(self, storage: Storage, limit: int) -> int:
        """Remove up to ``limit`` tokens whose time is over, with their trees. Nothing depends on it for safety."""
        now = self._clock.now_ns()
        swept = 0
        for key in storage.scan(f"{_AREA}expiry/"):
            instant, _, token_id = key.removeprefix(f"{_AREA}expiry/").partition("/")
            if int(instant) > now or swept >= limit:
                break
            swept += self.revoke_tree(storage, token_id)
            storage.delete(key)
        return swept

    def _join_families(self, storage: Storage, entry: TokenEntry) -> None:
        if entry.parent and not entry.orphan:
            parent = self.by_id(storage, entry.parent)
            if parent is None:
                raise PermissionDenied
            if parent.watched_ancestors or parent.expire_time_ns != NEVER:
                entry.watched_ancestors = parent.watched_ancestors + 1
            if entry.watched_ancestors > NESTING_MAX:
                raise InvalidRequest("the token has too many generations above it; create an orphan")
            storage.put(f"{_AREA}child/{entry.parent}/{entry.id}", b"")
            storage.put(_family_key(entry.parent), b"")
        if entry.auth_mount:
            storage.put(_family_key(entry.auth_mount), b"")

    def _is_good(self, storage: Storage, entry: TokenEntry) -> bool:
        now = self._clock.now_ns()
        return not entry.is_expired(now) and (not entry.watched_ancestors or self._lives_above(storage, entry, now))

    def _lives_above(self, storage: Storage, entry: TokenEntry, now_ns: int) -> bool:
        """Whether every token above is good: one that expired takes its tree with it at once, swept or not (INV-13)."""
        parent, watched = entry.parent, 0 if entry.orphan else entry.watched_ancestors
        while parent and watched:
            stored = storage.get(f"{_AREA}id/{parent}")
            if stored is None:
                return False
            above = _decode_lineage(stored)
            if above.expire_time_ns != NEVER and now_ns >= above.expire_time_ns:
                return False
            parent, watched = above.parent, 0 if above.orphan else above.watched_ancestors
        return True

    def _find_batch(self, storage: Storage, shown: str) -> TokenEntry | None:
        """A batch token lies nowhere, so what would revoke another is looked up: its parent and the method that made it."""
        entry = self._open_batch(shown)
        if entry is None:
            return None
        if entry.parent and not entry.orphan and self.by_id(storage, entry.parent) is None:
            return None
        if entry.auth_mount and not is_mounted(storage, entry.auth_mount):
            return None
        return entry

    def _all(self, storage: Storage) -> Iterator[TokenEntry]:
        for key in storage.scan(f"{_AREA}id/"):
            stored = storage.get(key)
            if stored is not None:
                yield _decode(stored)

    def _put(self, storage: Storage, entry: TokenEntry) -> None:
        storage.put(f"{_AREA}id/{entry.id}", _encode(entry))

    def _is_good_lease(self, storage: Storage, name: str) -> bool:
        token_id = lease_index.token_id_of(name)
        return token_id is not None and self.by_id(storage, token_id) is not None

    def _add_expiry(self, storage: Storage, entry: TokenEntry) -> None:
        if entry.expire_time_ns != NEVER:
            storage.put(_expiry_key(entry), b"")

    def _drop_expiry(self, storage: Storage, entry: TokenEntry) -> None:
        if entry.expire_time_ns != NEVER:
            storage.delete(_expiry_key(entry))

    def _children(self, storage: Storage, token_id: str) -> list[str]:
        storage.get(_family_key(token_id))
        prefix = f"{_AREA}child/{token_id}/"
        return [key.removeprefix(prefix) for key in storage.scan(prefix)]

    def _remove(self, storage: Storage, token_id: str) -> int:
        stored = storage.get(f"{_AREA}id/{token_id}")
        if stored is None:
            return 0
        entry = _decode(stored)
        self._drop_expiry(storage, entry)
        lease_index.remove(storage, entry)
        storage.delete(f"{_AREA}accessor/{self._names.of_accessor(entry.accessor)}")
        if entry.parent:
            storage.delete(f"{_AREA}child/{entry.parent}/{entry.id}")
        storage.delete(f"{_AREA}id/{entry.id}")
        storage.delete(_family_key(entry.id))
        self._on_dropped(storage, entry.id)
        return 1

    def _seal_batch(self, entry: TokenEntry) -> Secret[str]:
        entry.id = entry.accessor = ""
        sealed = aead.seal(self._batch_key, _encode(entry), _BATCH_LABEL, self._entropy)
        made = Secret(text.BATCH_PREFIX + _base64url(sealed))
        entry.id = self.id_of(made)
        return made

    def _open_batch(self, shown: str) -> TokenEntry | None:
        body = shown.removeprefix(text.BATCH_PREFIX)
        try:
            sealed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            if _base64url(sealed) != body:  # one token has one spelling
                return None
            entry = _decode(aead.open_sealed(self._batch_key, sealed, _BATCH_LABEL))
        except (aead.Damaged, ValueError, binascii.Error):
            return None
        if entry.is_expired(self._clock.now_ns()):
            return None
        entry.id = self.id_of(Secret(shown))
        return entry


def _family_key(name: str) -> str:
    return f"{_AREA}family/{name}"


def _expiry_key(entry: TokenEntry) -> str:
    return f"{_AREA}expiry/{entry.expire_time_ns:020d}/{entry.id}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
