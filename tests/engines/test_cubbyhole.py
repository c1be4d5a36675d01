from __future__ import annotations

import pytest
from tests.engines.harness import MountedEngine, caller

from strongroom.engines.cubbyhole import Cubbyhole
from strongroom.logical.errors import InvalidRequest, NotFound, TooLarge, UnsupportedOperation
from strongroom.logical.operation import Operation

OTHER = caller("token-one-and-more")
BATCH = caller("batch", is_batch=True)


def test_an_entry_comes_back_as_it_was_written_without_a_lease(cubbyhole: MountedEngine) -> None:
    cubbyhole.update("a/b", a=1, ttl="1h", path="x")

    response = cubbyhole.call(Operation.READ, "a/b")

    assert response is not None
    assert response.data == {"a": 1, "ttl": "1h", "path": "x"}
    assert response.lease_duration == 0
    assert response.returned_keys == ("a", "ttl", "path")


def test_another_token_sees_nothing_of_it(cubbyhole: MountedEngine) -> None:
    cubbyhole.update("a", a=1)

    with pytest.raises(NotFound):
        cubbyhole.call(Operation.READ, "a", by=OTHER)
    with pytest.raises(NotFound):
        cubbyhole.call(Operation.LIST, "", by=OTHER)
    assert not cubbyhole.exists(Operation.UPDATE, "a", by=OTHER)
    cubbyhole.call(Operation.DELETE, "a", by=OTHER)
    assert cubbyhole.read("a") == {"a": 1}


def test_a_dropped_drawer_is_empty_and_others_are_untouched(cubbyhole: MountedEngine) -> None:
    cubbyhole.update("a", a=1)
    cubbyhole.update("b/c", a=1)
    cubbyhole.call(Operation.UPDATE, "a", {"a": 2}, by=OTHER)

    Cubbyhole().drop(cubbyhole.storage, "token-one")
    Cubbyhole().drop(cubbyhole.storage, "token-one")

    assert list(cubbyhole.storage.records) == ["token-one-and-more/a"]


def test_an_entry_can_be_replaced_listed_and_deleted(cubbyhole: MountedEngine) -> None:
    assert not cubbyhole.exists(Operation.UPDATE, "a")
    cubbyhole.update("a", a=1)
    assert cubbyhole.exists(Operation.UPDATE, "a")
    cubbyhole.update("a", b=1)
    cubbyhole.update("l/a", b=1)

    assert cubbyhole.read("a") == {"b": 1}
    assert cubbyhole.list("") == ["a", "l/"]
    assert cubbyhole.list("l/") == ["a"]
    cubbyhole.delete("a")
    cubbyhole.delete("a")
    with pytest.raises(NotFound):
        cubbyhole.read("a")


@pytest.mark.parametrize("operation", [Operation.READ, Operation.UPDATE, Operation.DELETE, Operation.LIST])
def test_batch_tokens_have_no_drawer(cubbyhole: MountedEngine, operation: Operation) -> None:
    with pytest.raises(InvalidRequest, match=r"\Acubbyhole operations are only supported by 'service' type tokens\Z"):
        cubbyhole.call(operation, "a", {"a": 1} if operation is Operation.UPDATE else b"{}", by=BATCH)
    assert cubbyhole.storage.records == {}


def test_the_acl_may_ask_about_a_batch_token(cubbyhole: MountedEngine) -> None:
    assert not cubbyhole.exists(Operation.UPDATE, "a", by=BATCH)


def test_bad_writes_are_refused(cubbyhole: MountedEngine) -> None:
    with pytest.raises(InvalidRequest, match="missing data fields"):
        cubbyhole.update("a")
    with pytest.raises(InvalidRequest, match="cannot write to a path ending in '/'"):
        cubbyhole.update("a/", a=1)
    with pytest.raises(InvalidRequest, match="missing path"):
        cubbyhole.update("", a=1)
    with pytest.raises(TooLarge):
        cubbyhole.update("a", a="x" * 2**20)
    with pytest.raises(UnsupportedOperation):
        cubbyhole.patch("a", a=1)
    assert cubbyhole.storage.records == {}


def test_entries_carry_no_fingerprint(cubbyhole: MountedEngine) -> None:
    cubbyhole.update("a", a="wrapped")

    assert cubbyhole.fingerprints.known == {}
