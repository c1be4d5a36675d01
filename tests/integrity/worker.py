"""A process that writes to a store and may be killed: ``worker.py FOLDER ROOT_KEY SEED COUNT [POINT NUMBER]``.

It makes COUNT random transactions, or dies at the NUMBERth time that it reaches POINT.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from random import Random

from strongroom import failpoints
from strongroom.barrier.barrier import Barrier, Limits, Surroundings
from strongroom.barrier.unsealing import open_barrier
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.physical.sqlite import SqliteStore
from strongroom.physical.store import Conflict


def main(folder: str, root_key: str, seed: str, count: str, point: str = "", number: str = "1") -> None:
    store = SqliteStore(Path(folder), is_shared=True)
    if point:
        arm(point, int(number))
    barrier = open_barrier(
        Surroundings(store, SystemClock(), SystemEntropy(), Limits(block=64)), bytearray.fromhex(root_key)
    )
    random = Random(seed)
    for _ in range(int(count)):
        write(barrier, random)
    store.close()


def arm(point: str, number: int) -> None:
    """Die at the ``number``th time."""
    left = [number]

    def die() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.arm({point: die})  # type: ignore[dict-item] # the name comes from the command line


def write(barrier: Barrier, random: Random) -> None:
    """One transaction on keys that the other processes change too."""
    while True:
        with barrier.transaction() as transaction:
            for _ in range(random.randint(1, 6)):
                key = f"k{random.randrange(12)}"
                kind = random.randrange(3)
                if kind:
                    transaction.get(key)
                if kind == 2:
                    transaction.delete(key)
                else:
                    transaction.put(key, random.randbytes(20))
            try:
                barrier.commit(transaction)
            except Conflict:
                continue
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
