"""Values become keyed hashes on their way into a record, by type and by default.

Everything is hashed: text, numbers, booleans, bytes, whatever stands at any depth of lists and objects (SECURITY INV-9). What stays
readable are the names of keys, ``null``, and what the caller names as shown. A value of a type that is not listed here
raises, so that a new type can never slip through unhashed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from strongroom.crypto.kdf import derive
from strongroom.crypto.keyed_hash import KeyedHash
from strongroom.logical.secret import Secret

PREFIX = "hmac-sha256:"
NOTHING_SHOWN: frozenset[str] = frozenset()
_BLOCK_SIZE = 64
_DIGEST_PURPOSE = b"strongroom audit digest v1"
_SMALL_NUMBERS = range(-1, 1024)


class UnknownType(TypeError):
    """A record holds a value of a type that has no rule. The text names the type and never the value."""

    def __init__(self, value: object) -> None:
        super().__init__(f"a value of type {type(value).__qualname__} cannot stand in an audit record")


class Cover(Protocol):
    """How values are written into a record: hashed (:class:`Hasher`) or, where an operator insists, as they are."""

    def text(self, value: str) -> str:
        """What stands in the record for a sensitive text."""
        ...

    def content(self, value: bytes) -> str:
        """What stands in the record for sensitive bytes."""
        ...

    def walk(self, value: Any) -> Any:
        """What stands in the record for ``value``, of any JSON type, at any depth. Raises UnknownType."""
        ...

    def members(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """What stands in the record for an object. Raises UnknownType."""
        ...


class Hasher:
    """HMAC-SHA-256 (RFC 2104) under one key, in the form ``hmac-sha256:<64 hex digits>``.

    Equal values have equal hashes, so that somebody who knows a value can look for it in the log (``sys/audit-hash``). Numbers and
    booleans are hashed as the text that JSON has for them, bytes as they are.
    """

    __slots__ = ("_empty", "_hash", "_numbers", "_start_digest", "_truths")

    def __init__(self, key: bytes | bytearray | memoryview) -> None:
        if len(key) < 16 or len(key) > _BLOCK_SIZE:
            raise ValueError(f"the audit key must have 16 to {_BLOCK_SIZE} bytes")
        self._hash = KeyedHash(key).hexdigest
        digest_key = derive(bytes(key), _DIGEST_PURPOSE)
        self._start_digest = hashlib.blake2b(key=digest_key, digest_size=32).copy
        self._empty = self.content(b"")
        self._truths = {True: self.text("true"), False: self.text("false")}
        # Small whole numbers are frequent (versions, flags, ports) and few, so their hashes are kept.
        self._numbers = {number: self.text(str(number)) for number in _SMALL_NUMBERS}

    def content(self, value: bytes | bytearray | memoryview) -> str:
        """The keyed hash of ``value``."""
        return PREFIX + self._hash(value)

    def text(self, value: str) -> str:
        """The keyed hash of ``value`` in UTF-8."""
        if not value:
            return self._empty
        try:
            content = value.encode()
        except UnicodeEncodeError:
            content = value.encode("utf-8", "surrogatepass")
        return PREFIX + self._hash(content)

    def digest(self, content: bytes) -> bytes:
        """Keyed BLAKE2b (RFC 7693) of ``content``, 32 bytes under a key of its own: to know it again, never for a record."""
        state = self._start_digest()
        state.update(content)
        return state.digest()

    def walk(self, value: Any) -> Any:
        """``value`` with its structure and names kept and everything else hashed. Raises UnknownType."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is dict:
            return self.members(value)
        if value is None:
            return None
        if kind is bool:
            return self._truths[value]
        if kind is int:
            return self._numbers.get(value) or self.text(str(value))
        if kind is list or kind is tuple:
            return [self.walk(item) for item in value]
        return _walk_rest(self, value, self._scalar)

    def members(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """An object with its names kept and its values hashed. Raises UnknownType, for a name that is not a text too."""
        text, walk = self.text, self.walk
        covered = {}
        for name, value in members.items():
            if type(name) is not str:
                name_of(name)
            kind = type(value)
            covered[name] = text(value) if kind is str else self.members(value) if kind is dict else walk(value)
        return covered

    def _scalar(self, value: Any) -> Any:
        return self.text(str(value))


class Uncovered:
    """Values as they are: only for a device whose operator set ``log_raw``. Bytes are written in base64."""

    __slots__ = ()

    def text(self, value: str) -> str:
        """``value`` itself."""
        return value

    def content(self, value: bytes | bytearray | memoryview) -> str:
        """``value`` in base64."""
        return base64.b64encode(value).decode()

    def walk(self, value: Any) -> Any:
        """``value`` in types that JSON has. Raises UnknownType, as the hasher does."""
        if value is None or isinstance(value, bool | int):
            return value
        return _walk_rest(self, value, _itself)

    def members(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """An object in types that JSON has. Raises UnknownType."""
        return {name_of(name): self.walk(value) for name, value in members.items()}


def _itself(value: Any) -> Any:
    return value


def _walk_rest(cover: Cover, value: Any, scalar: Callable[[Any], Any]) -> Any:
    """The rarer types and the subclasses, one rule for both covers. ``scalar`` writes numbers and booleans."""
    if isinstance(value, str):
        return cover.text(str.__str__(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return cover.content(bytes(value))
    if isinstance(value, Secret):
        return cover.walk(value.reveal())
    if isinstance(value, Mapping):
        return cover.members(value)
    if isinstance(value, list | tuple):
        return [cover.walk(item) for item in value]
    if isinstance(value, int | float | Decimal):
        return scalar(value)
    raise UnknownType(value)


def name_of(name: object) -> str:
    """``name`` if it is a text, which is all that JSON has as the name of a key. Raises UnknownType."""
    if not isinstance(name, str):
        raise UnknownType(name)
    return name


def cover_members(
    cover: Cover,
    members: Mapping[str, Any],
    *,
    public: frozenset[str] = NOTHING_SHOWN,
    shown: frozenset[str] = NOTHING_SHOWN,
) -> dict[str, Any]:
    """The top level of a body, with the exceptions that only the top level has.

    ``shown`` members are written as they are, whatever they hold: an operator asked for it on the mount. ``public`` members are
    written as they are only while they are a single value or a flat list: the declaration that made them public thought of
    those, and a client can put anything anywhere.
    """
    if not public and not shown:
        return cover.members(members)
    uncovered = Uncovered()
    return {
        name_of(name): (uncovered if name in shown or (name in public and _is_flat(value)) else cover).walk(value)
        for name, value in members.items()
    }


def _is_flat(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return _is_plain(value)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | Decimal)
