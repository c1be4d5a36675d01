from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.environments.correspondence import parts_of


def test_single_mounts_correspond_whatever_they_are_called() -> None:
    assert parts_of({"dev": ["sandbox/"], "prod": ["vault-of-prod/"], "empty": []}) == {
        "dev": {"": "sandbox/"},
        "prod": {"": "vault-of-prod/"},
        "empty": {},
    }


@pytest.mark.parametrize(
    ("environment", "path", "part"),
    [
        ("production", "production/kv/", "kv"),
        ("production", "kv-production/", "kv"),
        ("production", "team/production/kv/", "team/kv"),
        ("production", "kv_production_eu/", "kv_eu"),
        ("prod", "production/kv/", "production/kv"),
        ("dev", "devices/dev/", "devices"),
    ],
)
def test_of_several_mounts_each_is_known_by_its_path_without_the_environment(
    environment: str, path: str, part: str
) -> None:
    assert parts_of({environment: [path, "other/"]})[environment] == {part: path, "other": "other/"}


def test_where_names_would_be_alike_or_nothing_the_whole_paths_stand() -> None:
    assert parts_of({"dev": ["dev/kv/", "kv-dev/"]})["dev"] == {"dev/kv": "dev/kv/", "kv-dev": "kv-dev/"}
    assert parts_of({"dev": ["dev/", "kv/"]})["dev"] == {"dev": "dev/", "kv": "kv/"}
    assert parts_of({"dev": ["dev/a/", "a/dev/b/"]})["dev"] == {"dev/a": "dev/a/", "a/dev/b": "a/dev/b/"}


@given(
    st.dictionaries(
        st.sampled_from(["dev", "prod"]),
        st.lists(st.text("adev-/p", min_size=1).map(lambda t: t.strip("/-") + "/"), unique=True),
        min_size=1,
    )
)
def test_every_mount_has_a_part_and_no_part_lies_in_another(mounts: dict[str, list[str]]) -> None:
    for name, parts in parts_of(mounts).items():
        assert sorted(parts.values()) == sorted(mounts[name])
