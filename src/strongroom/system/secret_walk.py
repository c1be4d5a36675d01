"""Through the names of secrets that a caller may list, in order, without looking at every name that they may not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from strongroom.logical.errors import InvalidRequest
from strongroom.system.secret_access import Access, SecretMount

LOOKED_AT_MAX = 100_000
"""How many names one request looks at. It ends sooner where the caller may list what is there."""
BYTES_MAX = 16 * 1024 * 1024
"""At how many bytes of secrets a page ends that had to open them."""
_BEHIND_ALL = "\U0010ffff"


class Name(NamedTuple):
    """A secret that the caller may list. After one that ``closes`` a policy wants the answer to end."""

    path: str
    closes: bool


class Walk:
    """All walks of one request together look at so many names. Raises InvalidRequest beyond that."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._left = LOOKED_AT_MAX

    def names(self, mount: SecretMount, folder: str, after: str) -> Iterator[Name]:
        """The secrets below ``folder`` (``""``, or with a slash at its end) that are greater than ``after``."""
        storage = self._access.interior(mount).storage
        counts: dict[str, int] = {}
        position: str | None = after
        while position is not None:
            start, position = position, None
            for path in mount.inventory.secret_paths(storage, folder, start):
                self.look()
                parent = path[: path.rfind("/") + 1]
                limit = self._access.list_limit(mount, parent)
                if limit is not None:
                    counts[parent] = counts.get(parent, 0) + 1
                    yield Name(path, closes=counts[parent] == limit)
                elif not self._access.may_see_below(mount, parent):
                    position = parent + _BEHIND_ALL if parent else None
                    break

    def look(self) -> None:
        """Count one name that was looked at. Raises InvalidRequest."""
        self._left -= 1
        if self._left < 0:
            raise InvalidRequest("too much lies there that you may not list; name a folder that is further down")


def folder_of(path: str) -> str:
    """The folder that ``path`` names as one: ``""`` for everything, else with a slash at its end."""
    plain = path.strip("/")
    return f"{plain}/" if plain else ""
