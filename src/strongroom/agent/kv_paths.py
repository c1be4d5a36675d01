"""Paths as templates write them, and as the API wants them: the server is asked once which store a path belongs to."""

from __future__ import annotations

from strongroom.client.client import Client
from strongroom.client.errors import ApiError, BadAnswer


class KvPaths:
    """Remembers the answers, so that a path costs one question."""

    def __init__(self) -> None:
        self._mounts: dict[str, bool] = {}

    def resolve(self, client: Client, written: str, *, listing: bool) -> tuple[str, dict[str, str]]:
        """The API path of ``written`` and its query. In a store with versions ``data/`` or ``metadata/`` is put in.

        ``?version=N`` may follow the path. Raises ClientError.
        """
        path, mark, asked = written.strip("/ ").partition("?")
        query = {}
        if mark:
            name, _, version = asked.partition("=")
            if name != "version" or not (version.isascii() and version.isdigit() and len(version) <= 10):
                raise BadAnswer("after the ? of a secret's path only version=NUMBER can stand")
            query["version"] = version
        if not path.isprintable():
            raise BadAnswer("a secret's path must be printable text")
        if any(part in {"", ".", ".."} for part in path.split("/")):
            raise BadAnswer("a secret's path must not have . or .. or an empty part in it")
        mount, versioned = self._mount_of(client, path)
        rest = (path + "/").removeprefix(mount)
        part = "metadata/" if listing else "data/"
        if versioned and (path + "/").startswith(mount) and not rest.startswith(part):
            path = (mount + part + rest).rstrip("/")
        return path, query

    def _mount_of(self, client: Client, path: str) -> tuple[str, bool]:
        for mount, versioned in self._mounts.items():
            if (path + "/").startswith(mount):
                return mount, versioned
        try:
            answer = client.ask(f"sys/internal/ui/mounts/{path}")
        except ApiError as error:
            if error.status == 404:
                # A server that is older than the question.
                return path, False
            raise
        data = (answer or {}).get("data")
        if not isinstance(data, dict):
            raise BadAnswer("the server did not say which mount a path belongs to")
        found, options = data.get("path"), data.get("options")
        if not isinstance(found, str) or not found.endswith("/"):
            raise BadAnswer("the server did not say which mount a path belongs to")
        versioned = data.get("type") == "kv" and isinstance(options, dict) and str(options.get("version")) == "2"
        self._mounts[found] = versioned
        return found, versioned
