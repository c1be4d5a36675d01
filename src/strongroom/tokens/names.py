"""Under which names tokens, accessors and whoever stands behind them are known to the store: keyed hashes, so that a thief cannot test guesses.

The hash of what was made with a time begins with the letters of that time (``text``): rows that are written together then lie together.
"""

from __future__ import annotations

from strongroom.crypto.keyed_hash import KeyedHash
from strongroom.tokens import text
from strongroom.tokens.entry import TokenEntry

_LENGTH = 64


class Names:
    """Names under one key. Immutable; safe in every thread."""

    __slots__ = ("_hash",)

    def __init__(self, hash_key: bytes) -> None:
        self._hash = KeyedHash(hash_key)

    def __repr__(self) -> str:
        return "<names of tokens>"

    def of_token(self, token: str) -> str:
        """The id under which a token is stored: 64 letters and digits."""
        return self._dated(text.time_in_token(token), b"token\0" + token.encode("utf-8", "replace"))

    def of_accessor(self, accessor: str) -> str:
        """The name under which an accessor is stored: 64 letters and digits."""
        return self._dated(text.time_in_accessor(accessor), b"accessor\0" + accessor.encode("utf-8", "replace"))

    def of_identity(self, entry: TokenEntry) -> str:
        """Who is behind a token: its entity, else the account that a login made it for, else the token alone.

        The same 32 hexadecimal digits for every token of an account.
        """
        who = f"token/{entry.id}"
        if entry.entity_id:
            who = f"entity/{entry.entity_id}"
        elif entry.auth_mount and entry.alias:
            who = f"account/{entry.auth_mount}/{entry.alias}"
        return self._hash.digest(b"identity\0" + who.encode())[:16].hex()

    def _dated(self, time: str, value: bytes) -> str:
        """The hash of ``value`` in hexadecimal digits, the last of which give way to the letters of the time."""
        return (time + self._hash.hexdigest(value))[:_LENGTH]
