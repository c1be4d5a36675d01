"""What a new vault holds from the first moment, and what is read of it at every unseal.

All of it is written in the commit that makes the vault exist, so that a crash leaves a whole vault or none.
"""

from __future__ import annotations

import msgspec

from strongroom.encoding.uuid4 import uuid4_text
from strongroom.evidence.signature import SEED_LENGTH
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.secret import Secret
from strongroom.logical.storage import Storage
from strongroom.mounts.entry import MountEntry
from strongroom.mounts.table import MountTable, touch_epoch
from strongroom.policy.store import PolicyStore
from strongroom.system.unsealed import SYSTEM_TYPE, TOKEN_TYPE
from strongroom.tokens import store as token_store
from strongroom.tokens.entry import TokenEntry
from strongroom.tokens.store import TokenStore

_VAULT_KEY = "core/vault"


class VaultRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to the vault as a whole: who it is, and the keys behind which its hashes stand."""

    cluster_id: str
    cluster_name: str
    fingerprint_key: bytes
    audit_key: bytes
    audit_signing_seed: bytes
    created_ns: int
    version: str

    def __repr__(self) -> str:
        return "<vault record>"


def found(
    storage: Storage, clock: Clock, entropy: Entropy, policies: PolicyStore, *, version: str, cluster_name: str
) -> Secret[str]:
    """Write the first records and return the first root token."""
    record = VaultRecord(
        cluster_id=new_uuid(entropy),
        cluster_name=cluster_name or f"strongroom-{entropy.bytes(4).hex()}",
        fingerprint_key=entropy.bytes(32),
        audit_key=entropy.bytes(32),
        audit_signing_seed=entropy.bytes(SEED_LENGTH),
        created_ns=clock.now_ns(),
        version=version,
    )
    storage.put(_VAULT_KEY, msgspec.msgpack.encode(record))
    token_store.install_keys(storage, entropy)
    policies.install_defaults(storage)
    for entry in _first_mounts(entropy):
        MountTable.store(storage, entry)
    touch_epoch(storage)
    tokens = TokenStore(token_store.load_keys(storage), clock, entropy, lambda _storage, _token_id: None)
    return make_root_token(tokens, storage, clock)


def load(storage: Storage) -> VaultRecord:
    """The vault's record. Raises LookupError where it is missing, which only a damaged store can cause."""
    stored = storage.get(_VAULT_KEY)
    if stored is None:
        raise LookupError("the vault's record is missing from the store")
    return msgspec.msgpack.decode(stored, type=VaultRecord)


def make_root_token(tokens: TokenStore, storage: Storage, clock: Clock) -> Secret[str]:
    """A token that may do everything and does not expire: made by initialization and by generate-root, and nowhere else."""
    entry = TokenEntry(
        id="",
        accessor="",
        policies=("root",),
        path="auth/token/root",
        display_name="root",
        creation_time_ns=clock.now_ns(),
        orphan=True,
    )
    return tokens.create(storage, entry)


def new_uuid(entropy: Entropy) -> str:
    """A random identifier (RFC 9562 version 4). It names things and is never a secret."""
    return uuid4_text(entropy.bytes(16))


def _first_mounts(entropy: Entropy) -> list[MountEntry]:
    described = (
        ("sys/", SYSTEM_TYPE, "system endpoints used for control, policy and debugging"),
        ("cubbyhole/", "cubbyhole", "per-token private secret storage"),
        ("auth/token/", TOKEN_TYPE, "token based credentials"),
    )
    return [
        MountEntry(
            path=path,
            type=kind,
            uuid=new_uuid(entropy),
            accessor=f"{'auth_' if path.startswith('auth/') else ''}{kind}_{entropy.bytes(4).hex()}",
            description=description,
        )
        for path, kind, description in described
    ]
