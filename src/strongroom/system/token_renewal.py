"""Renewing a token. A token of an auth method is renewed only if its login would still succeed (SECURITY INV-14)."""

from __future__ import annotations

from dataclasses import replace

from strongroom.logical.backend import Context, Renews
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.request import Auth
from strongroom.system.node import Node
from strongroom.tokens import lifetime
from strongroom.tokens.entry import NEVER, TokenEntry

_TOKEN_MOUNT = "auth/token/"  # noqa: S105 -- a path


def renewed(node: Node, context: Context, entry: TokenEntry, increment: int) -> None:
    """Give ``entry`` a later expiry in this transaction, or raise InvalidRequest with the reason."""
    if entry.expire_time_ns == NEVER:
        raise InvalidRequest("invalid lease ID")  # there is none: it does not end
    if not entry.renewable:
        raise InvalidRequest("lease is not renewable")
    wish = lifetime.Wish(entry.creation_ttl, entry.max_ttl, entry.explicit_max_ttl, entry.period)
    if entry.auth_mount:
        wish, limits = _checked_by_method(node, context, entry)
    else:
        limits = _limits_of_token_mount(node, context)
    expiry = lifetime.renewed_expiry(
        wish,
        limits,
        increment=increment,
        creation_time_ns=entry.creation_time_ns,
        now_ns=context.now_ns(),
        expire_time_ns=entry.expire_time_ns,
    )
    node.require().tokens.set_expiry(context.storage, entry, expiry)


def _limits_of_token_mount(node: Node, context: Context) -> lifetime.Limits:
    # Not those of the mount that was asked: the same token can be renewed through sys/leases, which has limits of its own.
    live = node.require().mounts.at(context.storage, node.epoch(context.storage)).get(_TOKEN_MOUNT)
    mount = live.mount if live else context.mount
    return lifetime.Limits(mount.default_lease_ttl, mount.max_lease_ttl)


def _checked_by_method(node: Node, context: Context, entry: TokenEntry) -> tuple[lifetime.Wish, lifetime.Limits]:
    unsealed = node.require()
    live = unsealed.mounts.at(context.storage, node.epoch(context.storage)).by_uuid(entry.auth_mount)
    if live is None:
        raise InvalidRequest("the auth method that made this token is gone; log in again")
    auth = Auth(
        policies=tuple(policy for policy in entry.policies),
        display_name=entry.display_name,
        metadata=entry.metadata,
        alias=entry.alias,
        ttl=entry.creation_ttl,
        max_ttl=entry.max_ttl,
        explicit_max_ttl=entry.explicit_max_ttl,
        period=entry.period,
        bound_cidrs=entry.bound_cidrs,
        internal=entry.internal,
    )
    backend: object = live.router.backend
    if isinstance(backend, Renews):
        view = context.storage.view(live.entry.storage_prefix)
        auth = backend.renew(replace(context, storage=view, mount=live.mount), auth)
    wish = lifetime.Wish(auth.ttl, auth.max_ttl, entry.explicit_max_ttl, auth.period)
    return wish, lifetime.Limits(live.mount.default_lease_ttl, live.mount.max_lease_ttl)
