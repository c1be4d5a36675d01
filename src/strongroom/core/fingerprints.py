"""The index of keyed fingerprints: which secret values exist, findable by value without keeping the value (DESIGN 1).

One row for each value of each key of a secret: ``core/fingerprint/<fingerprint>/<mount uuid>/<key>/<path>``. Its content is the
number of the version that brought the value; it is written in the commit that writes that version, and later versions with the same
value find it there. It stays when a version is pruned or destroyed, so that a value which leaked before is still recognised, and goes
with the secret, or a while after the mount (docs/formats/fingerprint.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from strongroom.core.reuse import Guards
from strongroom.crypto.fingerprint import Key
from strongroom.environments.map import Standing
from strongroom.logical.storage import Storage
from strongroom.mounts.table import UNMOUNTED_AREA
from strongroom.system.fingerprint_rows import AREA, ValueRow, rows_of


class FingerprintIndex:
    """Implements ``logical.backend.Fingerprints`` for one mount, inside one transaction."""

    __slots__ = ("_guards", "_is_known", "_key", "_mount_uuid", "_root")

    def __init__(
        self,
        key: Key,
        root: Storage,
        mount_uuid: str,
        guards: Guards | None = None,
        *,
        is_known: bool = False,
    ) -> None:
        self._key = key
        self._root = root
        self._mount_uuid = mount_uuid
        self._guards = guards
        self._is_known = is_known

    def record(self, path: str, version: int, values: Mapping[str, Any]) -> None:
        """Remember every text and number in ``values``, at any depth, where it is not known of this key of this secret.

        Raises ReusedValue where environments that stay apart forbid to store one of them here.
        """
        guards, standing, root = self._guards, self._standing(), self._root
        rows = self._rows(path, values)
        marked: list[tuple[bytes, ValueRow]] = []
        if guards is not None and standing is not None:
            marked = guards.admit(standing, rows, values, is_known=self._is_known)
            if standing.looks_below and not self._is_known:
                guards.look_below(standing, rows)
        new = [row for row in rows if root.version(row.key) is None]
        content = b"%d" % version
        for row in new:
            root.put(row.key, content)
        if marked and guards is not None and standing is not None and standing.is_listed:
            guards.list(marked, is_new=bool(new))

    def judge(self, values: Mapping[str, Any]) -> None:
        """Raise ReusedValue where environments that stay apart forbid to store one of ``values`` here; nothing is remembered."""
        guards, standing = self._guards, self._standing()
        if guards is not None and standing is not None:
            guards.admit(standing, self._rows("", values), values, is_known=self._is_known)

    def list_known(self, path: str, values: Mapping[str, Any]) -> None:
        """Have the guard know what was stored before there was one. The fingerprints themselves are there already."""
        guards, standing = self._guards, self._standing()
        if guards is not None and standing is not None and standing.is_listed:
            marked = guards.admit(standing, self._rows(path, values), values, is_known=True)
            if marked:
                guards.list(marked, is_new=True)

    def forget(self, path: str, values: Mapping[str, Any]) -> None:
        """Forget them: the secret is gone."""
        for row in self._rows(path, values):
            self._root.delete(row.key)

    def of_mount(self, uuid: str, *, is_known: bool = False) -> FingerprintIndex:
        """The index for another mount, in the same transaction. ``is_known`` tells that its values only change their place in it."""
        return FingerprintIndex(self._key, self._root, uuid, self._guards, is_known=is_known)

    def _standing(self) -> Standing | None:
        """That of the mount; None where it belongs to no environment, or there is nothing to keep apart."""
        guards = self._guards
        return None if guards is None else guards.environments.standings.get(self._mount_uuid)

    def _rows(self, path: str, values: Mapping[str, Any]) -> list[ValueRow]:
        return rows_of(self._key, self._mount_uuid, path, values)


def sweep_unmounted(root: Storage, rows: int) -> bool:
    """Remove fingerprints of a mount that is gone, by looking at so many rows of the index; whether there may be more to do.

    The index is ordered by fingerprint, so what belongs to one mount lies everywhere. How far the search came stands under the
    mount's name, and the name goes when the end is reached.
    """
    name = next(iter(root.scan(UNMOUNTED_AREA)), None)
    if name is None:
        return False
    looked_at = list(islice(root.scan(AREA, (root.get(name) or b"").decode()), rows))
    mount = name.removeprefix(UNMOUNTED_AREA)
    for key in looked_at:
        if key.split("/", 4)[3] == mount:
            root.delete(key)
    if len(looked_at) < rows:
        root.delete(name)
    else:
        root.put(name, looked_at[-1].encode())
    return True
