"""The store of tokens: made, looked up, renewed, spent and revoked inside the caller's transaction.

A token is found by its keyed hash, so that no comparison of secrets happens and a thief of the store cannot test guesses. Batch
tokens are not stored at all: the sealed entry is the token. Keys, all below ``core/token/``:

===================================  ====================================================
``id/<hash>``                        the entry
``accessor/<hash of accessor>``      the token's hash
``child/<parent hash>/<hash>``       nothing; for removing what is left of a tree
``expiry/<instant, 20 digits>/<hash>``  nothing; for the sweeper
``lease/<path>/h<hash>``             nothing; for finding by the path that made the token (``lease_index``)
``doomed/…``, ``doomed-mount/…``     what was cut off with its root: see ``lineage``
===================================  ====================================================

All of them change in the same commit. A revocation removes the token's own rows; its descendants are worthless from then on, because
they are looked up through it, and :meth:`TokenStore.clear` removes what is left of them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from itertools import islice

import msgspec

from strongroom.crypto import aead
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.backend import Caller
from strongroom.logical.errors import InvalidRequest, PermissionDenied
from strongroom.logical.request import TokenType
from strongroom.logical.secret import Secret
from strongroom.logical.storage import Storage
from strongroom.tokens import lease_index, lineage, text
from strongroom.tokens.entry import NEVER, TokenEntry
from strongroom.tokens.known import KnownTokens
from strongroom.tokens.lineage import AREA, CHILD_PREFIX, DOOMED_MOUNT_PREFIX, DOOMED_PREFIX, ENTRY_PREFIX, Lineage
from strongroom.tokens.names import Names

_BATCH_LABEL = b"strongroom/batch-token/v1"
TOKEN_LENGTH_MAX = 8192
NESTING_MAX = 1000
"""How many generations of tokens may stand above one: each is looked at whenever it is used."""
_NAMESAKES_MAX = 100
SPENT = -1
"""The number of uses of a token that is being used for the last time."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(TokenEntry).decode


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
    storage.put(f"{AREA}keys", msgspec.msgpack.encode(TokenKeys(entropy.bytes(32), entropy.bytes(32))))


def load_keys(storage: Storage) -> TokenKeys:
    """The keys of this vault. Raises LookupError where they are missing, which only a damaged store can cause."""
    stored = storage.get(f"{AREA}keys")
    if stored is None:
        raise LookupError("the token keys are missing from the store")
    return msgspec.msgpack.decode(stored, type=TokenKeys)


