from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from strongroom.encoding.json import encode
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.operation import Capability
from strongroom.policy.acl import ACL, Question
from strongroom.policy.store import PolicyStore, StoredPolicy
from strongroom.policy.templating import IdentityView

if TYPE_CHECKING:
    from tests.policy.conftest import DictStorage

READ_A = 'path "a" { policy = "read" }'


def allows(acl: ACL, path: str, capability: Capability = Capability.READ) -> bool:
    return acl.decide(Question(path=path, capability=capability, now_ns=0)).allowed


def test_a_policy_is_read_back_exactly_as_it_was_written(storage: DictStorage) -> None:
    store = PolicyStore()
    for text in (READ_A + "\n# Ünicode\n", json.dumps({"path": {"test-path": {"capabilities": ["read"]}}}, indent=4)):
        store.put(storage, "team/web", text)
        assert store.get(storage, "team/web") == StoredPolicy("team/web", text)
    assert list(storage.entries) == ["core/policy/team/web"]
    store.delete(storage, "team/web")
    store.delete(storage, "team/web")
    assert store.get(storage, "team/web") is None


def test_a_bad_text_is_refused_and_changes_nothing(storage: DictStorage) -> None:
    store = PolicyStore()
    store.put(storage, "web", READ_A)
    with pytest.raises(InvalidRequest, match="line 1, column 9"):
        store.put(storage, "web", "nonsense")
    assert store.get(storage, "web") == StoredPolicy("web", READ_A)


@pytest.mark.parametrize("name", ["Web", " web", "web\t", "ｗｅｂ", "../web", "web/", "", "w" * 129, "web\u0000"])
def test_a_second_spelling_of_a_name_reaches_nothing(storage: DictStorage, name: str) -> None:
    store = PolicyStore()
    store.put(storage, "web", READ_A)
    before = dict(storage.entries)
    with pytest.raises(InvalidRequest):
        store.put(storage, name, 'path "*" { policy = "sudo" }')
    with pytest.raises(InvalidRequest):
        store.delete(storage, name)
    with pytest.raises(InvalidRequest):
        store.get(storage, name)
    assert storage.entries == before


def test_the_policies_that_the_server_owns_cannot_be_written_or_deleted(storage: DictStorage) -> None:
    store = PolicyStore()
    store.install_defaults(storage)
    for name in ("root", "response-wrapping"):
        with pytest.raises(InvalidRequest, match=f'cannot update "{name}" policy'):
            store.put(storage, name, READ_A)
        with pytest.raises(InvalidRequest, match=f'cannot delete "{name}" policy'):
            store.delete(storage, name)
    with pytest.raises(InvalidRequest, match="cannot delete default policy"):
        store.delete(storage, "default")


def test_every_policy_is_listed_with_root_at_the_end(storage: DictStorage) -> None:
    store = PolicyStore()
    store.install_defaults(storage)
    store.put(storage, "web", READ_A)
    store.put(storage, "team/web", READ_A)
    assert store.names(storage) == ["default", "team/web", "web", "root"]
    assert store.get(storage, "root") == StoredPolicy("root", "")


def test_the_default_policy_may_be_changed_and_stays_changed(storage: DictStorage) -> None:
    store = PolicyStore()
    store.install_defaults(storage)
    store.put(storage, "default", READ_A)
    store.install_defaults(storage)
    assert store.get(storage, "default") == StoredPolicy("default", READ_A)


@pytest.mark.parametrize("identity", [None, IdentityView(id="i")])
def test_the_default_policy_lets_a_token_care_for_itself_and_no_more(
    storage: DictStorage, identity: IdentityView | None
) -> None:
    store = PolicyStore()
    store.install_defaults(storage)
    acl = store.acl_for(storage, ("default",), identity, 1)
    assert allows(acl, "auth/token/lookup-self")
    for path in (
        "auth/token/renew-self",
        "auth/token/revoke-self",
        "sys/capabilities-self",
        "sys/leases/renew",
        "sys/leases/lookup",
        "sys/wrapping/wrap",
        "sys/wrapping/unwrap",
        "sys/wrapping/lookup",
        "sys/tools/hash",
        "sys/tools/hash/sha2-256",
        "cubbyhole/x",
    ):
        assert allows(acl, path, Capability.UPDATE), path
    assert allows(acl, "cubbyhole", Capability.LIST)
    for path in ("auth/token/lookup", "sys/policies/acl/default", "secret/a", "sys/leases/lookup/x", "sys/raw/x"):
        assert not allows(acl, path)
        assert not allows(acl, path, Capability.UPDATE)


