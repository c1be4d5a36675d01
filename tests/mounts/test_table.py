from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tokens.conftest import Shelf

from strongroom.logical.backend import Path
from strongroom.logical.errors import InvalidRequest
from strongroom.mounts.entry import MountEntry
from strongroom.mounts.table import EPOCH_KEY, REMOVING_AREA, MountMap, MountTable, is_mounted


class Plug:
    help = "A plug for tests."

    def paths(self) -> tuple[Path, ...]:
        return ()


def entry(path: str, *, kind: str = "kv") -> MountEntry:
    return MountEntry(path=path, type=kind, uuid=f"uuid of {path}", accessor="a")


def new_table(storage: Shelf, *paths: str) -> MountTable:
    table = MountTable(lambda entry: Plug() if entry.type == "kv" else None, (100, 1000))
    for path in paths:
        table.add(storage, entry(path))
    return table


def where(mounts: MountMap, path: str) -> tuple[str, str] | None:
    found = mounts.find(path)
    return None if found is None else (found[0].entry.path, found[1])


@pytest.fixture
def storage() -> Shelf:
    return Shelf()


def test_a_path_is_found_below_the_mount_that_holds_it(storage: Shelf) -> None:
    mounts = new_table(storage, "kv/", "team/kv/", "auth/team/up/").at(storage, 1)
    assert where(mounts, "kv/a/b") == ("kv/", "a/b")
    assert where(mounts, "kv/") == ("kv/", "")
    assert where(mounts, "kv") == ("kv/", "")
    assert where(mounts, "team/kv/a") == ("team/kv/", "a")
    assert where(mounts, "auth/team/up/login/x") == ("auth/team/up/", "login/x")


@pytest.mark.parametrize(
    "path", ["", "k", "kvx", "kvx/a", "team", "team/", "team/k", "auth", "auth/team/u", "KV/a", "a/kv/"]
)
def test_a_path_near_a_mount_is_below_none(storage: Shelf, path: str) -> None:
    assert where(new_table(storage, "kv/", "team/kv/", "auth/team/up/").at(storage, 1), path) is None


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=6).map("/".join))
def test_the_search_says_what_trying_every_mount_says(path: str) -> None:
    storage = Shelf()
    paths = ["a/", "b/a/", "b/b/c/", "c/a/b/c/"]
    mounts = new_table(storage, *paths).at(storage, 1)
    expected = next(
        ((mount, f"{path}/"[len(mount) :].rstrip("/")) for mount in paths if f"{path}/".startswith(mount)), None
    )
    assert where(mounts, path) == expected


@pytest.mark.parametrize("path", ["kv/", "kv/in/", "kv/in/deep/"])
def test_no_mount_stands_on_in_or_around_another(storage: Shelf, path: str) -> None:
    table = new_table(storage, "kv/in/")
    if path != "kv/in/":
        assert not path.startswith("kv/in/") or path == "kv/in/deep/"
    with pytest.raises(InvalidRequest, match="path is already in use at kv/in/"):
        table.add(storage, entry(path))
    table.add(storage, entry("kv/inner/"))


@pytest.mark.parametrize(
    "path", ["sys/", "sys/x/", "cubbyhole/", "identity/x/", "audit/x/", "auth/", "auth/token/", "auth/token/x/"]
)
def test_reserved_paths_take_no_mount(storage: Shelf, path: str) -> None:
    with pytest.raises(InvalidRequest, match="reserved"):
        new_table(storage, path)
    assert storage.content == {}


@pytest.mark.parametrize("path", ["sys/", "cubbyhole/", "auth/token/"])
def test_what_every_client_relies_on_is_neither_removed_nor_moved(storage: Shelf, path: str) -> None:
    table = new_table(storage)
    table.store(storage, entry(path))
    before = dict(storage.content)
    with pytest.raises(InvalidRequest, match="reserved"):
        table.remove(storage, entry(path))
    with pytest.raises(InvalidRequest, match="reserved"):
        table.move(storage, entry(path), "auth/x/" if path.startswith("auth/") else "x/")
    assert storage.content == before


