"""The protocol of a seal, and what every implementation says when it cannot unwrap."""

from __future__ import annotations

from typing import Protocol

from strongroom.crypto.aead import Damaged


class WrongKey(Damaged):
    """The blob was wrapped by another key than the seal has. Only for the operator: no client learns the difference."""


class Seal(Protocol):
    """Wraps and unwraps the root key."""

    @property
    def type(self) -> str:
        """What the configuration calls this kind of seal, and ``seal-status`` shows."""
        ...

    def wrap(self, root_key: bytearray) -> bytes:
        """``root_key`` in a form that may be stored."""
        ...

    def unwrap(self, blob: bytes) -> bytearray:
        """The root key in ``blob``. Raises Damaged where it is not exactly what ``wrap`` of the same key made."""
        ...

    def knows(self, blob: bytes) -> bool:
        """Whether ``blob`` names a key that this seal has. True where neither says: only unwrapping tells."""
        ...

    def is_current(self, blob: bytes) -> bool:
        """Whether ``wrap`` would use the key that ``blob`` names; where not, it should be wrapped anew."""
        ...

    def wipe(self) -> None:
        """Overwrite the key; the seal is of no more use."""
        ...


__all__ = ["Damaged", "Seal", "WrongKey"]
