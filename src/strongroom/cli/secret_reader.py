"""Whole secrets, read for delivery: the place asked once per mount, each secret once per command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from strongroom.cli.errors import REMOTE, CommandFailed
from strongroom.cli.kv_mount import KvPath, locate
from strongroom.client.client import Client


class Found(NamedTuple):
    """A secret as it was read. ``version`` is 0 where the store keeps no versions."""

    api_path: str
    values: dict[str, Any]
    version: int
    watched: str
    """The path that tells whether there is a newer version; ``""`` where only reading again does."""
    imports: str = ""
    """What its note of that name says: which secrets lend it their keys."""
    origins: Mapping[str, str] = {}
    """Where keys come from that are not its own."""
    followed: tuple[Found, ...] = ()
    """The other secrets that its values came from."""

    def __repr__(self) -> str:
        return f"Found({self.api_path}, version {self.version})"


class SecretReader:
    """Reads secrets by the paths that a person writes. Raises ClientError, or CommandFailed where nothing is there."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._places: dict[tuple[str, str], KvPath] = {}
        self._read: dict[tuple[str, str, int], Found] = {}

    @property
    def is_away(self) -> bool:
        """Whether the server is not to be asked anything more."""
        return False

    def read(self, path: str, mount: str = "", version: int = 0, *, keep: bool = True) -> Found:
        """The secret at ``path``, or at ``path`` below ``mount``; version 0 is the newest.

        ``keep`` says whether a copy of it may be kept, by a reader that keeps any.
        """
        asked = (path, mount, version)
        if asked not in self._read:
            self._read[asked] = self._fetch(path, mount, version, keep=keep)
        return self._read[asked]

    def place(self, path: str, mount: str) -> KvPath:
        """Where ``path`` is."""
        if (path, mount) not in self._places:
            known = next((place for place in self._places.values() if _is_below(path, place.mount)), None)
            if known is not None and not mount:
                name = path.strip().strip("/").removeprefix(known.mount)
                self._places[path, mount] = KvPath(known.mount, name, known.versioned)
            else:
                self._places[path, mount] = locate(self.client, path, mount)
        return self._places[path, mount]

    def _fetch(self, path: str, mount: str, version: int, *, keep: bool) -> Found:
        del keep
        place = self.place(path, mount)
        api_path = place.api("data")
        if version and not place.versioned:
            raise CommandFailed(f"the store of {api_path} keeps no versions; leave ?version away")
        answer = self.client.read(api_path, {"version": str(version)} if version else None)
        data = (answer or {}).get("data")
        if not place.versioned:
            return Found(api_path, _mapping(data, api_path), 0, "")
        metadata = data.get("metadata") if isinstance(data, dict) else None
        found = metadata.get("version") if isinstance(metadata, dict) else None
        values = _mapping(data.get("data") if isinstance(data, dict) else None, api_path)
        notes = metadata.get("custom_metadata") if isinstance(metadata, dict) else None
        imports = notes.get("imports") if isinstance(notes, dict) else None
        return Found(
            api_path,
            values,
            found if isinstance(found, int) else 0,
            "" if version else place.api("metadata"),
            imports if isinstance(imports, str) else "",
        )


def _mapping(data: Any, api_path: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise CommandFailed(f"No value found at {api_path}", REMOTE)
    return data


def _is_below(path: str, mount: str) -> bool:
    return bool(mount) and path.strip().strip("/").startswith(mount)
