"""The inspection of a whole store: whether every record is what was written last, none is missing, and none is too many.

Two things are looked at. The *set*: the sum over the keys and versions of one moment must be the one in the root record of that moment.
And each *record* by itself: it must open at the place where it lies. The first is taken from a survey, which holds up nothing however
long it takes to add up; the second needs no moment, because a record that is there must open at any time.

An inspection is an iterator: its caller decides how fast it goes, by what it does between two steps.
"""

from __future__ import annotations

from collections.abc import Iterator

from strongroom.barrier.barrier import Barrier
from strongroom.barrier.set_hash import Trace, differing
from strongroom.barrier.store_root import ROOT_KEY, Root, parse_pins
from strongroom.barrier.tampering import Finding, Tampering
from strongroom.barrier.transaction import TENANT_PREFIX
from strongroom.barrier.unsealing import glance
from strongroom.crypto.aead import Damaged
from strongroom.physical.store import Record, Store, Survey

STEP_RECORDS = 32
"""So many records are looked at in one step."""
FINDINGS_MAX = 1000
_CUT = len(TENANT_PREFIX)


class Inspection:
    """One pass over the store. ``findings``, ``records`` and ``root`` are complete when :meth:`run` ended.

    Raises Sealed where the vault was sealed meanwhile, and what the store raises.
    """

    def __init__(self, barrier: Barrier, store: Store) -> None:
        self._barrier = barrier
        self._store = store
        self._damaged: dict[str, Record] = {}
        self._counted = 0
        self._total = 0
        self.records = 0
        """How many records were opened so far."""
        self.root: Root | None = None
        """The root record that the set was compared with."""
        self.findings: list[Finding] = []

    def run(self) -> Iterator[None]:
        """Do a little, again and again."""
        with self._store.snapshot() as snapshot:
            self.findings.extend(glance(self._barrier, snapshot))
        yield
        survey = self._store.survey(ROOT_KEY)
        try:
            yield from self._look(survey)
            yield from self._explain(survey)
        finally:
            survey.close()

    def _look(self, survey: Survey) -> Iterator[None]:
        elements = self._barrier.witness.tools.elements
        pinned: set[str] = set()
        record = survey.record
        if record is not None and not self.findings:
            self.root = self._barrier.witness.tools.cipher.open(record)
            pinned.update(parse_pins(self.root.pins))
        after = ""
        while page := survey.page(after, STEP_RECORDS):
            names: list[str] = []
            members: list[tuple[str, int]] = []
            for key, version in page:
                if key.startswith(TENANT_PREFIX):
                    names.append(key)
                    members.append((key, version))
                elif key != ROOT_KEY and self.root is not None and key not in pinned:
                    self._find(Tampering.INSERTED, key)
            self._counted += len(members)
            self._total = elements.fold(self._total, members)
            self._open_all(names)
            after = page[-1][0]
            yield

    def _open_all(self, keys: list[str]) -> None:
        if not keys:
            return
        with self._store.snapshot() as snapshot:
            for key in keys:
                record = snapshot.get(key)
                if record is None:
                    continue  # deleted since the survey
                self.records += 1
                try:
                    self._barrier.open_record(key[_CUT:], record)
                except Damaged:
                    if len(self._damaged) < FINDINGS_MAX:
                        self._damaged[key] = record

    def _explain(self, survey: Survey) -> Iterator[None]:
        """Say what the differences mean. A store without any is through at once."""
        root = self.root
        difference = 0 if root is None else self._total ^ root.total
        if not difference:
            for key, record in self._damaged.items():
                self._find(*self._origin(key, record, {}))
            return
        traces, is_whole = differing(difference)
        surplus: dict[str, Trace] = {}
        missing: dict[str, Trace] = {}
        yield from self._locate(survey, traces, surplus, missing)
        for key, record in self._damaged.items():
            self._find(*self._origin(key, record, missing))
        self._name(traces, surplus, missing)
        if not is_whole or not traces:
            self._find(Tampering.UNLOCATED, "", self._balance(root))

    def _locate(
        self, survey: Survey, traces: frozenset[Trace], surplus: dict[str, Trace], missing: dict[str, Trace]
    ) -> Iterator[None]:
        """Find the keys of the differing elements: of those in the store, and of those that should be at a key of the store."""
        elements = self._barrier.witness.tools.elements
        after = TENANT_PREFIX
        while traces and (page := survey.page(after, STEP_RECORDS)):
            for key, version in page:
                if key.startswith(TENANT_PREFIX):
                    actual = elements.trace(key, version)
                    if actual in traces:
                        surplus[key] = actual
                    for wanted in traces:
                        if wanted != actual and elements.trace(key, wanted.version) == wanted:
                            missing[key] = wanted
            after = page[-1][0]
            yield

    def _name(self, traces: frozenset[Trace], surplus: dict[str, Trace], missing: dict[str, Trace]) -> None:
        for key in surplus.keys() - self._damaged.keys():
            if key in missing:
                detail = f"it is writing {surplus[key].version} and should be {missing[key].version}"
                is_newer = surplus[key].version > missing[key].version
                self._find(Tampering.ROOT_REPLAYED if is_newer else Tampering.REPLAYED, key, detail)
            else:
                self._find(Tampering.INSERTED, key)
        for trace in traces - set(surplus.values()) - set(missing.values()):
            self._find(Tampering.DELETED, "", f"writing {trace.version}, whose key only the audit log can tell")

    def _origin(self, key: str, record: Record, missing: dict[str, Trace]) -> tuple[Tampering, str, str]:
        """Whether a record that does not open where it lies opens where others lie."""
        for other in (*self._damaged, *self._same_version(key, record)):
            if other == key:
                continue
            versions = {record.version}
            if other in self._damaged:
                versions.add(self._damaged[other].version)
            if other in missing:
                versions.add(missing[other].version)
            for version in versions:
                if self._opens(other, Record(version, record.value)):
                    return Tampering.MOVED, key, f"its content belongs at {other}"
        return Tampering.EDITED, key, ""

    def _same_version(self, key: str, record: Record) -> list[str]:
        """Keys under which the version is stored too: no two records are ever given the same."""
        survey = self._store.survey(ROOT_KEY)
        found: list[str] = []
        after = TENANT_PREFIX
        try:
            while page := survey.page(after, 512):
                found += [name for name, version in page if version == record.version and name != key]
                after = page[-1][0]
        finally:
            survey.close()
        return [name for name in found if name.startswith(TENANT_PREFIX)]

    def _opens(self, key: str, record: Record) -> bool:
        try:
            self._barrier.open_record(key[_CUT:], record)
        except Damaged:
            return False
        return True

    def _balance(self, root: Root | None) -> str:
        wanted = 0 if root is None else root.records
        return f"there are {self._counted} records and should be {wanted}"

    def _find(self, kind: Tampering, place: str, detail: str = "") -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(Finding(kind, place, detail))
