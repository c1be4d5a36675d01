"""Which headers of a request an operator wants to see in the audit log, and whether as keyed hashes: kept in ``core/audit-header/NAME``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.storage import Storage

HEADERS_MAX = 64
"""Of how many headers a record may hold the values."""
_AREA = "core/audit-header/"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
"""A field name (RFC 9110 section 5.1), of a reasonable length."""
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization", "x-vault-token"})
_HASHED, _CLEAR = b"hashed", b"clear"


class HeaderBook:
    """Keeps the headers of the epoch that was asked for last. Safe between threads: the mapping is replaced as a whole."""

    def __init__(self) -> None:
        self._cached: tuple[int | None, Mapping[str, bool]] = (None, MappingProxyType({}))

    def at(self, storage: Storage, epoch: int) -> Mapping[str, bool]:
        """The headers at ``epoch``, the version of the epoch record: names in lower case, and whether their values are hashed."""
        cached_epoch, cached = self._cached
        if cached_epoch == epoch:
            return cached
        fresh = all_headers(storage)
        self._cached = (epoch, fresh)
        return fresh


def all_headers(storage: Storage) -> Mapping[str, bool]:
    """Every audited header, by name, and whether its values are hashed."""
    stored = {key.removeprefix(_AREA): storage.get(key) for key in storage.scan(_AREA)}
    return MappingProxyType({name: content != _CLEAR for name, content in stored.items() if content is not None})


def put_header(storage: Storage, name: str, *, hashed: bool) -> None:
    """Record this header from the next request on. Raises InvalidRequest for what may not be recorded like this."""
    name = canonical_header(name)
    if not hashed and name in _CREDENTIALS:
        raise InvalidRequest(f"the header {name} carries a credential, so it is never written in clear: set hmac=true")
    if storage.get(_AREA + name) is None and sum(1 for _ in storage.scan(_AREA)) >= HEADERS_MAX:
        raise InvalidRequest(f"{HEADERS_MAX} headers are audited already: delete one first")
    storage.put(_AREA + name, _HASHED if hashed else _CLEAR)


def delete_header(storage: Storage, name: str) -> None:
    """Do not record this header any more; nothing happens if it was not."""
    storage.delete(_AREA + canonical_header(name))


def canonical_header(name: str) -> str:
    """The name in lower case, since names of headers know no other. Raises InvalidRequest for what names no header."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest("a header's name has letters, digits and !#$%&'*+.^_`|~- only, and at most 128 of them")
    return name.lower()
