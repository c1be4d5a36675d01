"""Mistakes that a vault could make, each by its name, to be put in for the length of a ``with``: the machine has to see every one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from strongroom.auth.userpass.lockout import Lockout
from strongroom.engines.kv_v2 import data, versions
from strongroom.engines.kv_v2.record import Version
from strongroom.engines.kv_v2.store import SecretStore
from strongroom.physical.memory import MemoryStore
from strongroom.system import policies
from strongroom.tokens.entry import TokenEntry
from strongroom.tokens.store import TokenStore

Mistake = Callable[[], AbstractContextManager[Any]]


def a_revoked_token_is_accepted() -> AbstractContextManager[Any]:
    return patch.object(TokenStore, "revoke_tree", lambda _self, _storage, _token_id: 0)


def a_child_outlives_its_parent() -> AbstractContextManager[Any]:
    return patch.object(TokenStore, "_children", lambda _self, _storage, _token_id: [])


def an_expired_token_is_accepted() -> AbstractContextManager[Any]:
    return patch.object(TokenEntry, "is_expired", lambda _self, _now_ns: False)


def a_use_is_not_spent() -> AbstractContextManager[Any]:
    return patch.object(TokenStore, "spend_use", lambda _self, _storage, _entry: False)


def check_and_set_is_ignored() -> AbstractContextManager[Any]:
    return patch.object(data, "_check_and_set", lambda *_arguments: None)


@contextmanager
def a_version_has_the_wrong_number() -> Iterator[None]:
    """Every fifth version of a secret is counted twice."""
    add = SecretStore.add

    def miscounting(self: SecretStore, path: str, metadata: Any, *rest: Any) -> Version:
        if metadata.current_version == 4:
            metadata.current_version += 1
        return add(self, path, metadata, *rest)

    with patch.object(SecretStore, "add", miscounting):
        yield


@contextmanager
def a_deletion_cannot_be_undone() -> Iterator[None]:
    """Versions that cannot be read are passed over."""
    choose = versions._chosen

    def choosing(context: Any, store: SecretStore, request: Any) -> tuple[Any, list[Version]]:
        metadata, chosen = choose(context, store, request)
        return metadata, [version for version in chosen if version.is_readable(store.now_ns)]

    with patch.object(versions, "_chosen", choosing):
        yield


def a_destroyed_version_is_still_there() -> AbstractContextManager[Any]:
    return patch.object(Version, "is_readable", lambda self, _now_ns: not self.deletion_ns)


def a_changed_policy_is_not_seen() -> AbstractContextManager[Any]:
    return patch.object(policies, "touch_epoch", lambda _storage: None)


def nobody_is_locked_out() -> AbstractContextManager[Any]:
    """A wrong password is taken back like a right one."""

    def forgiving(self: Lockout, context: Any, name: str, _uid: str) -> None:
        self.forgive(context, name)

    return patch.object(Lockout, "count_failure", forgiving)


@contextmanager
def a_commit_is_torn() -> Iterator[None]:
    """Of several records that a commit deletes the last one stays."""
    commit = MemoryStore.commit

    def tearing(self: MemoryStore, expected: Any, puts: Any, deletes: Any, *rest: Any, **options: Any) -> None:
        commit(self, expected, puts, sorted(deletes)[: max(1, len(deletes) - 1)], *rest, **options)

    with patch.object(MemoryStore, "commit", tearing):
        yield


MISTAKES = MappingProxyType(
    {
        mistake.__name__: mistake
        for mistake in (
            a_revoked_token_is_accepted,
            a_child_outlives_its_parent,
            an_expired_token_is_accepted,
            a_use_is_not_spent,
            check_and_set_is_ignored,
            a_version_has_the_wrong_number,
            a_deletion_cannot_be_undone,
            a_destroyed_version_is_still_there,
            a_changed_policy_is_not_seen,
            nobody_is_locked_out,
            a_commit_is_torn,
        )
    }
)
