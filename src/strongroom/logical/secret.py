"""A value that cannot be shown by accident.

``Secret`` wraps a value whose text must never meet a log, an error, a repr or a pickle. Reading it needs the word ``reveal``, or
``named_by``, which gives it to one function; so to ``grep`` for these two is the audit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T", str, bytes, bytearray)


class Secret(Generic[T]):
    """A redacting box around one ``str``, ``bytes`` or wipeable ``bytearray``. Equality runs in constant time; everything else refuses."""

    __slots__ = ("_named", "_value")

    def __init__(self, value: T) -> None:
        self._value: T = value
        self._named: tuple[Callable[[T], str], str] | None = None

    def reveal(self) -> T:
        """The value itself."""
        return self._value

    def named_by(self, name_of: Callable[[T], str]) -> str:
        """What ``name_of`` makes of the value, such as its keyed hash: made once for as long as the very same function asks."""
        named = self._named
        if named is None or named[0] is not name_of:
            named = self._named = (name_of, name_of(self._value))
        return named[1]

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # Late: it loads OpenSSL, and most commands never compare.
        import hmac

        return hmac.compare_digest(_as_bytes(self._value), _as_bytes(other._value))

    def __hash__(self) -> int:
        raise TypeError("a secret is not hashable: look it up by a keyed hash instead")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")


def _as_bytes(value: str | bytes | bytearray) -> bytes | bytearray:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
