"""The guard against values that live in two environments: asked on every write that stores a secret, whatever plug stores it.

Values are compared in one form (``environments.forms``). What is stored where something lies below is listed (``environments.listed``): the
fingerprint of the form, and that of the value as it was written, under which the index of fingerprints says where the value is. A write below
reads by name what every listing puts: so two that cross are in conflict, whichever process they are in, and the second is judged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from strongroom.barrier.transaction import Transaction
from strongroom.crypto.keyed_hash import KeyedHash
from strongroom.environments.environment import Environment, Reuse
from strongroom.environments.forms import forms_of
from strongroom.environments.listed import HALF, ListedValues
from strongroom.environments.map import EnvironmentMap
from strongroom.logical.errors import InvalidRequest
from strongroom.quotas.guesses import Guesses
from strongroom.system.fingerprint_rows import AREA, PLACES_AT, ValueRow

FORMS_MAX = 1000
"""How many values of one write are compared. A secret has a few; a list of guesses has many."""
PLACES_AT_ONCE = 64
"""How many places of a value are looked at before it is asked for each mount above."""
LOOKS_BELOW_MAX = 1000
"""For how many values of one request it is asked whether they are in use below; it is a courtesy."""

_LABEL = b"strongroom reuse\0"


class ReusedValue(InvalidRequest):
    """A value of this write is in use in a more sensitive environment. Says neither which nor where."""

    def __init__(self) -> None:
        super().__init__(
            "a value of this secret is in use in a more protected environment, so it is not stored here; "
            "each environment has values of its own: make a new one"
        )


WARN_ABOVE = (
    "a value of this secret is in use in a more protected environment; each environment should have values of its own"
)
WARN_BELOW = "a value of this secret is in use in a less protected environment, too: whoever reads it there knows it here; make a new one"


@dataclass(slots=True, kw_only=True)
class Guards:
    """Makes the guard of a mount, inside one transaction. ``warnings`` takes what the caller is told, who is ``caller``."""

    key: KeyedHash
    root: Transaction
    environments: EnvironmentMap
    warnings: list[str]
    guesses: Guesses
    listed: ListedValues
    caller: str
    looked_below: int = 0
    """For how many values it was asked whether they are in use below."""

    def warn(self, text: str) -> None:
        """Tell the caller, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def of_mount(self, uuid: str, *, is_known: bool) -> Guard | None:
        """The guard of the mount, or None where it belongs to no environment. ``is_known`` lists what is there, and refuses nothing."""
        environment = self.environments.of_mount(uuid)
        return None if environment is None else Guard(self, environment, is_known=is_known)

    def mark_of(self, form: str) -> bytes:
        """What values of this form are listed under."""
        return self.key.digest(_LABEL + form.encode("utf-8", "surrogatepass"))[:HALF]


class Guard:
    """Judges and lists the values of secrets of one mount."""

    __slots__ = ("_all", "_environment", "_is_known", "_is_listed")

    def __init__(self, guards: Guards, environment: Environment, *, is_known: bool) -> None:
        self._all = guards
        self._environment = environment
        self._is_known = is_known
        self._is_listed = not guards.environments.is_lowest(environment)

    def admit(self, rows: Sequence[ValueRow]) -> list[tuple[bytes, ValueRow]]:
        """Judge what is about to be stored; what it will be listed under. Raises ReusedValue."""
        everything = self._all
        above = everything.environments.mounts_above(self._environment)
        is_judged = bool(above) and not self._is_known and self._environment.reuse is not Reuse.ALLOW
        marked: list[tuple[bytes, ValueRow]] = []
        if is_judged or self._is_listed:
            mark_of = everything.mark_of
            marked = [(mark_of(form), row) for row in rows for form in forms_of(row.text)]
        if is_judged:
            self._judge(marked, above)
        return marked

    def list(self, marked: Sequence[tuple[bytes, ValueRow]], *, is_new: bool) -> None:
        """List what was admitted, or is there. ``is_new`` tells that something of it was not there before."""
        if self._is_listed and marked:
            entries = [mark + row.fingerprint[:HALF] for mark, row in marked]
            self._all.listed.add(self._all.root, entries, is_new=is_new)

    def look_below(self, rows: Sequence[ValueRow]) -> None:
        """Warn where the value of one of ``rows`` that is new here lies in a less sensitive environment, too. To be asked before they are put."""
        everything = self._all
        if self._is_known or self._environment.reuse is Reuse.ALLOW or not self._is_listed:
            return
        for row in rows[: max(0, LOOKS_BELOW_MAX - everything.looked_below)]:
            everything.looked_below += 1
            places = everything.root.stored_beside(row.key, row.key[:PLACES_AT], PLACES_AT_ONCE)
            if places and any(self._is_below(place) for place in self._where_new(row, places)):
                everything.warn(WARN_BELOW)
                return

    def _where_new(self, row: ValueRow, places: Sequence[str]) -> Iterable[str]:
        """Where else the value is or was, of which the first are ``places``; nothing where it is here already."""
        if len(places) < PLACES_AT_ONCE:
            return places if row.key not in places else ()
        root = self._all.root
        return root.scan(row.key[:PLACES_AT]) if root.version(row.key) is None else ()

    def _is_below(self, place: str) -> bool:
        other = self._all.environments.of_mount(_mount_of(place))
        return other is not None and other.rank < self._environment.rank

    def _judge(self, marked: Sequence[tuple[bytes, ValueRow]], above: frozenset[str]) -> None:
        everything, here = self._all, self._environment
        everything.guesses.check(everything.caller)
        if not marked:
            return
        marks = dict(marked)
        if len(marks) > FORMS_MAX:
            raise InvalidRequest(
                f"the secret holds more than {FORMS_MAX} values to compare with other environments; split it over several secrets"
            )
        for mark, values in everything.listed.look(everything.root, marks).items():
            if not self._is_exempt(mark, marks[mark].text) and any(self._is_in(above, value) for value in values):
                if here.reuse is Reuse.DENY:
                    everything.guesses.count(everything.caller)
                    raise ReusedValue
                everything.warn(WARN_ABOVE)
                return

    def _is_exempt(self, mark: bytes, text: str) -> bool:
        """Whether the form that ``mark`` stands for, one of ``text``, is shared by declaration or too short to be compared here."""
        form = next(form for form in forms_of(text) if self._all.mark_of(form) == mark)
        shared = self._all.environments.shared_forms(self._environment)
        return form in shared or len(form) < self._environment.reuse_minimum_length

    def _is_in(self, mounts: frozenset[str], value: bytes) -> bool:
        """Whether the value whose fingerprint begins so is, or was, in one of ``mounts``."""
        root = self._all.root
        places = list(islice(root.scan(AREA + value.hex()), PLACES_AT_ONCE))
        if any(_mount_of(place) in mounts for place in places):
            return True
        if len(places) < PLACES_AT_ONCE:
            return False
        named = places[0][:PLACES_AT]
        return any(next(root.scan(f"{named}{uuid}/"), None) is not None for uuid in mounts)


def _mount_of(place: str) -> str:
    return place[PLACES_AT : place.index("/", PLACES_AT)]
