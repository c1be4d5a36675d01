from __future__ import annotations

from pathlib import Path

import pytest

from strongroom.audit.devices.file_options import FileOptions, check_options
from strongroom.audit.options import Limits
from strongroom.logical.errors import InvalidRequest


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def from_api(allowed: Path) -> Limits:
    return Limits(from_api=True, allowed_folders=(str(allowed),))


CONFIGURED = Limits(from_api=False)


def test_the_configuration_file_may_name_any_path() -> None:
    assert check_options({"file_path": "audit.log"}, CONFIGURED) == FileOptions(
        "audit.log", 0o600, synced=False, follow_symlinks=True
    )


def test_mode_and_durability_are_read() -> None:
    options = {"file_path": "/a", "mode": "0640", "durability": "synced"}
    assert check_options(options, CONFIGURED) == FileOptions("/a", 0o640, synced=True, follow_symlinks=True)


@pytest.mark.parametrize("mode", ["0777", "0700", "0644", "0660", "0606", "4600", "0000", "384", "", "rw", "0o600"])
def test_a_mode_that_others_can_use_or_execute_is_refused_even_from_the_file(mode: str) -> None:
    with pytest.raises(InvalidRequest, match="0600 or 0640"):
        check_options({"file_path": "/a", "mode": mode}, CONFIGURED)


@pytest.mark.parametrize("name", ["file_path", "path"])
def test_the_api_may_name_a_file_in_an_allowed_folder_by_either_name(
    name: str, allowed: Path, from_api: Limits
) -> None:
    checked = check_options({name: f"{allowed}/audit.log"}, from_api)
    assert checked == FileOptions(f"{allowed.resolve()}/audit.log")


def test_the_api_may_name_a_folder_below_an_allowed_one(allowed: Path, from_api: Limits) -> None:
    assert check_options({"file_path": f"{allowed}/sub/audit.log"}, from_api).path.endswith("/logs/sub/audit.log")


@pytest.mark.parametrize("name", ["file_path", "path"])
@pytest.mark.parametrize(
    "path",
    [
        "/etc/cron.d/CANARY",
        "{allowed}-other/CANARY",
        "{allowed}/../CANARY",
        "{allowed}/sub/../../CANARY",
        "{allowed}/./CANARY",
        "CANARY",
        "./CANARY",
        "stdout",
        "discard",
        "{allowed}/..",
        "{allowed}/CANARY/",
        "{allowed}/CANARY\n",
        "{allowed}/CANARY\x00",
        "{allowed}/link/CANARY",
        "/" + "CANARY/" * 1000,
    ],
)
def test_a_hostile_path_from_the_api_is_refused_under_either_name(
    name: str, path: str, allowed: Path, from_api: Limits
) -> None:
    (allowed / "link").symlink_to("/etc")
    with pytest.raises(InvalidRequest) as caught:
        check_options({name: path.format(allowed=allowed)}, from_api)
    assert "CANARY" not in str(caught.value)


def test_without_allowed_folders_the_api_may_name_none(allowed: Path) -> None:
    with pytest.raises(InvalidRequest, match="configuration file"):
        check_options({"file_path": f"{allowed}/audit.log"}, Limits(from_api=True))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "'file_path' is missing"),
        ({"file_path": ""}, "'file_path' is missing"),
        ({"file_path": "/a", "path": "/b"}, "not both"),
        ({"file_path": "/a", "durability": "x"}, "written or synced"),
        ({"file_path": "/a/"}, "not a folder"),
        ({"file_path": "/a", "prefixx": "x"}, "durability, elide_list_responses, file_path"),
    ],
)
def test_a_wrong_option_is_answered_with_what_is_right(options: dict[str, str], text: str) -> None:
    with pytest.raises(InvalidRequest, match=text):
        check_options(options, CONFIGURED)
