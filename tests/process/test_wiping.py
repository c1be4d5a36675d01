"""What is left of keys and shares in the memory of a process with a whole vault, after requests over the whole way and sealing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.tidy.source import ROOT

# Keeps what it searches for masked, so that it does not find its own list; the key that is searched for is one copy.
SCRIPT = r"""
import gc, json, os, sys
from strongroom.logical.ambient import SystemEntropy
from tests import kit
from tests.process.beside import copies

MASK = 0x5A
mask = lambda content: bytes(byte ^ MASK for byte in content)
keys = []


class Recording:
    def bytes(self, count):
        return os.urandom(count)

    def fill(self, buffer):
        SystemEntropy().fill(buffer)
        keys.append(mask(buffer))


def left(masked):
    wanted = bytearray(mask(masked))
    found = copies("self", wanted) - 1
    wanted[:] = bytes(len(wanted))
    return found


kit.SeededEntropy = Recording
shares, threshold = int(sys.argv[1]), int(sys.argv[2])
vault = kit.Vault(is_unsealed=False)
first = vault.call("PUT", "sys/init", {"secret_shares": shares, "secret_threshold": threshold}, token=None)
texts = {"hex": [mask(one.encode()) for one in first.body["keys"]], "base64": [mask(one.encode()) for one in first.body["keys_base64"]]}
# Digit by digit: the only share of one is the key itself, and must not come to be in our own memory as a whole.
raw = [bytes(int(one[at : at + 2], 16) ^ MASK for at in range(0, len(one), 2)) for one in first.body["keys"]]
vault.root = first.body["root_token"]
del first
for index in range(threshold):
    kind = ("hex", "base64")[index % 2]
    assert vault.call("PUT", "sys/unseal", {"key": mask(texts[kind][index]).decode()}, token=None).status == 200
assert vault.node.unsealed is not None
assert vault.post("sys/rotate").status in {200, 204}
assert vault.post("sys/mounts/kv", {"type": "kv"}).status == 204
assert vault.post("sys/environments/production", {"rank": 9, "mounts": ["kv"]}).status == 204
assert vault.post("sys/environments/production/rotate").status == 200
for number in range(50):
    assert vault.post(f"kv/{number}", {"value": "canary-value"}).status == 204
    assert vault.get(f"kv/{number}").status == 200
unsealed = [left(key) for key in keys]
assert vault.post("sys/seal").status == 204
gc.collect()
print(json.dumps({
    "unsealed": unsealed,
    "keys": [left(key) for key in keys],
    "shares": [left(share) for share in raw],
    "texts": {kind: [left(text) for text in masked] for kind, masked in texts.items()},
}))
"""


def searched(shares: int, threshold: int) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(shares), str(threshold)],
        capture_output=True,
        check=False,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not os.access("/proc/self/mem", os.R_OK), reason="the system does not show a process its memory")
@pytest.mark.parametrize(("shares", "threshold"), [(1, 1), (5, 3)])
def test_no_key_and_no_share_is_left_in_memory_after_a_whole_vault_was_sealed(
    shares: int, threshold: int, record_property: Callable[[str, object], None]
) -> None:
    found = searched(shares, threshold)
    assert sum(found["unsealed"]) >= 2, "the search must be able to find the root key and the terms"
    assert found["keys"] == [0] * len(found["keys"])
    assert found["shares"] == [0] * shares
    # What was a text in a request or an answer cannot be wiped: it is measured, and not hidden.
    record_property("copies of the written shares", found["texts"])
    assert max(found["texts"]["hex"] + found["texts"]["base64"]) <= 16
