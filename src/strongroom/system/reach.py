"""Where a token gets to: what its policies and the environments that it is bound to allow on a path, without a request for it."""

from __future__ import annotations

from strongroom.logical.storage import Storage
from strongroom.mounts.table import LiveMount
from strongroom.system.node import Node
from strongroom.system.unsealed import SYSTEM_TYPE
from strongroom.tokens.entry import TokenEntry

_READING = frozenset({"read", "root"})


def is_out_of_bounds(node: Node, storage: Storage, entry: TokenEntry, path: str) -> bool:
    """Whether the token is bound to environments, and nothing that it may use lies there (as ``core.steps`` decides)."""
    if not entry.environments:
        return False
    unsealed, epoch = node.require(), node.epoch(storage)
    found = unsealed.mounts.at(storage, epoch).find(path)
    if found is None:
        return False
    live, rest = found
    endpoints = [one.endpoint for one in live.router.matching(rest.removesuffix("/"))]
    return unsealed.is_out_of_bounds(storage, entry, live.entry, endpoints, epoch)


def secret_at(node: Node, storage: Storage, path: str) -> tuple[LiveMount, str] | None:
    """The secrets engine that ``path`` leads to, and the rest of it; None where there is none, or the system itself."""
    found = node.require().mounts.at(storage, node.epoch(storage)).find(path)
    if found is None or not found[1] or found[0].entry.is_auth or found[0].entry.type == SYSTEM_TYPE:
        return None
    return found


def may_read(node: Node, storage: Storage, entry: TokenEntry, path: str, now_ns: int) -> bool:
    """Whether the token may read ``path`` right now, whether or not something is there."""
    if is_out_of_bounds(node, storage, entry, path):
        return False
    acl = node.require().acl_for(storage, entry, node.epoch(storage))
    return not _READING.isdisjoint(acl.capabilities(path, now_ns=now_ns))