class TokenStore:
    """Everything that can happen to a token. All state is in the storage that is passed in; what is kept here saves decoding it again."""

    def __init__(self, keys: TokenKeys, clock: Clock, entropy: Entropy, on_dropped: Dropped) -> None:
        self._names = Names(keys.hash_key)
        self._id_of = self._names.of_token
        self._batch_key = keys.batch_key
        self._clock = clock
        self._entropy = entropy
        self._on_dropped = on_dropped
        self._known = KnownTokens()
        self._lineage = Lineage()

    def id_of(self, token: Secret[str]) -> str:
        """The keyed hash under which a token is stored."""
        return token.named_by(self._id_of)

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
        if storage.get(ENTRY_PREFIX + entry.id) is not None:
            raise InvalidRequest("cannot create a token with a duplicate ID; choose another or leave it out")
        if token is not None:
            self._bury_namesake(storage, entry.id)
        self._join(storage, entry)
        storage.put(f"{AREA}accessor/{self._names.of_accessor(entry.accessor)}", entry.id.encode())
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
        stored = storage.get(ENTRY_PREFIX + token_id)
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
        token_id = storage.get(f"{AREA}accessor/{self._names.of_accessor(accessor)}")
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

    def revoke_tree(self, storage: Storage, token_id: str) -> bool:
        """Revoke a token, and with it every descendant that is not an orphan; returns whether there was one.

        Costs the same whatever hangs below it. Rows that are left of descendants are removed by :meth:`clear`.
        """
        if not self._remove(storage, token_id):
            return False
        lineage.doom_children(storage, token_id)
        return True

    def revoke_orphaning(self, storage: Storage, token_id: str) -> None:
        """Revoke one token; its children live on as orphans."""
        for child in lineage.children(storage, token_id):
            stored = storage.get(ENTRY_PREFIX + child)
            if stored is not None:
                entry = _decode(stored)
                entry.parent, entry.orphan = "", True
                self._put(storage, entry)
            storage.delete(f"{CHILD_PREFIX}{token_id}/{child}")
        if self._remove(storage, token_id):
            lineage.doom_children(storage, token_id)  # those that came meanwhile

    def revoke_of_mount(self, storage: Storage, auth_mount: str) -> None:
        """The auth method is going away, and every token that it made with it: :meth:`clear` removes their rows."""
        lineage.doom_mount(storage, auth_mount)

    def ids_of_leases(self, storage: Storage, prefix: str) -> list[str]:
        """The ids of the tokens whose lease is called ``prefix`` or lies below it."""
        exact = self.by_lease(storage, prefix)
        return [*([exact.id] if exact is not None else []), *lease_index.token_ids(storage, prefix)]

    def accessors(self, storage: Storage) -> list[str]:
        """The accessors of all tokens that are good right now, sorted."""
        return sorted(entry.accessor for entry in self._all(storage) if self._is_good(storage, entry))

    def sweep(self, storage: Storage, limit: int) -> int:
        """Remove up to ``limit`` tokens whose time is over. Nothing depends on it for safety."""
        now = self._clock.now_ns()
        swept = 0
        for key in storage.scan(f"{AREA}expiry/"):
            instant, _, token_id = key.removeprefix(f"{AREA}expiry/").partition("/")
            if int(instant) > now or swept >= limit:
                break
            swept += self.revoke_tree(storage, token_id)
            storage.delete(key)
        return swept

    def clear(self, storage: Storage, limit: int) -> int:
        """Remove what is left of tokens that died with what was above them, looking at ``limit`` rows or a few more.

        Returns how many it looked at: 0 when nothing is left. Nothing depends on it for safety.
        """
        looked_at = 0
        for token_id in storage.children(DOOMED_PREFIX, limit=limit):
            looked_at += 1 + self._clear_children(storage, token_id, limit - looked_at)
            if looked_at >= limit:
                return looked_at
        doomed_mount = lineage.next_doomed_mount(storage)
        if doomed_mount is not None:
            looked_at += 1 + self._clear_of_mount(storage, *doomed_mount, limit - looked_at)
        return looked_at

    def _clear_children(self, storage: Storage, token_id: str, limit: int) -> int:
        found = lineage.children(storage, token_id, limit)
        for child in found:
            stored = storage.get(ENTRY_PREFIX + child)
            entry = None if stored is None else _decode(stored)
            if entry is not None and entry.parent == token_id and not entry.orphan:
                self.revoke_tree(storage, child)
            else:
                storage.delete(f"{CHILD_PREFIX}{token_id}/{child}")
        if len(found) < limit:
            storage.delete(DOOMED_PREFIX + token_id)
        return len(found)

    def _clear_of_mount(self, storage: Storage, uuid: str, after: str, limit: int) -> int:
        keys = list(islice(storage.scan(ENTRY_PREFIX, after), limit))
        for key in keys:
            stored = storage.get(key)
            entry = None if stored is None else _decode(stored)
            if entry is not None and entry.auth_mount == uuid:
                self.revoke_tree(storage, entry.id)
        if len(keys) < limit:
            storage.delete(DOOMED_MOUNT_PREFIX + uuid)
        else:
            storage.put(DOOMED_MOUNT_PREFIX + uuid, keys[-1].encode())
        return len(keys)

    def _bury_namesake(self, storage: Storage, token_id: str) -> None:
        """A token that was chosen again must not bring the descendants of the former one back to life."""
        if storage.get(DOOMED_PREFIX + token_id) is None:
            return
        if self._clear_children(storage, token_id, _NAMESAKES_MAX) == _NAMESAKES_MAX:
            raise InvalidRequest(
                "a token of this ID was revoked and what hangs below it is still being removed; choose another ID or try again in a minute"
            )

    def _join(self, storage: Storage, entry: TokenEntry) -> None:
        """Put a new token below its parent and its auth method, which must be good. Raises PermissionDenied where one is gone."""
        if not self._lineage.is_alive(storage, entry, self._clock.now_ns()):
            raise PermissionDenied
        if entry.parent and not entry.orphan:
            parent = self.by_id(storage, entry.parent)
            if parent is None:
                raise PermissionDenied
            entry.watched_ancestors = parent.watched_ancestors + 1
            if entry.watched_ancestors > NESTING_MAX:
                raise InvalidRequest("the token has too many generations above it; create an orphan")
        lineage.join(storage, entry)

    def _is_good(self, storage: Storage, entry: TokenEntry) -> bool:
        now = self._clock.now_ns()
        return not entry.is_expired(now) and self._lineage.is_alive(storage, entry, now)

    def _find_batch(self, storage: Storage, shown: str) -> TokenEntry | None:
        """A batch token lies nowhere; what it hangs on does."""
        entry = self._open_batch(shown)
        return entry if entry is not None and self._is_good(storage, entry) else None

    def _all(self, storage: Storage) -> Iterator[TokenEntry]:
        for key in storage.scan(ENTRY_PREFIX):
            stored = storage.get(key)
            if stored is not None:
                yield _decode(stored)

    def _put(self, storage: Storage, entry: TokenEntry) -> None:
        storage.put(ENTRY_PREFIX + entry.id, _encode(entry))

    def _is_good_lease(self, storage: Storage, name: str) -> bool:
        token_id = lease_index.token_id_of(name)
        return token_id is not None and self.by_id(storage, token_id) is not None

    def _add_expiry(self, storage: Storage, entry: TokenEntry) -> None:
        if entry.expire_time_ns != NEVER:
            storage.put(_expiry_key(entry), b"")

    def _drop_expiry(self, storage: Storage, entry: TokenEntry) -> None:
        if entry.expire_time_ns != NEVER:
            storage.delete(_expiry_key(entry))

    def _remove(self, storage: Storage, token_id: str) -> bool:
        stored = storage.get(ENTRY_PREFIX + token_id)
        if stored is None:
            return False
        entry = _decode(stored)
        self._drop_expiry(storage, entry)
        lease_index.remove(storage, entry)
        storage.delete(f"{AREA}accessor/{self._names.of_accessor(entry.accessor)}")
        if entry.parent:
            storage.delete(f"{CHILD_PREFIX}{entry.parent}/{entry.id}")
        storage.delete(ENTRY_PREFIX + entry.id)
        self._on_dropped(storage, entry.id)
        return True

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


def _expiry_key(entry: TokenEntry) -> str:
    return f"{AREA}expiry/{entry.expire_time_ns:020d}/{entry.id}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
