"""The guard against values that live in two environments: asked on every write that stores a secret, whatever plug stores it.

One row for each value, in its one form (``environments.forms``): ``core/reuse/<fingerprint of the form>``. It lists where the value is or
was, a line for each secret: ``<mount uuid>/<digest of the path>``. A write below reads the row by name, and a write above puts it: so two
that cross are in conflict, whichever process they are in, and the second is judged again. Only what has something below it is listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strongroom.barrier.view import VersionedStorage
from strongroom.crypto.fingerprint import Key, fingerprint
from strongroom.environments.environment import Environment, Reuse
from strongroom.environments.forms import forms_in
from strongroom.environments.listed import AREA, ListedRows
from strongroom.environments.map import EnvironmentMap
from strongroom.logical.errors import InvalidRequest
from strongroom.quotas.guesses import Guesses

FORMS_MAX = 1000
"""How many values of one write are compared. A secret has a few; a list of guesses has many."""
PLACES_MAX = 16
"""How many secrets of one mount are listed for one value; beyond that the mount is, as a whole and for good."""

LOOKS_BELOW_MAX = 1000
"""For how many values of one request it is asked whether they are in use below; it is a courtesy."""

_LABEL = b"strongroom reuse\0"
_WHOLE_MOUNT = "*"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """Makes the guard of a mount, inside one transaction. ``warnings`` takes what the caller is told, who is ``caller``."""

    key: Key
    root: VersionedStorage
    environments: EnvironmentMap
    warnings: list[str]
    guesses: Guesses
    listed: ListedRows
    caller: str
    looked_below: list[str] = field(default_factory=list)
    """For which values it was asked whether they are in use below."""

    def warn(self, text: str) -> None:
        """Tell the caller, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def of_mount(self, uuid: str, *, is_known: bool) -> Guard | None:
        """The guard of the mount, or None where it belongs to no environment. ``is_known`` records what is there, and refuses nothing."""
        environment = self.environments.of_mount(uuid)
        return None if environment is None else Guard(self, environment, uuid, is_known=is_known)


class Guard:
    """Judges and records the values of secrets of one mount."""

    __slots__ = ("_all", "_environment", "_is_known", "_mount_uuid")

    def __init__(self, guards: Guards, environment: Environment, mount_uuid: str, *, is_known: bool) -> None:
        self._all = guards
        self._environment = environment
        self._mount_uuid = mount_uuid
        self._is_known = is_known

    def admit(self, path: str, values: Mapping[str, Any]) -> None:
        """Judge what is about to be stored at ``path``, and list it. Raises ReusedValue."""
        everything = self._all
        is_lowest = everything.environments.is_lowest(self._environment)
        is_judged = not self._is_known and self._environment.reuse is not Reuse.ALLOW
        if not is_judged and is_lowest:
            return
        if is_judged:
            everything.guesses.check(everything.caller)
        rows = {form: self._row(form, is_listed=not is_lowest) for form in self._compared(values)}
        if is_judged:
            self._judge(rows)
        if not is_lowest:
            for form, row in rows.items():
                self._list(path, form, row)

    def judge(self, values: Mapping[str, Any]) -> None:
        """Judge what is about to be stored for one person alone, and list nothing. Raises ReusedValue."""
        if self._environment.reuse is not Reuse.ALLOW:
            self._all.guesses.check(self._all.caller)
            self._judge({form: self._row(form, is_listed=False) for form in self._compared(values)})

    def look_below(self, places: str) -> None:
        """Warn where one of ``places``, the rows of a fingerprint that is new here, lies in a less sensitive environment."""
        everything = self._all
        if (
            self._is_known
            or self._environment.reuse is Reuse.ALLOW
            or everything.environments.is_lowest(self._environment)
            or len(everything.looked_below) >= LOOKS_BELOW_MAX
        ):
            return
        everything.looked_below.append(places)
        for place in everything.root.scan(places):
            other = everything.environments.of_mount(place[len(places) :].partition("/")[0])
            if other is not None and other.rank < self._environment.rank:
                everything.warn(WARN_BELOW)
                return

    def forget(self, path: str, values: Mapping[str, Any]) -> None:
        """The secret at ``path`` is gone, and these are values that it had: they are no longer in use there."""
        place = self._place(path)
        for form in forms_in(values):
            key = self._key(form)
            row = self._all.root.get(key)
            if row is None:
                continue
            left = [line for line in row.decode().split("\n") if line != place]
            # It stays where it is empty, for those who know which rows there are.
            self._all.root.put(key, "\n".join(left).encode())

    def _row(self, form: str, *, is_listed: bool) -> bytes | None:
        """The row of the form. Where nothing will be put there, it is not looked for if it surely is not there."""
        root, key = self._all.root, self._key(form)
        return root.get(key) if is_listed or self._all.listed.may_be_there(root, key) else None

    def _compared(self, values: Mapping[str, Any]) -> list[str]:
        forms = list(forms_in(values))
        if len(forms) > FORMS_MAX:
            raise InvalidRequest(
                f"the secret holds more than {FORMS_MAX} values to compare with other environments; split it over several secrets"
            )
        return forms

    def _judge(self, rows: Mapping[str, bytes | None]) -> None:
        here = self._environment
        shared = self._all.environments.shared_forms(here)
        for form, row in rows.items():
            if row is None or form in shared or len(form) < here.reuse_minimum_length or not self._is_above(row):
                continue
            if here.reuse is Reuse.DENY:
                self._all.guesses.count(self._all.caller)
                raise ReusedValue
            self._all.warn(WARN_ABOVE)
            return

    def _is_above(self, row: bytes) -> bool:
        for mount in {line.partition("/")[0] for line in row.decode().split("\n")}:
            other = self._all.environments.of_mount(mount)
            if other is not None and other.rank > self._environment.rank:
                return True
        return False

    def _list(self, path: str, form: str, row: bytes | None) -> None:
        """Note that a secret at ``path`` has the value. Lines of mounts that belong to no environment any more fall away."""
        place, whole = self._place(path), f"{self._mount_uuid}/{_WHOLE_MOUNT}"
        lines = row.decode().split("\n") if row else []
        if place in lines or whole in lines:
            return
        known = self._all.environments.of_mount
        kept = [line for line in lines if known(line.partition("/")[0]) is not None]
        own = [line for line in kept if line.startswith(self._mount_uuid)]
        if len(own) >= PLACES_MAX:
            kept, place = [line for line in kept if line not in own], whole
        key = self._key(form)
        self._all.root.put(key, "\n".join([*kept, place]).encode())
        if row is None:
            self._all.listed.note_added(self._all.root, key)

    def _place(self, path: str) -> str:
        return f"{self._mount_uuid}/{hashlib.sha256(path.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"

    def _key(self, form: str) -> str:
        return AREA + fingerprint(self._all.key, _LABEL + form.encode("utf-8", "surrogatepass")).hex()
