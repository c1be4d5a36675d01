"""The guard against values that live in two environments: asked on every write that stores a secret, whatever plug stores it.

Values are compared in one form (``environments.forms``). What is stored where something lies below is listed (``environments.listed``): the
fingerprint of the form, and that of the value as it was written, under which the index of fingerprints says where the value is. A write below
reads by name what every listing puts: so two that cross are in conflict, whichever process they are in, and the second is judged again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from strongroom.barrier.transaction import Transaction
from strongroom.core.unit import Deferred
from strongroom.environments.environment import Reuse
from strongroom.environments.forms import encoded_forms_of, names_in
from strongroom.environments.listed import HALF
from strongroom.environments.map import EnvironmentMap, Standing
from strongroom.logical.errors import InvalidRequest
from strongroom.system.fingerprint_rows import AREA, PLACES_AT, ValueRow
from strongroom.system.guesser import guesser_of
from strongroom.system.unsealed import Unsealed
from strongroom.tokens.entry import TokenEntry

FORMS_MAX = 1000
"""How many values of one write are compared. A secret has a few; a list of guesses has many."""
PLACES_AT_ONCE = 64
"""How many places of a value are looked at before it is asked for each mount above."""
BESIDE_AT_ONCE = 256
"""How many places of all values of a write are asked for together."""
LOOKS_BELOW_MAX = 1000
"""For how many values of one request it is asked whether they are in use below; it is a courtesy."""


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


class Guards:
    """Judges and lists the values of secrets, inside one transaction; ``standing`` is that of the secret's mount.

    ``warnings`` takes what the caller is told, whose token is ``token``; None where nobody is refused anything.
    ``is_batched`` tells that others wait for this request, so that one which would take long is Deferred.
    """

    __slots__ = ("_is_batched", "_looked_below", "_root", "_token", "_warnings", "environments", "unsealed")

    def __init__(
        self,
        unsealed: Unsealed,
        root: Transaction,
        environments: EnvironmentMap,
        warnings: list[str],
        token: TokenEntry | None,
        *,
        is_batched: bool = False,
    ) -> None:
        self.unsealed = unsealed
        self.environments = environments
        self._root = root
        self._warnings = warnings
        self._token = token
        self._is_batched = is_batched
        self._looked_below = 0
        """For how many values it was asked whether they are in use below."""

    def admit(
        self, standing: Standing, rows: Sequence[ValueRow], values: Mapping[str, Any], *, is_known: bool
    ) -> list[tuple[bytes, ValueRow]]:
        """Judge what is about to be stored, the ``rows`` of ``values``, unless it ``is_known`` here; what it will be listed under.

        Raises ReusedValue.
        """
        is_judged = standing.is_judged and not is_known
        marked: list[tuple[bytes, ValueRow]] = []
        within: list[tuple[bytes, ValueRow]] = []
        if is_judged or standing.is_listed:
            # Not by a function for each value: this is the longest part of what the guard costs.
            start = self.unsealed.reuse_key.start
            for row in rows:
                has_words = is_judged and len(within) < FORMS_MAX
                forms = encoded_forms_of(row[0], is_below=has_words)
                if has_words and len(forms) > 1:
                    # What is listed of it, and counts as a value, is what stands at the beginning.
                    own = len(encoded_forms_of(row[0]))
                    within += [(self.unsealed.reuse_key.digest(form), row) for form in forms[own:]]
                    forms = forms[:own]
                for form in forms:
                    state = start()
                    state.update(form)
                    marked.append((state.digest(), row))
        if is_judged:
            marks_of_name = self.unsealed.marks_of_name
            for name in names_in(values):
                within += [(mark, ValueRow(name, b"", "")) for mark in marks_of_name(name)]
            self._judge(standing, marked, within)
        return marked

    def list(self, marked: Sequence[tuple[bytes, ValueRow]], *, is_new: bool) -> None:
        """List what was admitted, or is there. ``is_new`` tells that something of it was not there before."""
        self.unsealed.listed.add(self._root, [mark + row[1][:HALF] for mark, row in marked], is_new=is_new)

    def look_below(self, standing: Standing, rows: Sequence[ValueRow]) -> None:
        """Warn where the value of one of ``rows`` that is new here lies in a less sensitive environment, too. To be asked before they are put."""
        self._looked_below += len(rows)
        if self._looked_below > LOOKS_BELOW_MAX:
            rows = rows[: max(0, LOOKS_BELOW_MAX - self._looked_below + len(rows))]
        places = self._root.stored_beside([row[2] for row in rows], PLACES_AT, BESIDE_AT_ONCE)
        if places is not None and not places:  # nearly always
            return
        known = frozenset(places or ())
        for row in rows:
            value = row.key[:PLACES_AT]
            beside = self._where_new(row) if places is None else (one for one in places if one.startswith(value))
            if row.key not in known and any(self._is_in_use_below(standing, place) for place in beside):
                self._warn(WARN_BELOW)
                return

    def _where_new(self, row: ValueRow) -> Iterable[str]:
        """Where else the value is or was; nothing where it is here already."""
        return self._root.scan(row.key[:PLACES_AT]) if self._root.version(row.key) is None else ()

    def _is_in_use_below(self, standing: Standing, place: str) -> bool:
        other = self.environments.of_mount(_mount_of(place))
        if other is None or other.rank >= standing.environment.rank:
            return False
        return self._root.version(place) is not None  # else it is leaving there in this very request

    def _judge(
        self, standing: Standing, marked: Sequence[tuple[bytes, ValueRow]], within: Sequence[tuple[bytes, ValueRow]]
    ) -> None:
        unsealed = self.unsealed
        if unsealed.guesses.are_over_for_some:
            unsealed.guesses.check(self._guesser())
        if not marked and not within:
            return
        if len(marked) > FORMS_MAX and len(dict(marked)) > FORMS_MAX:
            raise InvalidRequest(
                f"the secret holds more than {FORMS_MAX} values to compare with other environments; split it over several secrets"
            )
        if self._is_batched and unsealed.listed.is_behind(self._root):
            raise Deferred  # soon after an unseal: on the pool it holds up nobody else
        # Of what stands within values only so much is asked about that it stays at so many guesses.
        asked = [*marked, *within[: max(0, FORMS_MAX - len(marked))]] if within else marked
        found = unsealed.listed.look(self._root, asked)
        for mark, values in found.items():
            if not self._is_exempt(standing, mark, dict(asked)[mark].text) and any(
                self._is_above(standing, value) for value in values
            ):
                if standing.environment.reuse is Reuse.DENY:
                    unsealed.guesses.count(self._guesser())
                    raise ReusedValue
                self._warn(WARN_ABOVE)
                return

    def _is_exempt(self, standing: Standing, mark: bytes, text: str) -> bool:
        """Whether the form that ``mark`` stands for, one of ``text``, is shared by declaration or too short to be compared here."""
        environment = standing.environment
        digest = self.unsealed.reuse_key.digest
        form = next(form for form in encoded_forms_of(text, is_below=True) if digest(form) == mark).decode(
            "utf-8", "surrogatepass"
        )
        return form in self.environments.shared_forms(environment) or len(form) < environment.reuse_minimum_length

    def _is_above(self, standing: Standing, value: bytes) -> bool:
        """Whether the value whose fingerprint begins so is, or was, in a more sensitive environment."""
        root, mounts = self._root, standing.above
        places = list(islice(root.scan(AREA + value.hex()), PLACES_AT_ONCE))
        if any(_mount_of(place) in mounts for place in places):
            return True
        if len(places) < PLACES_AT_ONCE:
            return False
        named = places[0][:PLACES_AT]
        return any(next(root.scan(f"{named}{uuid}/"), None) is not None for uuid in mounts)

    def _guesser(self) -> str:
        return guesser_of(self.unsealed, self._root, self._token)

    def _warn(self, text: str) -> None:
        """Tell the caller, once."""
        if text not in self._warnings:
            self._warnings.append(text)


def _mount_of(place: str) -> str:
    return place[PLACES_AT : place.index("/", PLACES_AT)]
