"""What ``run`` delivers: from flags, files of variables and the project file to secrets that were read.

Of what is named on the command line a later path replaces an earlier one, and a file of variables every path. The project file
counts only where neither was named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from strongroom.cli.errors import CommandFailed
from strongroom.cli.secret_reader import Found, SecretReader
from strongroom.delivery.environment import Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from strongroom.cli.references import Resolver
    from strongroom.delivery.reference import Reference

_FILE_BYTES_MAX = 16 << 20


class Wanted(NamedTuple):
    """What the command line names."""

    paths: tuple[str, ...]
    mount: str
    environments: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def needs_project(self) -> bool:
        """Whether the project file has a say. It is not even looked for otherwise, which every start would pay."""
        return bool(self.environments or self.files or not self.paths) or any(is_marked(path) for path in self.paths)


class Gathered(NamedTuple):
    """What was read. ``watched`` are the paths that tell of newer versions, with the version that was read."""

    sources: list[Source]
    watched: Mapping[str, int]
    unversioned: bool
    """Whether something has no versions, so that only reading again shows a change."""
    running: Mapping[str, int] = {}
    """What was read, by its path in the API, with its version; 0 where there are none."""


class Gatherer:
    """Reads everything that is wanted. Raises ClientError or CommandFailed."""

    def __init__(
        self,
        reader: SecretReader,
        wanted: Wanted,
        environ: Mapping[str, str],
        *,
        keeps: bool = False,
        overrides: bool = False,
    ) -> None:
        self._reader = reader
        self._keeps = keeps
        self._takes_overrides = overrides
        self._wanted = wanted
        self._environ = environ
        self._sources: list[Source] = []
        self._found: dict[str, Found] = {}

    def gather(self) -> Gathered:
        """The sources, weakest first."""
        if self._wanted.needs_project:
            self._gather_references()
        else:
            for path in self._wanted.paths:
                found = self._reader.read(path, self._wanted.mount)
                self._take(found, Source(found.api_path, found.values))
        if not self._sources:
            raise CommandFailed(
                "nothing to deliver: name a secret with -path, as in: strongroom run -path secret/app -- COMMAND, "
                "or write down what the project needs: strongroom init -from .env"
            )
        watched = {found.watched: found.version for found in self._found.values() if found.watched}
        running = {found.api_path: found.version for found in self._found.values()}
        return Gathered(self._sources, watched, not all(running.values()), running)

    def _take(self, found: Found, source: Source) -> None:
        self._found[found.api_path] = found
        for other in found.followed:
            self._found.setdefault(other.api_path, other)
        self._sources.append(source)

    def _gather_references(self) -> None:
        from strongroom.cli.project_use import environment_in_use, project_in_use
        from strongroom.cli.references import Resolver, reference
        from strongroom.delivery.layers import in_environment

        wanted = self._wanted
        project = project_in_use(self._environ)
        chosen = wanted.environments or ("",)
        environments = tuple(environment_in_use(project, self._environ, name) for name in chosen)
        resolver = Resolver(self._reader, project, environments[-1], keeps=self._keeps)
        seen: set[Reference] = set()
        for path in wanted.paths:
            for environment in environments:
                if is_marked(path):
                    asked = in_environment(reference(path), environment)
                    if asked not in seen:
                        self._whole(resolver, asked, "")
                        self._override(resolver, asked, asked.key or None)
                    seen.add(asked)
                elif wanted.environments:
                    named = reference_to(environment, path)
                    self._whole(resolver, named, "")
                    self._override(resolver, named, named.key or None)
                else:
                    found = self._reader.read(path, wanted.mount)
                    self._take(found, Source(found.api_path, found.values))
        for file in wanted.files:
            self._file(resolver, file, environments[-1])
        if not (wanted.paths or wanted.files):
            self._gather_project(resolver, environments)

    def _gather_project(self, resolver: Resolver, environments: Sequence[str]) -> None:
        from strongroom.delivery.layers import wishes

        for environment in environments:
            asked = wishes(resolver.project, (environment,))
            for wish in asked:
                if wish.name is None:
                    self._whole(resolver, wish.reference, wish.layer)
                else:
                    self._one(resolver, wish.name, wish.reference, wish.layer)
            for wish in asked:
                self._override(resolver, wish.reference, wish.name)

    def _whole(self, resolver: Resolver, reference: Reference, layer: str) -> None:
        found = resolver.secret(reference)
        if reference.key:
            self._one(resolver, reference.key, reference, layer)
        else:
            self._take(found, Source(found.api_path if not layer else str(reference), found.values, layer))

    def _one(self, resolver: Resolver, name: str, reference: Reference, layer: str) -> None:
        value = resolver.value(reference)
        self._take(resolver.secret(reference), Source(str(reference), {name: value}, layer))

    def _override(self, resolver: Resolver, reference: Reference, name: str | None) -> None:
        """What whoever runs this has put over the secret, or over the one key of it that becomes the variable ``name``."""
        own = resolver.overrides(reference) if self._takes_overrides else {}
        if name is not None:
            own = {name: own[reference.key]} if reference.key in own else {}
        if own:
            from strongroom.delivery.layers import PERSONAL

            self._sources.append(Source(f"your override of {reference}", own, PERSONAL))

    def _file(self, resolver: Resolver, file: str, environment: str) -> None:
        from strongroom.cli.references import reference
        from strongroom.delivery.dotenv import BadLine, parse
        from strongroom.delivery.layers import in_environment

        try:
            entries = parse(read_text(file))
        except BadLine as error:
            raise CommandFailed(f"{file}: {error}") from None
        for entry in entries:
            text = entry.value.reveal()
            if not is_marked(text):
                self._sources.append(Source(file, {entry.name: text}))
                continue
            try:
                asked = in_environment(reference(text), environment)
                self._one(resolver, entry.name, asked, "")
                self._override(resolver, asked, entry.name)
            except CommandFailed as failure:
                raise CommandFailed(f"{file}: line {entry.line}: {failure.text}", failure.exit_code) from None


def is_marked(text: str) -> bool:
    """Whether ``text`` is a reference into an environment."""
    return text.startswith("sr://")


def reference_to(environment: str, path: str) -> Reference:
    """The whole secret (or the key after ``#``) at ``path`` in ``environment``."""
    from strongroom.cli.references import reference

    plain = path.strip("/")
    asked = reference(plain) if "#" in plain else reference(f"{plain}#x")._replace(key="")
    return asked._replace(environment=environment)


def read_text(file: str) -> str:
    """The content of a text file that a person named. Raises CommandFailed."""
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 -- pathlib would add to the start of ``run``
            content = opened.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise CommandFailed(f"{file}: {(error.strerror or 'cannot be read').lower()}") from None
    if len(content) > _FILE_BYTES_MAX:
        raise CommandFailed(f"{file} is larger than {_FILE_BYTES_MAX:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CommandFailed(f"{file} is not UTF-8 text") from None
