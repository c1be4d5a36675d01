"""Opening a barrier on a store that is not trusted: the quick look at every unseal, and the upgrade of stores of the first format.

The quick look costs the same whatever the store holds: the root record must be there and be ours, and the rows that it pins must be the ones
that it knows. Whether all the records are takes an inspection (``inspection``).
"""

from __future__ import annotations

import hmac

from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.keyring import KEYRING_ROOT, keyring_key
from strongroom.barrier.set_hash import Elements
from strongroom.barrier.store_root import ROOT_KEY, Root, encode_pins, parse_pins
from strongroom.barrier.tampering import Finding, TamperedStore, Tampering
from strongroom.barrier.transaction import TENANT_PREFIX
from strongroom.crypto import aead
from strongroom.crypto.aead import Damaged
from strongroom.physical.store import Conflict, Snapshot, Survey

FORMAT_WITH_ROOT = 2
ROW_PREFIXES = ("barrier/", "seal/")
"""Where the rows beside the tenant's records lie."""
_PAGE = 512


def open_barrier(surroundings: Surroundings, root_key: bytearray) -> Barrier:
    """The barrier in the store, on which nobody has laid hands as far as a quick look shows. Owns ``root_key``.

    ``root_key`` must be known to be right: what does not open under it is then tampered with. Raises TamperedStore. A store of the
    first format gets its root record now.
    """
    try:
        barrier = Barrier.load(surroundings, root_key)
    except Damaged:
        aead.wipe(root_key)
        raise TamperedStore((Finding(Tampering.KEYRING_EDITED),)) from None
    except BaseException:
        aead.wipe(root_key)
        raise
    try:
        if barrier.keyring_format < FORMAT_WITH_ROOT:
            _upgrade(barrier, surroundings)
        _refuse_tampered(barrier, surroundings)
    except BaseException:
        barrier.seal()
        raise
    return barrier


def glance(barrier: Barrier, snapshot: Snapshot) -> list[Finding]:
    """What a quick look finds: nothing, where the root record is ours and the rows that it pins are as it knows them."""
    record = snapshot.get(ROOT_KEY)
    if record is None:
        return [Finding(Tampering.ROOT_MISSING, ROOT_KEY)]
    tools = barrier.witness.tools
    try:
        root = tools.cipher.open(record)
    except Damaged:
        return [Finding(Tampering.ROOT_EDITED, ROOT_KEY)]
    findings = []
    for key, pin in parse_pins(root.pins).items():
        found = snapshot.get(key)
        if found is None or not hmac.compare_digest(tools.pinner.pin(key, *found), pin):
            findings.append(Finding(kind_of_row(key), key, "it is missing" if found is None else ""))
    return findings


def kind_of_row(key: str) -> Tampering:
    """What it is called when the row at ``key``, outside of the tenant's records, is not the right one."""
    if key.startswith("barrier/keyring/"):
        return Tampering.KEYRING_EDITED
    return Tampering.COUNTER_SET_BACK if key.startswith("barrier/counter/") else Tampering.SEAL_EDITED


def renew_root(barrier: Barrier, surroundings: Surroundings, *, counter: int) -> None:
    """Write a root record for the records as they are, with the next number after ``counter``. Nobody else may write meanwhile.

    Whatever is in the store is believed from then on. Raises Conflict where somebody did write.
    """
    store = surroundings.store
    revision, keyring = barrier.newest_keyring()
    with store.snapshot() as snapshot:
        present = snapshot.get(ROOT_KEY)
        rows = {key: record for key in _rows_beside(snapshot) if (record := snapshot.get(key)) is not None}
    name = keyring_key(KEYRING_ROOT)
    rows[name] = keyring
    tools = barrier.witness.tools
    survey = store.survey(ROOT_KEY)
    try:
        records, total = _sum(survey, tools.elements)
    finally:
        survey.close()
    pins = encode_pins({key: tools.pinner.pin(key, *record) for key, record in rows.items()})
    root = tools.cipher.seal(Root(counter + 1, records, surroundings.clock.now_ns(), total, pins))
    expected = {ROOT_KEY: None if present is None else present.version, name: revision}
    store.commit(expected, {ROOT_KEY: root, name: keyring}, ())
    barrier.refresh_keyrings()


def _refuse_tampered(barrier: Barrier, surroundings: Surroundings) -> None:
    with surroundings.store.snapshot() as snapshot:
        findings = glance(barrier, snapshot)
    if findings:
        raise TamperedStore(tuple(findings))


def _upgrade(barrier: Barrier, surroundings: Surroundings) -> None:
    """From the first format to the second, in one commit: before it the store is of the first format, after it of the second."""
    try:
        renew_root(barrier, surroundings, counter=0)
    except Conflict:
        # Another server did the same, or somebody left a root record in a store that has none: the look afterwards tells.
        barrier.refresh_keyrings()


def _rows_beside(snapshot: Snapshot) -> list[str]:
    return [key for prefix in ROW_PREFIXES for key in snapshot.keys(prefix) if key != ROOT_KEY]


def _sum(survey: Survey, elements: Elements) -> tuple[int, int]:
    records = total = 0
    after = TENANT_PREFIX
    while page := survey.page(after, _PAGE):
        ours = [one for one in page if one[0].startswith(TENANT_PREFIX)]
        records += len(ours)
        total = elements.fold(total, ours)
        if len(ours) < len(page):
            break
        after = page[-1][0]
    return records, total
