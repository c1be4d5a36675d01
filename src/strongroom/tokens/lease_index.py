"""Leases of tokens: how a lease is called, and the index that finds tokens by the path that made them.

Every service token that expires has one lease, called ``<the token's path>/h<keyed hash of the token>``. The name is no secret: it
leads to the token's entry and never to the token. The index holds that name as a key and nothing else; when the token expires
stands in its entry alone, so that a renewal changes nothing here.

Owns the form of the names and of the keys. Refuses to know whether a token is still good: that is ``store``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from strongroom.logical.storage import Storage
from strongroom.tokens.entry import TokenEntry

_AREA = "core/token/lease/"
_NAME = re.compile(r"h([0-9A-Za-z]{6}[0-9a-f]{58})")


def add(storage: Storage, entry: TokenEntry) -> None:
    """Make the token findable by its lease; nothing happens where it has none."""
    if entry.lease_id:
        storage.put(_AREA + entry.lease_id, b"")


def remove(storage: Storage, entry: TokenEntry) -> None:
    """The token is gone."""
    if entry.lease_id:
        storage.delete(_AREA + entry.lease_id)


def token_id_of(lease_id: str) -> str | None:
    """The id of the token that a lease of this name would belong to, or None where no lease can be called so."""
    name = _NAME.fullmatch(lease_id.rpartition("/")[2])
    return name[1] if name else None


def token_ids(storage: Storage, prefix: str) -> Iterator[str]:
    """The ids of all tokens whose lease lies below ``prefix``, which ends at a ``/`` whether it is written or not."""
    for key in storage.scan(_AREA + _folder(prefix)):
        token_id = token_id_of(key)
        if token_id is not None:
            yield token_id


def names(storage: Storage, prefix: str) -> list[str]:
    """What lies directly below ``prefix``: names of leases, and folders, which end in ``/``."""
    return storage.children(_AREA + _folder(prefix))


def _folder(prefix: str) -> str:
    return f"{prefix.rstrip('/')}/" if prefix else ""
