"""A user: a password's hash and what the tokens are. Owns the records ``user/``."""

from __future__ import annotations

import msgspec

from strongroom.auth.token_parameters import TokenParameters
from strongroom.logical.storage import Storage

USERS = "user/"

OLDER_NAMES = {
    "policies": "token_policies",
    "ttl": "token_ttl",
    "max_ttl": "token_max_ttl",
    "bound_cidrs": "token_bound_cidrs",
}


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored of a user. ``uid`` stands for this password of this user: another password, another uid."""

    uid: str
    password_hash: str
    token: TokenParameters = TokenParameters()

    def __repr__(self) -> str:
        return "<user>"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(User).decode


def find_user(storage: Storage, name: str) -> User | None:
    """The user called ``name``, or None."""
    stored = storage.get(USERS + name)
    return None if stored is None else _decode(stored)


def store_user(storage: Storage, name: str, user: User) -> None:
    """Store ``user`` under ``name``."""
    storage.put(USERS + name, _encode(user))


def users_bound_to(storage: Storage, environment: str) -> list[str]:
    """The names of the users whose tokens are bound to ``environment``."""
    names = (key.removeprefix(USERS) for key in storage.scan(USERS))
    return [name for name in names if (user := find_user(storage, name)) and environment in user.token.environments]
