"""Consumers in the storage. All of their rows change in the same commit.

Keys, all below ``core/consumer/``:

==================================================  ========================================================================
``id/<identity>/<name>``                            the consumer
``name/<name>/<identity>``                          nothing; for finding all who report under a name
``secret/<mount uuid>/<digest>/<identity>/<name>``  nothing; for finding who runs a secret, by a digest of its path
``expiry/<instant, 20 digits>/<identity>/<name>``   nothing; for the sweeper
``count``                                           how many there are
==================================================  ========================================================================

A path may be long and hold slashes; its digest is neither a secret nor hides one, since paths stand in keys anyway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from strongroom.consumers.consumer import CONSUMERS_MAX, PER_IDENTITY_MAX, Consumer, Running
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.storage import Storage

_AREA = "core/consumer/"
_COUNT = f"{_AREA}count"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Consumer).decode


def find(storage: Storage, identity: str, name: str) -> Consumer | None:
    """The consumer that this identity reported under ``name``, even where the report is over and not swept yet."""
    stored = storage.get(f"{_AREA}id/{identity}/{name}")
    return None if stored is None else _decode(stored)


def named(storage: Storage, name: str, now_ns: int) -> list[Consumer]:
    """Every consumer of this name whose report is not over, by identity."""
    found = (find(storage, identity, name) for identity in storage.children(f"{_AREA}name/{name}/"))
    return [one for one in found if one is not None and one.expire_time_ns > now_ns]


def all_consumers(storage: Storage, now_ns: int) -> Iterator[Consumer]:
    """Every consumer whose report is not over, by identity and name."""
    for key in storage.scan(f"{_AREA}id/"):
        stored = storage.get(key)
        if stored is not None and (one := _decode(stored)).expire_time_ns > now_ns:
            yield one


def running(storage: Storage, mount: str, path: str, now_ns: int) -> Iterator[Consumer]:
    """Every consumer that runs some version of the secret at ``path`` of this mount, and whose report is not over."""
    prefix = _secret_prefix(mount, path)
    for key in storage.scan(prefix):
        identity, _, name = key.removeprefix(prefix).partition("/")
        one = find(storage, identity, name)
        if one is not None and one.expire_time_ns > now_ns:
            yield one


def put(storage: Storage, consumer: Consumer) -> None:
    """Store ``consumer`` in place of what it said before. Raises InvalidRequest where there are too many."""
    before = find(storage, consumer.identity, consumer.name)
    if before is None:
        _check_room(storage, consumer.identity)
        _count(storage, 1)
        storage.put(f"{_AREA}name/{consumer.name}/{consumer.identity}", b"")
    else:
        storage.delete(_expiry_key(before))
    had = _index_keys(before.secrets, before) if before is not None else set()
    has = _index_keys(consumer.secrets, consumer)
    for key in sorted(had - has):
        storage.delete(key)
    for key in sorted(has - had):
        storage.put(key, b"")
    storage.put(_expiry_key(consumer), b"")
    storage.put(f"{_AREA}id/{consumer.identity}/{consumer.name}", _encode(consumer))


def remove(storage: Storage, consumer: Consumer) -> None:
    """Forget a consumer that is stored."""
    for key in _index_keys(consumer.secrets, consumer):
        storage.delete(key)
    storage.delete(_expiry_key(consumer))
    storage.delete(f"{_AREA}name/{consumer.name}/{consumer.identity}")
    storage.delete(f"{_AREA}id/{consumer.identity}/{consumer.name}")
    _count(storage, -1)


def sweep(storage: Storage, now_ns: int, limit: int) -> int:
    """Forget up to ``limit`` consumers whose reports are over; returns how many. Nothing depends on it but room for others."""
    swept = 0
    for key in list(_expired(storage, now_ns, limit)):
        _, identity, name = key.removeprefix(f"{_AREA}expiry/").split("/")
        one = find(storage, identity, name)
        storage.delete(key)
        if one is not None and one.expire_time_ns <= now_ns:
            remove(storage, one)
            swept += 1
    return swept


def _expired(storage: Storage, now_ns: int, limit: int) -> Iterator[str]:
    for number, key in enumerate(storage.scan(f"{_AREA}expiry/")):
        if number >= limit or int(key.removeprefix(f"{_AREA}expiry/").partition("/")[0]) > now_ns:
            return
        yield key


def _check_room(storage: Storage, identity: str) -> None:
    if len(storage.children(f"{_AREA}id/{identity}/", limit=PER_IDENTITY_MAX)) >= PER_IDENTITY_MAX:
        raise InvalidRequest(f"one identity reports for at most {PER_IDENTITY_MAX} consumers; reuse their names")
    if int(storage.get(_COUNT) or b"0") >= CONSUMERS_MAX:
        raise InvalidRequest(f"there are {CONSUMERS_MAX} consumers already; an operator can delete some: sys/consumers")


def _count(storage: Storage, change: int) -> None:
    storage.put(_COUNT, b"%d" % (int(storage.get(_COUNT) or b"0") + change))


def _index_keys(secrets: tuple[Running, ...], consumer: Consumer) -> set[str]:
    owner = f"{consumer.identity}/{consumer.name}"
    return {_secret_prefix(one.mount, one.path) + owner for one in secrets}


def _secret_prefix(mount: str, path: str) -> str:
    return f"{_AREA}secret/{mount}/{hashlib.sha256(path.encode()).hexdigest()[:32]}/"


def _expiry_key(consumer: Consumer) -> str:
    return f"{_AREA}expiry/{consumer.expire_time_ns:020d}/{consumer.identity}/{consumer.name}"
