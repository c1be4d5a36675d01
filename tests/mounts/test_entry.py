from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logical.errors import InvalidRequest
from strongroom.mounts.entry import MountConfig, MountEntry, canonical_mount_path, check_type_name


def entry(path: str = "kv/", config: MountConfig | None = None) -> MountEntry:
    return MountEntry(path=path, type="kv", uuid="u", accessor="kv_1", config=config or MountConfig())


@pytest.mark.parametrize(
    ("path", "is_auth", "canonical"),
    [
        ("kv", False, "kv/"),
        ("kv/", False, "kv/"),
        ("/kv/", False, "kv/"),
        ("team/kv", False, "team/kv/"),
        ("userpass", True, "auth/userpass/"),
        ("team/userpass/", True, "auth/team/userpass/"),
        ("ключ", False, "ключ/"),
        ("authors", False, "authors/"),
    ],
)
def test_a_mount_has_one_spelling_of_its_path(path: str, is_auth: bool, canonical: str) -> None:  # noqa: FBT001 -- a column
    assert canonical_mount_path(path, is_auth=is_auth) == canonical


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "a//b",
        "a/../b",
        "..",
        " a",
        "a ",
        "a*",
        "a+b",
        "{a}",
        "a\\b",
        "a\nb",
        "a\u200b",
        "auth",
        "auth/x",
        "/auth/x/",
    ],
    ids=ascii,
)
def test_a_path_that_could_be_mistaken_for_another_is_no_mount(path: str) -> None:
    with pytest.raises(InvalidRequest):
        canonical_mount_path(path, is_auth=False)


@given(st.text(max_size=20), st.booleans())
def test_any_text_is_a_canonical_mount_path_or_refused(path: str, is_auth: bool) -> None:  # noqa: FBT001 -- drawn
    try:
        canonical = canonical_mount_path(path, is_auth=is_auth)
    except InvalidRequest:
        return
    assert canonical.endswith("/")
    assert canonical.startswith("auth/") is is_auth
    assert canonical_mount_path(canonical.removeprefix("auth/"), is_auth=is_auth) == canonical


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "a" * 65, "kv\n"], ids=ascii)
def test_a_type_that_could_name_no_plug_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_type_name(name)


def test_data_lies_under_the_uuid_so_that_moving_moves_no_data() -> None:
    assert entry("kv/").storage_prefix == entry("other/").storage_prefix == "logical/u/"
    assert entry("auth/a/").storage_prefix == "auth/u/"


@pytest.mark.parametrize(
    ("config", "default", "most"),
    [
        ({}, 100, 1000),
        ({"default_lease_ttl": 50}, 50, 1000),
        ({"max_lease_ttl": 500}, 100, 500),
        ({"max_lease_ttl": 50}, 50, 50),
        ({"default_lease_ttl": 50, "max_lease_ttl": 60}, 50, 60),
        ({"default_lease_ttl": 5000}, 1000, 1000),
        ({"max_lease_ttl": 5000}, 100, 5000),
    ],
    ids=str,
)
def test_a_mount_without_ttls_of_its_own_has_the_systems(config: dict[str, Any], default: int, most: int) -> None:
    mount = entry(config=MountConfig(**config)).resolved(100, 1000)
    assert (mount.default_lease_ttl, mount.max_lease_ttl) == (default, most)
