"""Personal overrides in the storage: ``core/override/<owner>/<mount uuid>/<path>``, JSON of values by key.

An owner is whoever logged in by the same name of the same auth method; the name stands in no key. Root tokens are one owner. Other tokens without a
login have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from strongroom.barrier.assignment import OVERRIDE_AREA
from strongroom.crypto.fingerprint import Key, fingerprint
from strongroom.encoding.json import decode, encode
from strongroom.environments.environment import Environment
from strongroom.environments.map import EnvironmentMap
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.storage import Storage
from strongroom.tokens.entry import TokenEntry

AREA = OVERRIDE_AREA
SECRETS_MAX = 200
"""For how many secrets one owner has overrides at most."""
KEYS_MAX = 64
VALUE_BYTES_MAX = 32 * 1024


class Override(NamedTuple):
    """The values that one owner put over those of one secret."""

    mount_uuid: str
    path: str
    values: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<override of {self.path}>"


class Overrides:
    """Those of one owner, in one transaction."""

    def __init__(self, storage: Storage, owner: str) -> None:
        self._storage = storage
        self._area = f"{AREA}{owner}/"

    def __iter__(self) -> Iterator[Override]:
        """All of them, by mount and path."""
        for key in self._storage.scan(self._area):
            mount_uuid, _, path = key[len(self._area) :].partition("/")
            yield Override(mount_uuid, path, self.of(mount_uuid, path))

    def of(self, mount_uuid: str, path: str) -> dict[str, Any]:
        """The values over those of one secret; empty where there are none."""
        content = self._storage.get(f"{self._area}{mount_uuid}/{path}")
        found: dict[str, Any] = {} if content is None else decode(content)
        return found

    def put(self, mount_uuid: str, path: str, values: Mapping[str, Any]) -> None:
        """Set the values over those of one secret; none removes the override. Raises InvalidRequest where there are too many."""
        key = f"{self._area}{mount_uuid}/{path}"
        if not values:
            self._storage.delete(key)
            return
        if len(values) > KEYS_MAX or any(len(encode(value)) > VALUE_BYTES_MAX for value in values.values()):
            raise InvalidRequest(f"overrides of a secret are {KEYS_MAX} keys at most, of {VALUE_BYTES_MAX} bytes each")
        if (
            self._storage.get(key) is None
            and len(list(islice(self._storage.scan(self._area), SECRETS_MAX))) == SECRETS_MAX
        ):
            raise InvalidRequest(f"there are overrides of {SECRETS_MAX} secrets already; unset some first")
        self._storage.put(key, encode(values))


def owner_of(token: TokenEntry, index_key: Key) -> str | None:
    """Whose overrides the token has to do with; None where it belongs to nobody in particular."""
    if token.is_root:
        name = "root"
    elif token.alias and token.auth_mount:
        name = f"login\0{token.auth_mount}\0{token.alias}"
    else:
        return None
    return fingerprint(index_key, b"strongroom override\0" + name.encode("utf-8", "surrogatepass")).hex()[:32]


def takes_overrides(environment: Environment | None, environments: EnvironmentMap) -> bool:
    """Whether values of the environment may be overridden: it is not protected, and not the most sensitive of several."""
    if environment is None or environment.protected:
        return False
    return len(environments) < 2 or environment.rank < max(one.rank for one in environments)
