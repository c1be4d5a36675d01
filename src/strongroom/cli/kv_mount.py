"""Which kv store a path belongs to, and of which version: asked of the server first, as every Vault client does."""

from __future__ import annotations

from typing import NamedTuple

from strongroom.cli.errors import REMOTE, CommandFailed
from strongroom.client.client import Client
from strongroom.client.errors import ApiError


class KvPath(NamedTuple):
    """A secret's place: ``mount`` ends in a slash, ``name`` is the rest, ``versioned`` tells kv version 2."""

    mount: str
    name: str
    versioned: bool

    def api(self, part: str) -> str:
        """The API path: with ``part`` (``data``, ``metadata``, …) between mount and name where there are versions."""
        parts = [self.mount.rstrip("/"), part if self.versioned else "", self.name]
        return "/".join(piece for piece in parts if piece)


def locate(client: Client, path: str, mount: str) -> KvPath:
    """Where ``path`` is; ``mount`` is the value of ``-mount`` or ``""``. Raises ClientError or CommandFailed."""
    name = path.strip().strip("/")
    asked = mount.strip().strip("/") or name
    if not asked:
        raise CommandFailed("the path is empty")
    try:
        answer = client.ask(f"sys/internal/ui/mounts/{asked}")
    except ApiError as error:
        if error.status != 404:
            raise
        # A server that is older than the question has only version 1.
        return _split(asked, name, "", versioned=False) if mount else KvPath("", name, versioned=False)
    data = (answer or {}).get("data") or {}
    found, options = data.get("path"), data.get("options")
    if not isinstance(found, str):
        raise CommandFailed("the server did not say which mount the path belongs to", REMOTE)
    versioned = isinstance(options, dict) and str(options.get("version")) == "2"
    return _split(asked if mount else "", name, found, versioned=versioned)


def _split(asked_mount: str, name: str, found: str, *, versioned: bool) -> KvPath:
    if asked_mount:
        # -mount may itself reach below the mount: what remains belongs to the name.
        below = (asked_mount + "/").removeprefix(found) if found else ""
        return KvPath(
            found or asked_mount + "/", "/".join(part for part in (below.strip("/"), name) if part), versioned
        )
    return KvPath(found, (name + "/").removeprefix(found).strip("/"), versioned)
