from __future__ import annotations

from typing import Any

import pytest

from strongroom.logical.errors import InvalidRequest
from strongroom.mounts.entry import MountConfig
from strongroom.system.mount_settings import check_config, config_from

DAY = 86_400


def test_settings_are_read_in_every_form_that_clients_write() -> None:
    config = config_from(
        {
            "default_lease_ttl": "1h",
            "max_lease_ttl": 7200,
            "force_no_cache": "true",
            "listing_visibility": "unauth",
            "audit_non_hmac_request_keys": "a,b",
            "options": None,
            "unknown": object(),
        },
        system_max=DAY,
    )
    assert (config.default_lease_ttl, config.max_lease_ttl, config.force_no_cache) == (3600, 7200, True)
    assert config.audit_non_hmac_request_keys == ["a", "b"]
    assert config.listing_visibility == "unauth"


@pytest.mark.parametrize("value", [[1], {"a": 1}, "x y", True], ids=str)
def test_a_setting_of_the_wrong_form_is_named_and_not_quoted(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="config field 'max_lease_ttl' has the wrong form"):
        config_from({"max_lease_ttl": value}, system_max=DAY)


@pytest.mark.parametrize(
    "members",
    [
        {"default_lease_ttl": -1},
        {"max_lease_ttl": -1},
        {"default_lease_ttl": 2, "max_lease_ttl": 1},
        {"default_lease_ttl": DAY + 1},
        {"listing_visibility": "all"},
        {"token_type": "other"},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_together_are_refused(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        check_config(MountConfig(**members), system_max=DAY)


def test_a_default_above_the_systems_greatest_ttl_needs_a_greatest_of_its_own() -> None:
    config = MountConfig(default_lease_ttl=DAY + 1, max_lease_ttl=2 * DAY)
    assert check_config(config, system_max=DAY) is config
