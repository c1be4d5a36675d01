"""What is left of the keys in the memory of a process after sealing: nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SCRIPT = r"""
import gc, json, os
from strongroom.barrier.assignment import ASSIGNMENT_KEY, Assignment, encode_assignment
from strongroom.barrier.barrier import Surroundings
from strongroom.barrier.initialization import InitConfig
from strongroom.barrier.lifecycle import Lifecycle
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.physical.memory import MemoryStore

MASK = 0x5A
drawn = []  # masked, so that this list is not itself found


class Recording:
    def bytes(self, count):
        return os.urandom(count)

    def fill(self, buffer):
        SystemEntropy().fill(buffer)
        drawn.append(bytes(byte ^ MASK for byte in buffer))


def copies(masked):
    key, found = bytes(byte ^ MASK for byte in masked), -1  # one copy is the key that is searched for
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps.read().splitlines():
            addresses, modes, *_ = line.split()
            if "rw" in modes and "[v" not in line:
                start, end = (int(address, 16) for address in addresses.split("-"))
                memory.seek(start)
                try:
                    found += memory.read(end - start).count(key)
                except OSError:
                    continue
    return found


lifecycle = Lifecycle(Surroundings(MemoryStore(), SystemClock(), Recording()))
result = lifecycle.initialize(InitConfig(secret_shares=5, secret_threshold=3), lambda storage: storage.put("a", b"b"))
for share in result.shares[:3]:
    lifecycle.submit_unseal_share(share.reveal().hex())
with lifecycle.unsealed().transaction() as transaction:
    transaction.put(ASSIGNMENT_KEY, encode_assignment(Assignment(2, {1: ("one",), 2: ("two",)})))
    transaction.put("logical/two/a", b"c")
    lifecycle.unsealed().commit(transaction)
lifecycle.unsealed().rotate()
with lifecycle.unsealed().transaction() as transaction:
    transaction.get("a")
    transaction.get("logical/two/a")
unsealed = [copies(masked) for masked in drawn]
with lifecycle.unsealed().transaction() as transaction:
    transaction.delete("logical/two/a")
    transaction.put(ASSIGNMENT_KEY, encode_assignment(Assignment(2, {1: ("one",)})))
    destroyed = lifecycle.unsealed()._keys.keyrings.by_id[2].terms
    destroyed = [bytes(byte ^ MASK for byte in term.key) for term in destroyed]
    lifecycle.unsealed().commit(transaction)
del transaction
gc.collect()
gone = [copies(masked) for masked in destroyed]
lifecycle.seal()
gc.collect()
print(json.dumps({"unsealed": unsealed, "destroyed": gone, "sealed": [copies(masked) for masked in drawn]}))
"""


@pytest.mark.skipif(not os.access("/proc/self/mem", os.R_OK), reason="the system does not show a process its memory")
def test_no_copy_of_any_key_is_left_in_memory_after_sealing() -> None:
    output = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=True, text=True).stdout
    found = json.loads(output)
    assert sum(found["unsealed"]) >= 2, "the search must be able to find the root key and the terms"
    assert found["destroyed"] == [0, 0], "a keyring that was destroyed while the vault was open"
    assert found["sealed"] == [0] * len(found["sealed"])
