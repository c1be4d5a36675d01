"""The vault while it is unsealed. *Sealed* is the absence of this value and not a flag (DESIGN 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from strongroom.audit.broker import Broker
from strongroom.audit.headers import HeaderBook
from strongroom.barrier.barrier import Barrier
from strongroom.crypto.keyed_hash import KeyedHash
from strongroom.crypto.short_hash import ShortHash
from strongroom.environments.forms import encoded_forms_of
from strongroom.environments.listed import ListedValues, reuse_key
from strongroom.environments.map import EnvironmentBook
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.backend import Endpoint
from strongroom.logical.storage import Storage
from strongroom.mounts.entry import MountEntry
from strongroom.mounts.table import EPOCH_KEY, MountTable
from strongroom.policy.acl import ACL, compile_acl
from strongroom.policy.store import PolicyStore
from strongroom.quotas.book import QuotaBook
from strongroom.quotas.guesses import Guesses
from strongroom.system.audit_devices import DeviceSync
from strongroom.system.settings import Settings
from strongroom.system.wrapped import WrappedAnswers
from strongroom.tokens.entry import TokenEntry
from strongroom.tokens.store import TokenStore

SYSTEM_TYPE = "system"
TOKEN_TYPE = "token"  # noqa: S105 -- the type of a mount

ROOT_STORAGE_TYPES = frozenset({SYSTEM_TYPE, TOKEN_TYPE})
"""Mount types whose handlers see the whole barrier: the system's own two."""
NAMES_REMEMBERED = 4096
"""Of how many names of keys it is remembered what stands for them."""

_ROOT_ACL = compile_acl((), is_root=True)


@dataclass(frozen=True, kw_only=True)
class Unsealed:
    """Everything that exists only while the vault is unsealed."""

    barrier: Barrier
    broker: Broker
    devices: DeviceSync
    audited_headers: HeaderBook
    quotas: QuotaBook
    tokens: TokenStore
    policies: PolicyStore
    mounts: MountTable
    environments: EnvironmentBook
    guesses: Guesses
    listed: ListedValues
    clock: Clock
    entropy: Entropy
    settings: Settings
    fingerprint_key: KeyedHash
    wrapped: WrappedAnswers
    cluster_id: str
    cluster_name: str

    def __repr__(self) -> str:
        return "<unsealed vault>"

    @cached_property
    def reuse_key(self) -> ShortHash:
        """What the guard against reuse lists forms of values under."""
        return reuse_key(self.fingerprint_key)

    @cached_property
    def _name_marks(self) -> dict[str, tuple[bytes, ...]]:
        return {}

    def marks_of_name(self, name: str) -> tuple[bytes, ...]:
        """What stands for the name of a key in the lists of the guard. Remembered, since names come again and again."""
        known = self._name_marks
        marks = known.get(name)
        if marks is None:
            digest = self.reuse_key.digest
            if len(known) >= NAMES_REMEMBERED:
                known.clear()
            marks = known[name] = tuple(digest(form) for form in encoded_forms_of(name, is_below=True))
        return marks

    def catch_up(self, epoch: int) -> None:
        """Take over what other processes of this server changed, if ``epoch`` is news: the term that encrypts, and audit devices."""
        if not self.devices.is_at(epoch):
            self.barrier.refresh_keyrings()
            self.devices.follow(epoch)

    def refresh_quotas(self) -> None:
        """Compile the quotas as they are stored now, for the mounts as they are now. Raises Sealed and what the store raises."""
        changes = self.quotas.changes
        with self.barrier.transaction() as transaction:
            epoch = transaction.version(EPOCH_KEY)
            if epoch is None:
                raise LookupError("the epoch record is missing from the store")
            mounts = self.mounts.at(transaction, epoch)
            paths = {live.entry.uuid: live.entry.path for live in mounts}
            self.quotas.refresh(transaction, paths, made_for=mounts, changes=changes)

    def acl_for(self, storage: Storage, token: TokenEntry, epoch: int) -> ACL:
        """What the token may do, compiled, from the cache where it is still good."""
        if token.is_root:
            return _ROOT_ACL
        return self.policies.acl_for(storage, token.policies, None, epoch)

    def is_barred(self, storage: Storage, token: TokenEntry, mount_uuid: str, epoch: int) -> bool:
        """Whether the token is bound to environments, and the mount belongs to another one."""
        if not token.environments:
            return False
        environment = self.environments.at(storage, epoch).of_mount(mount_uuid)
        return environment is not None and environment.name not in token.environments

    def is_out_of_bounds(
        self, storage: Storage, token: TokenEntry, entry: MountEntry, endpoints: Iterable[Endpoint], epoch: int
    ) -> bool:
        """Whether a binding of the token forbids it to use any of ``endpoints`` of this mount, whatever its policies say.

        A bound token goes into mounts of its environments and into secrets engines of none. What administers the vault, and auth methods
        that belong to no environment, are closed to it but for what concerns itself: there it could make itself a token without bounds.
        """
        if not token.environments:
            return False
        environment = self.environments.at(storage, epoch).of_mount(entry.uuid)
        if environment is not None:
            return environment.name not in token.environments
        if not entry.is_auth and entry.type != SYSTEM_TYPE:
            return False
        return not any(one.open_to_bound or one.any_access or one.unauthenticated for one in endpoints)
