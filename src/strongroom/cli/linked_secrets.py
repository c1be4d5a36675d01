"""Secrets that refer to others: values that are references, and imports of whole secrets or folders.

    sr:///PATH#KEY, sr://ENV/PATH#KEY       as a whole value: the value that is there, of whatever type
    ${sr://…}                               within a text: the text that is there; ``$${sr://…}`` is itself
    imports                                 a note of the secret: references to secrets, or to folders (with a slash at the end), with commas

Everything is read with the token of whoever asks, so that nobody gains a right by it. From an environment into a more sensitive one nothing refers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from strongroom.cli.errors import CommandFailed
from strongroom.client import exact_json
from strongroom.delivery.layers import in_environment
from strongroom.delivery.reference import SCHEME, BadReference, Reference, parse

if TYPE_CHECKING:
    from strongroom.cli.secret_reader import Found

DEPTH_MAX = 8
"""How far references lead to references, and imports to imports."""
READS_MAX = 100
"""How many secrets one secret may lead to."""
FOLLOWED_MAX = 1000
"""How many references are followed for one secret."""
CHARACTERS_MAX = 4 * 1024 * 1024
"""How many characters are filled into texts for one secret."""
_WITHIN = re.compile(r"\$(\$?)\{(sr://[^{}\s]+)\}")

Trail = tuple[Reference, ...]
"""The places that led here, the first one first."""


class Reads(Protocol):
    """Who reads secrets as they are stored, with the rights of whoever asks. Every call may raise CommandFailed or ClientError."""

    def name_of(self, reference: Reference) -> str:
        """The environment that the reference means."""
        ...

    def plain(self, reference: Reference) -> Found:
        """The whole secret."""
        ...

    def names_in(self, folder: Reference) -> list[str]:
        """The names of the secrets directly in a folder."""
        ...

    def rank_of(self, name: str) -> int | None:
        """How sensitive an environment is; None where that is not known."""
        ...


class _Holder(NamedTuple):
    """Where the raw value of a key is."""

    reference: Reference
    value: Any

    def __repr__(self) -> str:
        return f"_Holder({self.reference})"


class Links:
    """Follows references from one secret. Raises CommandFailed that names places, never a value."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._read: dict[Reference, Found] = {}
        self._count = 0
        self._characters = 0

    def followed(self, reference: Reference, found: Found) -> Found:
        """The secret at ``reference`` with its imports, and every reference replaced by what it means."""
        start = reference._replace(environment=self._reads.name_of(reference), key="")
        holders = self._holders(start, ())
        values = {key: self._value(holder, ()) for key, holder in holders.items()}
        origins = {
            key: str(holder.reference) for key, holder in holders.items() if holder.reference._replace(key="") != start
        }
        others = tuple(one for place, one in self._read.items() if place != start)
        return found._replace(values=values, origins=origins, followed=others)

    def _holders(self, secret: Reference, trail: Trail) -> dict[str, _Holder]:
        """Where each key of a secret is: in itself, or else in what it imports, of which the last one counts."""
        trail = self._further(secret, trail)
        found = self._plain(secret)
        holders: dict[str, _Holder] = {}
        for one in self._imports(secret, found):
            holders |= self._holders(one, trail)
        return holders | {key: _Holder(secret._replace(key=key), value) for key, value in found.values.items()}

    def _imports(self, secret: Reference, found: Found) -> Iterator[Reference]:
        for text in found.imports.replace(",", " ").split():
            asked = self._meant(text.rstrip("/"), secret, "imports")
            if asked.key:
                raise CommandFailed(f"{secret}: 'imports' names whole secrets or folders, without #KEY")
            if not text.endswith("/"):
                yield asked
                continue
            for name in self._reads.names_in(asked):
                if name != secret.path.rpartition("/")[2] or asked.path != secret.path.rpartition("/")[0]:
                    yield asked._replace(path=f"{asked.path}/{name}")

    def _value(self, holder: _Holder, trail: Trail) -> Any:
        """The raw value of a holder with every reference in it followed."""
        value, place = holder.value, holder.reference
        if not isinstance(value, str) or SCHEME not in value:
            return value
        trail = self._further(place, trail)
        if value.startswith(SCHEME):
            return self._at(self._meant(value, place, place.key), trail)

        def filled(match: re.Match[str]) -> str:
            if match[1]:
                return match[0][1:]
            inner = self._at(self._meant(match[2], place, place.key), trail)
            text = inner if isinstance(inner, str) else exact_json.encode(inner)
            self._characters += len(text)
            if self._characters > CHARACTERS_MAX:
                raise CommandFailed(f"{trail[0]}: what it refers to has more than {CHARACTERS_MAX} characters")
            return text

        return _WITHIN.sub(filled, value)

    def _at(self, reference: Reference, trail: Trail) -> Any:
        self._count += 1
        if self._count > FOLLOWED_MAX:
            raise CommandFailed(f"{trail[0]} refers to others more than {FOLLOWED_MAX} times")
        if not reference.key:
            raise CommandFailed(f"{trail[-1]} refers to {reference}, which names no key")
        holders = self._holders(reference._replace(key=""), ())
        holder = holders.get(reference.key)
        if holder is None:
            raise CommandFailed(f"{trail[-1]} refers to {reference}, which is not there")
        return self._value(holder, trail)

    def _further(self, place: Reference, trail: Trail) -> Trail:
        if place in trail:
            raise CommandFailed(f"secrets refer to each other in a circle: {' -> '.join(map(str, (*trail, place)))}")
        if len(trail) >= DEPTH_MAX:
            raise CommandFailed(f"{trail[0]} refers to others over more than {DEPTH_MAX} steps")
        return (*trail, place)

    def _plain(self, secret: Reference) -> Found:
        if secret not in self._read:
            if len(self._read) > READS_MAX:
                raise CommandFailed(f"a secret refers to more than {READS_MAX} others")
            self._read[secret] = self._reads.plain(secret)
        return self._read[secret]

    def _meant(self, text: str, place: Reference, where: str) -> Reference:
        """The reference that stands at ``place``, in the environment that it means. Raises CommandFailed where that is more sensitive."""
        try:
            asked = parse(text)
        except BadReference as error:
            raise CommandFailed(f"{place}: {where} holds a reference that cannot be read: {error}") from None
        if asked.environment is None:
            raise CommandFailed(f"{place}: {where} holds no reference: it begins with sr://")
        meant = in_environment(asked, place.environment or "")
        self._require_downward(place, meant)
        return meant

    def _require_downward(self, place: Reference, meant: Reference) -> None:
        here, there = place.environment or "", meant.environment or ""
        if here == there:
            return
        ranks = self._reads.rank_of(here), self._reads.rank_of(there)
        if ranks[0] is None or ranks[1] is None or ranks[1] > ranks[0]:
            raise CommandFailed(
                f"{place} refers to {meant}: from one environment to a more sensitive one, or to one whose rank the server does not tell, "
                "nothing refers"
            )
