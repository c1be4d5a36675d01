"""References resolved: which path of the server an environment's path is, and the value behind it.

The project file says where an environment is; where it does not, the server is asked (``sys/environments/NAME``).
"""

from __future__ import annotations

from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.secret_reader import Found, SecretReader
from strongroom.client import exact_json
from strongroom.client.errors import ApiError
from strongroom.delivery.project import Project, is_protected
from strongroom.delivery.reference import BadReference, Reference, parse


class Resolver:
    """Resolves references for one command. ``environment`` is the one in use; ``keeps`` says that the reader keeps copies."""

    def __init__(self, reader: SecretReader, project: Project, environment: str, *, keeps: bool = False) -> None:
        self.reader = reader
        self.project = project
        self.environment = environment
        self._keeps = keeps
        self._asked: dict[str, tuple[tuple[str, ...], bool | None]] = {}

    def secret(self, reference: Reference) -> Found:
        """The whole secret in which the value stands."""
        return self.reader.read(
            self.path(reference), "", reference.version, keep=self._keeps and not self.is_protected(reference)
        )

    def value(self, reference: Reference) -> Any:
        """The value itself. Raises CommandFailed where its key is not there."""
        found = self.secret(reference)
        if not reference.key:
            raise CommandFailed(f"{reference} names no key; put #KEY after the path")
        if reference.key not in found.values:
            raise CommandFailed(f"{reference}: the secret at {found.api_path} has no key of that name")
        return found.values[reference.key]

    def path(self, reference: Reference) -> str:
        """The path of the server, as ``kv get`` takes it. Raises CommandFailed where the environment is not known."""
        if reference.environment is None:
            return reference.path
        name = self.name_of(reference)
        root = self.project.place(name).path
        if root:
            return f"{root}/{reference.path}"
        mounts, _ = self._of_the_server(name)
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
            return is_protected(name, known=self._of_the_server(name)[1])
        return is_protected(name, known=known.protected)

    def _of_the_server(self, name: str) -> tuple[tuple[str, ...], bool | None]:
        if name not in self._asked:
            self._asked[name] = self._ask(name)
        return self._asked[name]

    def _ask(self, name: str) -> tuple[tuple[str, ...], bool | None]:
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
        protected = data.get("protected")
        return mounts, protected if isinstance(protected, bool) else None


def reference(text: str) -> Reference:
    """The reference that ``text`` is. Raises CommandFailed."""
    try:
        return parse(text)
    except BadReference as error:
        raise CommandFailed(str(error)) from None


def as_text(value: Any) -> str:
    """A value as a program gets it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else exact_json.encode(value)
