"""The values below a path of a kv store, with every version that is kept: all that the caller's own token may read. Any Vault or OpenBao will do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.kv_mount import KvPath, locate
from strongroom.cli.session import Session
from strongroom.client.client import Client
from strongroom.client.errors import ApiError
from strongroom.scanner.known.held import Held, leaves
from strongroom.scanner.known.values import Holder

_DEEPEST = 100
_SHOWN = 10


def values_below(session: Session, path: str) -> list[Held]:
    """The values at and below ``path``. What the token may not read is told, and is no failure unless it is everything. Raises ClientError."""
    client = session.client
    reader = _Reader(client)
    found = list(reader.below(locate(client, path, "")))
    if reader.refused:
        more = f" and {len(reader.refused) - _SHOWN} more" if len(reader.refused) > _SHOWN else ""
        session.note(f"Your token may not read, so not looked for: {', '.join(reader.refused[:_SHOWN])}{more}")
    if not found:
        raise CommandFailed(f"No value that you may read is at {path}")
    session.note(f"Looking for {len(found)} values of {reader.secrets} secrets below {path}, old versions included")
    return found


class _Reader:
    """Walks through a kv store."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.refused: list[str] = []
        self.secrets = 0

    def below(self, place: KvPath, depth: int = 0) -> Iterator[Held]:
        """The values of the secret at a place, and of all in the folder of that name."""
        if place.name:
            yield from self._secret(place)
        if depth < _DEEPEST:
            for name in self._names(place):
                inner = place._replace(name="/".join(part for part in (place.name, name.rstrip("/")) if part))
                yield from self.below(inner, depth + 1) if name.endswith("/") else self._secret(inner)

    def _names(self, place: KvPath) -> list[str]:
        answer = self._get(place.api("metadata") + "/", listing=True)
        names = ((answer or {}).get("data") or {}).get("keys")
        return [name for name in names if isinstance(name, str) and name] if isinstance(names, list) else []

    def _secret(self, place: KvPath) -> Iterator[Held]:
        shown = f"{place.mount}{place.name}"
        versions = list(self._versions(place))
        self.secrets += bool(versions)
        for version, is_current, data in versions:
            for key, value in leaves(data):
                yield Held(Holder(shown, key, version, is_current), value)

    def _versions(self, place: KvPath) -> Iterator[tuple[int, bool | None, dict[str, Any]]]:
        if not place.versioned:
            data = (self._get(place.api("data")) or {}).get("data")
            if isinstance(data, dict):
                yield 0, None, data
            return
        metadata = (self._get(place.api("metadata")) or {}).get("data") or {}
        kept, current = metadata.get("versions"), metadata.get("current_version")
        numbers = [number for number, state in kept.items() if _is_there(state)] if isinstance(kept, dict) else [""]
        for number in numbers:
            data = (self._get(place.api("data"), number) or {}).get("data") or {}
            values, own = data.get("data"), (data.get("metadata") or {}).get("version")
            if isinstance(values, dict):
                version = own if isinstance(own, int) else 0
                yield version, None if not isinstance(current, int) else version == current, values

    def _get(self, path: str, version: str = "", *, listing: bool = False) -> dict[str, Any] | None:
        try:
            if listing:
                return self._client.list(path)
            return self._client.read(path, {"version": version} if version else None)
        except ApiError as error:
            if error.status != 403:
                raise
            if path not in self.refused:
                self.refused.append(path)
            return None


def _is_there(state: Any) -> bool:
    return isinstance(state, dict) and not state.get("destroyed") and not state.get("deletion_time")
