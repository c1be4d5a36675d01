"""From a successful login to a token: policies, lifetime and type follow from what the method found and the mount's settings."""

from __future__ import annotations

from strongroom.logical.ambient import Clock
from strongroom.logical.backend import Mount
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import NANOSECONDS
from strongroom.logical.request import Auth, TokenType
from strongroom.logical.storage import Storage
from strongroom.policy.names import normalize_policy_names
from strongroom.tokens import lifetime
from strongroom.tokens.entry import TokenEntry
from strongroom.tokens.store import TokenStore

DEFAULT_POLICY = "default"


def token_policies(policies: tuple[str, ...], *, no_default: bool) -> tuple[str, ...]:
    """The policies of a new token: normalised, with ``default`` unless it is refused. ``root`` is never one of them (INV-4)."""
    names = normalize_policy_names(policies, allow_root=False)
    return names if no_default else tuple(sorted({*names, DEFAULT_POLICY}))


def issue_for_login(
    tokens: TokenStore, storage: Storage, clock: Clock, mount: Mount, path: str, auth: Auth, *, mount_token_type: str
) -> tuple[str, ...]:
    """Make the token that ``auth`` describes and complete ``auth`` with it. Returns warnings for the caller."""
    granted = lifetime.grant(
        lifetime.Wish(auth.ttl, auth.max_ttl, auth.explicit_max_ttl, auth.period),
        lifetime.Limits(mount.default_lease_ttl, mount.max_lease_ttl),
    )
    token_type = _type_of(auth, mount_token_type)
    if token_type is TokenType.BATCH and (auth.period or auth.num_uses or auth.explicit_max_ttl):
        raise InvalidRequest("a batch token cannot be periodic, use-limited or have an explicit maximum lifetime")
    now = clock.now_ns()
    auth.policies = token_policies(auth.policies, no_default=auth.no_default_policy)
    auth.renewable = auth.renewable and token_type is TokenType.SERVICE
    auth.display_name = _display_name(mount, auth.display_name)
    entry = TokenEntry(
        id="",
        accessor="",
        policies=auth.policies,
        path=path,
        display_name=auth.display_name,
        creation_time_ns=now,
        expire_time_ns=now + granted.ttl * NANOSECONDS,
        creation_ttl=granted.ttl,
        max_ttl=auth.max_ttl,
        explicit_max_ttl=auth.explicit_max_ttl,
        period=auth.period,
        renewable=auth.renewable,
        num_uses=auth.num_uses,
        use_limited=auth.num_uses > 0,
        orphan=True,
        type=token_type,
        metadata=dict(auth.metadata),
        bound_cidrs=auth.bound_cidrs,
        alias=auth.alias,
        auth_mount=mount.uuid,
        internal=dict(auth.internal),
        environments=auth.environments,
    )
    auth.client_token = tokens.create(storage, entry)
    auth.accessor = entry.accessor
    auth.lease_duration = granted.ttl
    auth.token_type = token_type
    auth.orphan = True
    return granted.warnings


def _type_of(auth: Auth, mount_token_type: str) -> TokenType:
    # The mount's tuning wins where it is absolute, the method's role where the mount's is only a default.
    if mount_token_type in ("service", "batch"):
        return TokenType(mount_token_type)
    if auth.token_type is not None:
        return auth.token_type
    return TokenType.BATCH if mount_token_type == "default-batch" else TokenType.SERVICE  # noqa: S105 -- a kind of token


def _display_name(mount: Mount, name: str) -> str:
    stem = mount.path.removeprefix("auth/").strip("/").replace("/", "-")
    return f"{stem}-{name}" if name else stem
