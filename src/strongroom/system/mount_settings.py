"""What can be set of a mount when it is enabled or tuned, and what makes sense."""

from __future__ import annotations

from typing import Any

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import decode_bool, decode_duration, decode_str, decode_str_list
from strongroom.mounts.entry import LISTING_VISIBILITIES, TOKEN_TYPES, MountConfig

LOCKOUT_WARNING = "user_lockout_config has no effect: on every mount five wrong passwords lock a user for 15 minutes after the last of them"


def config_from(config: dict[str, Any], *, system_max: int) -> MountConfig:
    """The settings in the ``config`` object of an enabling request. Unknown members are left alone, as Vault does.

    ``system_max`` is the system's greatest TTL in seconds.
    """
    decoders = {
        "default_lease_ttl": decode_duration,
        "max_lease_ttl": decode_duration,
        "force_no_cache": decode_bool,
        "listing_visibility": decode_str,
        "token_type": decode_str,
        "audit_non_hmac_request_keys": decode_str_list,
        "audit_non_hmac_response_keys": decode_str_list,
        "passthrough_request_headers": decode_str_list,
        "allowed_response_headers": decode_str_list,
    }
    values: dict[str, Any] = {}
    for name, decode in decoders.items():
        if config.get(name) is None:
            continue
        try:
            values[name] = decode(config[name])
        except ValueError:
            raise InvalidRequest(f"config field {name!r} has the wrong form") from None
    return check_config(MountConfig(**values), system_max=system_max)


def check_config(config: MountConfig, *, system_max: int) -> MountConfig:
    """``config`` if it makes sense; InvalidRequest otherwise. ``system_max`` is the system's greatest TTL in seconds."""
    if config.default_lease_ttl < 0 or config.max_lease_ttl < 0:
        raise InvalidRequest("a TTL must not be negative; 0 means the system's")
    if config.max_lease_ttl and config.default_lease_ttl > config.max_lease_ttl:
        raise InvalidRequest("default_lease_ttl must not be greater than max_lease_ttl")
    if not config.max_lease_ttl and config.default_lease_ttl > system_max:
        raise InvalidRequest(
            f"default_lease_ttl must not be greater than the system's greatest TTL of {system_max} seconds; "
            "set max_lease_ttl as well, if it shall be"
        )
    if config.listing_visibility not in LISTING_VISIBILITIES:
        raise InvalidRequest("listing_visibility must be 'unauth', 'hidden' or empty")
    if config.token_type not in TOKEN_TYPES:
        raise InvalidRequest("token_type must be one of service, batch, default-service, default-batch")
    return config
