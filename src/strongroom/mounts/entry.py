"""One mount as it is stored, and what an operator may tune about it."""

from __future__ import annotations

import re

import msgspec

from strongroom.logical.backend import Mount
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.path import check_canonical

LISTING_VISIBILITIES = ("", "hidden", "unauth")
TOKEN_TYPES = ("", "default-service", "default-batch", "service", "batch")

_TYPE_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


class MountConfig(msgspec.Struct, kw_only=True):
    """What can be tuned. TTLs in seconds, 0 meaning the system's."""

    default_lease_ttl: int = 0
    max_lease_ttl: int = 0
    force_no_cache: bool = False
    listing_visibility: str = ""
    audit_non_hmac_request_keys: list[str] = []
    audit_non_hmac_response_keys: list[str] = []
    passthrough_request_headers: list[str] = []
    allowed_response_headers: list[str] = []
    token_type: str = ""


class MountEntry(msgspec.Struct, kw_only=True):
    """One mount. ``path`` ends in ``/`` and, for an auth method, starts with ``auth/``."""

    path: str
    type: str
    uuid: str
    accessor: str
    description: str = ""
    config: MountConfig = msgspec.field(default_factory=MountConfig)
    options: dict[str, str] | None = None
    local: bool = False
    seal_wrap: bool = False
    external_entropy_access: bool = False

    @property
    def is_auth(self) -> bool:
        """Whether it is an auth method."""
        return self.path.startswith("auth/")

    @property
    def storage_prefix(self) -> str:
        """Where its data is, below the root of the barrier. Moving a mount moves no data."""
        return f"{'auth' if self.is_auth else 'logical'}/{self.uuid}/"

    def resolved(self, default_lease_ttl: int, max_lease_ttl: int) -> Mount:
        """The mount as its engine sees it, with the system's TTLs (seconds) where it has none of its own."""
        most = self.config.max_lease_ttl or max_lease_ttl
        return Mount(
            path=self.path,
            accessor=self.accessor,
            uuid=self.uuid,
            type=self.type,
            options=self.options or {},
            default_lease_ttl=min(self.config.default_lease_ttl or default_lease_ttl, most),
            max_lease_ttl=most,
            is_auth=self.is_auth,
        )


def canonical_mount_path(path: str, *, is_auth: bool) -> str:
    """``path`` as the key of a mount: canonical, one trailing slash, ``auth/`` in front for an auth method."""
    stripped = path.strip("/")
    if not stripped:
        raise InvalidRequest("the mount path is empty; name one, for example 'kv/'")
    if stripped != stripped.strip() or "{" in stripped or "*" in stripped or "+" in stripped:
        raise InvalidRequest("a mount path must not start or end with a space, nor hold any of '{', '*' and '+'")
    check_canonical(stripped)
    if not is_auth and f"{stripped}/".startswith("auth/"):
        raise InvalidRequest("paths below 'auth/' belong to auth methods; use sys/auth, without 'auth/' in the path")
    return f"auth/{stripped}/" if is_auth else f"{stripped}/"


def check_type_name(type_name: str) -> str:
    """``type_name`` if it could name a plug at all; InvalidRequest otherwise."""
    if not _TYPE_NAME.fullmatch(type_name):
        raise InvalidRequest("the type of the mount is missing or malformed; name one, for example 'kv'")
    return type_name