def test_removing_a_mount_notes_that_its_data_is_to_be_removed_and_touches_none(storage: Shelf) -> None:
    table = new_table(storage, "kv/", "other/", "auth/up/")
    for path in ("kv/", "other/", "auth/up/"):
        storage.put(f"{entry(path).storage_prefix}secret", b"hunter2")
    before = dict(storage.content)
    for path in ("kv/", "auth/up/"):
        table.remove(storage, entry(path))
        uuid = entry(path).uuid
        assert not is_mounted(storage, uuid)
        assert REMOVING_AREA + uuid in storage.content
    assert is_mounted(storage, entry("other/").uuid)
    assert REMOVING_AREA + entry("other/").uuid not in storage.content
    assert {key: storage.content[key] for key in before if "secret" in key} == {
        key: value for key, value in before.items() if "secret" in key
    }


def test_moving_a_mount_keeps_what_it_is(storage: Shelf) -> None:
    table = new_table(storage, "kv/", "other/")
    table.move(storage, entry("kv/"), "moved/")
    moved = next(one for one in table.entries(storage) if one.path == "moved/")
    assert (moved.uuid, moved.accessor) == ("uuid of kv/", "a")
    for taken in ("other/", "other/in/", "moved/", "moved/in/"):
        with pytest.raises(InvalidRequest, match="path is already in use"):
            table.move(storage, moved, taken)


def test_a_mount_stays_what_it_is_a_secrets_engine_or_an_auth_method(storage: Shelf) -> None:
    table = new_table(storage, "kv/", "auth/up/")
    with pytest.raises(InvalidRequest, match="between"):
        table.move(storage, entry("kv/"), "auth/kv/")
    with pytest.raises(InvalidRequest, match="between"):
        table.move(storage, entry("auth/up/"), "up/")


def test_every_change_makes_the_caches_stale(storage: Shelf) -> None:
    table = new_table(storage, "kv/")
    changes: list[Callable[[], None]] = [
        lambda: table.add(storage, entry("new/")),
        lambda: table.put(storage, entry("new/")),
        lambda: table.move(storage, entry("new/"), "newer/"),
        lambda: table.remove(storage, entry("kv/")),
    ]
    for change in changes:
        storage.delete(EPOCH_KEY)
        change()
        assert EPOCH_KEY in storage.content


def test_the_map_of_one_epoch_is_read_once(storage: Shelf) -> None:
    table = new_table(storage, "kv/")
    first = table.at(storage, 1)
    table.add(storage, entry("new/"))
    assert table.at(storage, 1) is first
    assert where(table.at(storage, 2), "new/a") == ("new/", "a")


def test_a_mount_whose_plug_is_gone_is_kept_but_answers_nothing(storage: Shelf) -> None:
    table = new_table(storage, "kv/")
    table.store(storage, entry("gone/", kind="removed"))
    assert where(table.at(storage, 1), "gone/a") is None
    assert [one.path for one in table.entries(storage)] == ["gone/", "kv/"]


def test_mounts_are_told_apart_by_kind_and_found_by_uuid(storage: Shelf) -> None:
    mounts = new_table(storage, "kv/", "auth/up/", "a/").at(storage, 1)
    assert [live.entry.path for live in mounts.all(is_auth=False)] == ["a/", "kv/"]
    assert [live.entry.path for live in mounts.all(is_auth=True)] == ["auth/up/"]
    by_uuid = mounts.by_uuid("uuid of kv/")
    assert by_uuid is not None
    assert mounts.get("kv/") is by_uuid
    assert mounts.by_uuid("nosuch") is None
    assert len(list(mounts)) == 3


def test_mounts_of_one_kind_share_one_plug_which_may_count_in_memory(storage: Shelf) -> None:
    mounts = new_table(storage, "kv/", "other/").at(storage, 1)
    assert len({id(live.router) for live in mounts}) == 1
