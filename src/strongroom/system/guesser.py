"""Who guesses, where a write is refused because a value is in use elsewhere: not a token alone, or each new one would have new guesses."""

from __future__ import annotations

from strongroom.logical.storage import Storage
from strongroom.system.unsealed import Unsealed
from strongroom.tokens.entry import TokenEntry


def guesser_of(unsealed: Unsealed, storage: Storage, token: TokenEntry | None) -> str:
    """The account or the token that ``token`` goes back to: whatever that made, and however often it logged in, is one.

    What a root token made is by itself, since administrators give such tokens to others. An orphan without a parent knows who made it.
    """
    if token is None:
        return ""
    first = token
    while first.parent and not first.orphan:
        parent = unsealed.tokens.by_id(storage, first.parent)
        if parent is None or parent.is_root:
            break
        first = parent
    return first.made_by or unsealed.tokens.identity_of(first)