def test_a_wrapping_token_may_take_out_what_was_wrapped_whatever_storage_says(storage: DictStorage) -> None:
    storage.put("core/policy/response-wrapping", encode({"text": 'path "*" { policy = "sudo" }'}))
    acl = PolicyStore().acl_for(storage, ("response-wrapping",), None, 1)
    assert allows(acl, "cubbyhole/response")
    assert allows(acl, "sys/wrapping/unwrap", Capability.UPDATE)
    assert not allows(acl, "cubbyhole/other")


@pytest.mark.parametrize("name", ["gone", "root", "ROOT", "../web", "a\u0000b", "w" * 300])
def test_a_name_without_a_policy_grants_nothing(storage: DictStorage, name: str) -> None:
    store = PolicyStore()
    store.put(storage, "web", 'path "*" { policy = "sudo" }')
    acl = store.acl_for(storage, (name,), None, 1)
    assert not acl.is_root
    assert not any(allows(acl, path) for path in ("a", "sys/raw/x"))


def test_an_acl_is_compiled_once_for_an_epoch_and_anew_for_the_next(storage: DictStorage) -> None:
    store = PolicyStore()
    store.put(storage, "web", READ_A)
    first = store.acl_for(storage, ("web",), None, 1)
    reads = storage.reads
    assert store.acl_for(storage, ("web",), IdentityView(id="i"), 1) is first
    assert storage.reads == reads
    store.put(storage, "web", 'path "b" { policy = "read" }')
    second = store.acl_for(storage, ("web",), None, 2)
    assert (allows(first, "a"), allows(second, "a"), allows(second, "b")) == (True, False, True)


def test_an_older_snapshot_gets_its_own_acl_and_never_spoils_the_newer(storage: DictStorage) -> None:
    store = PolicyStore()
    store.put(storage, "web", READ_A)
    new = store.acl_for(storage, ("web",), None, 2)
    store.put(storage, "web", 'path "b" { policy = "read" }')
    assert allows(store.acl_for(storage, ("web",), None, 1), "b")
    assert store.acl_for(storage, ("web",), None, 2) is new


def test_names_that_join_to_the_same_text_do_not_share_an_acl(storage: DictStorage) -> None:
    store = PolicyStore()
    store.put(storage, "a", READ_A)
    store.put(storage, "b/c", 'path "*" { policy = "sudo" }')
    assert allows(store.acl_for(storage, ("a", "b/c"), None, 1), "x")
    for names in [("a/b", "c"), ("a,b/c",), ("a b/c",), ("a",)]:
        assert not allows(store.acl_for(storage, names, None, 1), "x")


def test_templates_are_filled_in_for_each_identity_apart(storage: DictStorage) -> None:
    store = PolicyStore()
    store.put(storage, "own", 'path "kv/{{identity.entity.id}}/*" { policy = "read" }')
    store.put(storage, "web", READ_A)
    names = ("own", "web")
    one, two = (store.acl_for(storage, names, IdentityView(id=each), 1) for each in ("one", "two"))
    nobody = store.acl_for(storage, names, None, 1)
    assert [[allows(acl, path) for path in ("kv/one/x", "kv/two/x", "a")] for acl in (one, two, nobody)] == [
        [True, False, True],
        [False, True, True],
        [False, False, True],
    ]
    assert store.acl_for(storage, names, IdentityView(id="one"), 1) is one


def test_a_stored_text_that_cannot_be_read_takes_all_access_away(storage: DictStorage) -> None:
    store = PolicyStore()
    store.put(storage, "web", 'path "*" { policy = "sudo" }')
    storage.put("core/policy/newer", encode({"text": 'path "a" { unknown = 1 }'}))
    assert not allows(store.acl_for(storage, ("newer", "web"), None, 1), "a")


def test_the_cache_is_bounded(storage: DictStorage) -> None:
    store = PolicyStore()
    store.put(storage, "own", 'path "kv/{{identity.entity.id}}/*" { policy = "read" }')
    for number in range(3000):
        store.acl_for(storage, (f"p{number}",), None, 1)
        store.acl_for(storage, ("own",), IdentityView(id=str(number)), 1)
    kept = store._compiled
    sizes = [len(kept.documents), len(kept.fixed), len(kept.varying), len(kept.by_identity)]
    assert max(sizes) <= 1024
