"""Making a restored store the newest state of its vault, so that nothing of the time that was given up can be mixed into it unseen.

A store that was restored goes another way than the one it was copied from, whose counters went on. Both ways must never use the same numbers:
a record of one would open in the other (docs/adr/0011). So both counters jump, and a new term encrypts from now on.
"""

from __future__ import annotations

from strongroom.barrier.barrier import Barrier, Surroundings
from strongroom.barrier.inspection import Inspection
from strongroom.barrier.keyring import KEYRING_ROOT, counter_key, open_counter, seal_counter
from strongroom.barrier.tampering import Finding
from strongroom.barrier.unsealing import renew_root

JUMP = 2**38
"""By so much the counters go ahead of everything that is known: years of writing that nobody knows of. There is room for it 1,024 times
below 2**48, which is as far as the sketch of the store's sum can tell versions apart."""


def inspected(surroundings: Surroundings, root_key: bytearray) -> list[Finding]:
    """What a whole inspection of the store finds. ``root_key`` is only read. Raises Damaged."""
    barrier = Barrier.load(surroundings, bytearray(root_key), is_reader=True)
    try:
        inspection = Inspection(barrier, surroundings.store)
        for _ in inspection.run():
            pass
        return inspection.findings
    finally:
        barrier.seal()


def take_over(
    surroundings: Surroundings, root_key: bytearray, *, transactions: int = 0, encryptions: int = 0
) -> Barrier:
    """The barrier of the store, which is ahead now of ``transactions`` and ``encryptions`` that are known of the other way.

    ``root_key`` is only read. Nobody else may write meanwhile, and the store must have been inspected. Raises Damaged.
    """
    store, key = surroundings.store, counter_key(KEYRING_ROOT)
    with store.snapshot() as snapshot:
        reserved_to = open_counter(root_key, KEYRING_ROOT, snapshot.get(key))
    reserved_to = max(reserved_to, encryptions) + JUMP
    store.commit({}, {key: seal_counter(root_key, KEYRING_ROOT, reserved_to, surroundings.entropy)}, ())
    barrier = Barrier.load(surroundings, bytearray(root_key))
    try:
        renew_root(barrier, surroundings, counter=max(barrier.root_counter(), transactions) + JUMP)
        barrier.rotate()
    except BaseException:
        barrier.seal()
        raise
    return barrier
