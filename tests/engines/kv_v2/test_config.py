from __future__ import annotations

import pytest
from tests.engines.harness import MountedEngine

UNSET = {"cas_required": False, "delete_version_after": "0s", "max_versions": 0, "metadata_cas_required": False}


def test_a_fresh_mount_has_nothing_set(kv2: MountedEngine) -> None:
    assert kv2.read("config") == UNSET


def test_settings_that_are_left_out_stay(kv2: MountedEngine) -> None:
    assert kv2.update("config", max_versions=17, cas_required="true") is None
    kv2.update("config", delete_version_after="30m")
    kv2.update("config")

    assert kv2.read("config") == UNSET | {
        "max_versions": 17,
        "cas_required": True,
        "delete_version_after": "30m0s",
    }


def test_null_unsets(kv2: MountedEngine) -> None:
    kv2.update("config", max_versions=17, cas_required=True, delete_version_after="30m", metadata_cas_required=True)

    kv2.update("config", max_versions=None, cas_required=None, delete_version_after=None, metadata_cas_required=None)

    assert kv2.read("config") == UNSET


@pytest.mark.parametrize(
    ("given", "shown"),
    [("0", "0s"), ("", "0s"), (90, "1m30s"), ("90", "1m30s"), ("1d", "24h0m0s"), ("-1s", "-1s"), (-7200, "-1s")],
)
def test_lifetimes_are_shown_as_durations(kv2: MountedEngine, given: object, shown: str) -> None:
    kv2.update("config", delete_version_after=given)

    assert kv2.read("config")["delete_version_after"] == shown
