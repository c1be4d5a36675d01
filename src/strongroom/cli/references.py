"""References resolved: which path of the server an environment's path is, and the value behind it.

The project file says where an environment is; where it does not, the server is asked (``sys/environments/NAME``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from strongroom.cli.errors import CommandFailed
from strongroom.cli.secret_reader import Found, SecretReader
from strongroom.client import exact_json
from strongroom.client.errors import ApiError, ConnectionFailed
from strongroom.delivery.project import Project, is_protected
from strongroom.delivery.reference import SCHEME, BadReference, Reference, parse


class _OfTheServer(NamedTuple):
    """An environment as the server knows it."""

    mounts: tuple[str, ...]
    protected: bool | None
    rank: int | None


class Resolver:
    """Resolves references for one command. ``environment`` is the one in use; ``keeps`` says that the reader keeps copies."""

    def __init__(self, reader: SecretReader, project: Project, environment: str, *, keeps: bool = False) -> None:
        self.reader = reader
        self.project = project
        self.environment = environment
        self._keeps = keeps
        self._asked: dict[str, _OfTheServer] = {}
        self._followed: dict[Reference, Found] = {}
        self._overrides: dict[str, dict[str, Any]] | None = None

    def secret(self, reference: Reference) -> Found:
        """The whole secret in which the value stands, with what it imports and refers to where it is in an environment."""
        found = self.plain(reference)
        if reference.environment is None or not (found.imports or _has_references(found)):
            return found
        whole = reference._replace(key="")
        if whole not in self._followed:
            from strongroom.cli.linked_secrets import Links

            self._followed[whole] = Links(self).followed(whole, found)
        return self._followed[whole]

    def plain(self, reference: Reference) -> Found:
        """The whole secret as it is stored."""
        return self.reader.read(
            self.path(reference), "", reference.version, keep=self._keeps and not self.is_protected(reference)
        )

    def names_in(self, folder: Reference) -> list[str]:
        """The names of the secrets directly in a folder, in order. Raises CommandFailed where there is none."""
        place = self.reader.place(self.path(folder), "")
        answer = self.reader.client.list(place.api("metadata"))
        names = ((answer or {}).get("data") or {}).get("keys")
        if not isinstance(names, list):
            raise CommandFailed(f"{folder} is no folder with secrets, or may not be listed")
        return [name for name in names if isinstance(name, str) and not name.endswith("/")]

    def rank_of(self, name: str) -> int | None:
        """How sensitive an environment is; None where the server does not say."""
        try:
            return self._of_the_server(name).rank
        except CommandFailed:
            return None

    def value(self, reference: Reference) -> Any:
        """The value itself. Raises CommandFailed where its key is not there."""
        found = self.secret(reference)
        if not reference.key:
            raise CommandFailed(f"{reference} names no key; put #KEY after the path")
        if reference.key not in found.values:
            raise CommandFailed(f"{reference}: the secret at {found.api_path} has no key of that name")
        return found.values[reference.key]

    def effective(self, reference: Reference) -> Any:
        """The value that counts for whoever asks: their own override of it, or else the value. Raises CommandFailed."""
        own = self.overrides(reference)
        return own[reference.key] if reference.key in own else self.value(reference)

    def overrides(self, reference: Reference) -> dict[str, Any]:
        """The values that whoever asks has put over those of the secret. None of an earlier version, and none without the server."""
        if reference.version or reference.environment is None:
            return {}
        if self._overrides is None:
            self._overrides = self._ask_overrides()
        if not self._overrides:
            return {}
        place = self.reader.place(self.path(reference), "")
        return self._overrides.get(place.mount + place.name, {})

    def _ask_overrides(self) -> dict[str, dict[str, Any]]:
        if self.reader.is_away:
            return {}
        try:
            answer = self.reader.client.ask("sys/overrides")
        except ConnectionFailed:
            return {}
        except ApiError as error:
            # A server that has none, or a token that may not ask.
            if error.status not in {400, 403, 404, 405}:
                raise
            return {}
        listed = ((answer or {}).get("data") or {}).get("overrides")
        found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return {str(one.get("path")): one["data"] for one in found if isinstance(one.get("data"), dict)}

    def path(self, reference: Reference) -> str:
        """The path of the server, as ``kv get`` takes it. Raises CommandFailed where the environment is not known."""
        if reference.environment is None:
            return reference.path
        name = self.name_of(reference)
        root = self.project.place(name).path
        if root:
            return f"{root}/{reference.path}"
        mounts = self._of_the_server(name).mounts
        below = [mount for mount in mounts if f"{reference.path}/".startswith(mount)]
        if below:
            return reference.path
        if len(mounts) == 1:
            return mounts[0] + reference.path
        raise CommandFailed(
            f"the environment {name} has the mounts {', '.join(mounts) or '(none)'}: "
            f"start the path of {reference} with one of them, or give the environment a path in .strongroom.toml"
        )

    def name_of(self, reference: Reference) -> str:
        """The name of the environment that ``reference`` means."""
        name = reference.environment or self.environment
        if not name:
            raise CommandFailed(
                f"{reference} means the environment in use, and none is: name one with -env or STRONGROOM_ENV, "
                "or set environment in .strongroom.toml"
            )
        return name

    def is_protected(self, reference: Reference) -> bool:
        """Whether the value belongs to an environment of which no copy may be kept."""
        if reference.environment is None:
            return False
        name = self.name_of(reference)
        known = self.project.place(name)
        if known.protected is None and not known.path:
            return is_protected(name, known=self._of_the_server(name).protected)
        return is_protected(name, known=known.protected)

    def _of_the_server(self, name: str) -> _OfTheServer:
        if name not in self._asked:
            self._asked[name] = self._ask(name)
        return self._asked[name]

    def _ask(self, name: str) -> _OfTheServer:
        try:
            answer = self.reader.client.ask(f"sys/environments/{name}")
        except ApiError as error:
            if error.status not in {403, 404}:
                raise
            known = ", ".join(sorted(self.project.environments))
            raise CommandFailed(
                f"the environment {name} is not known: neither .strongroom.toml ({known or 'which names none'}) "
                "nor the server says where it is"
            ) from None
        data = (answer or {}).get("data") or {}
        listed = data.get("mounts")
        mounts = tuple(f"{str(mount).strip('/')}/" for mount in listed) if isinstance(listed, list) else ()
        protected, rank = data.get("protected"), data.get("rank")
        return _OfTheServer(
            mounts,
            protected if isinstance(protected, bool) else None,
            rank if isinstance(rank, int) and not isinstance(rank, bool) else None,
        )


def _has_references(found: Found) -> bool:
    return any(isinstance(value, str) and SCHEME in value for value in found.values.values())


def reference(text: str) -> Reference:
    """The reference that ``text`` is. Raises CommandFailed."""
    try:
        return parse(text)
    except BadReference as error:
        raise CommandFailed(str(error)) from None


def as_text(value: Any) -> str:
    """A value as a program gets it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else exact_json.encode(value)
