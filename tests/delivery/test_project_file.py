from __future__ import annotations

import os
from pathlib import Path

import pytest

from strongroom.delivery.project import BadProject
from strongroom.delivery.project_file import find, load

GOOD = 'environment = "dev"\n'


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "project" / "src" / "deep"
    folder.mkdir(parents=True)
    return folder


def test_the_nearest_file_upwards_is_found(deep: Path) -> None:
    (deep.parents[1] / ".strongroom.toml").write_text(GOOD)
    (deep.parents[2] / ".strongroom.toml").write_text(GOOD)
    assert find(str(deep), "") == str(deep.parents[1] / ".strongroom.toml")


def test_the_search_ends_at_the_home_folder(deep: Path) -> None:
    (deep.parents[3] / ".strongroom.toml").write_text(GOOD)
    assert find(str(deep), str(deep.parents[2])) == ""
    assert find(str(deep), "") == str(deep.parents[3] / ".strongroom.toml")


def test_a_folder_that_is_gone_has_no_project(tmp_path: Path) -> None:
    assert find(str(tmp_path / "gone"), "") == ""


def test_the_personal_file_stands_beside_it(deep: Path) -> None:
    (deep / ".strongroom.toml").write_text(GOOD)
    (deep / ".strongroom.local.toml").write_text('environment = "mine"')
    project = load(str(deep / ".strongroom.toml"), {})
    assert project.environment == "dev"
    assert project.personal is not None
    assert project.personal.environment == "mine"


def test_an_error_names_the_file(deep: Path) -> None:
    (deep / ".strongroom.toml").write_text(GOOD)
    (deep / ".strongroom.local.toml").write_text("x = 1")
    with pytest.raises(BadProject, match=r"\.strongroom\.local\.toml: line 1: x"):
        load(str(deep / ".strongroom.toml"), {})


def test_what_everybody_may_write_is_refused(deep: Path) -> None:
    path = deep / ".strongroom.toml"
    path.write_text(GOOD)
    path.chmod(0o666)
    with pytest.raises(BadProject, match="written by everybody"):
        load(str(path), {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused_unless_that_user_became_root(deep: Path) -> None:
    path = deep / ".strongroom.toml"
    path.write_text(GOOD)
    os.chown(path, 12345, 12345)
    with pytest.raises(BadProject, match="belongs to another user"):
        load(str(path), {})
    assert load(str(path), {"SUDO_UID": "12345"}).environment == "dev"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "large", "bytes", "missing"])
def test_only_a_plain_file_is_read(deep: Path, kind: str) -> None:
    path = deep / ".strongroom.toml"
    if kind == "link":
        (deep / "other").write_text(GOOD)
        path.symlink_to(deep / "other")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "large":
        path.write_bytes(b"#" * (2 << 20))
    elif kind == "bytes":
        path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadProject, match=r"strongroom\.toml"):
        load(str(path), {})
