"""A fixed piece of work that says how fast this machine is just now: what a server does, without any of our code.

It parses and writes JSON, opens and seals AES-GCM, computes HMACs, and walks dictionaries: interpreter and libraries in the
proportion of a request. It must never change, or figures from before and after cannot be compared.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

QUIET_MICROSECONDS = 37.5
"""What one turn takes on a quiet machine: on one of 2 cores (AMD EPYC, Debian's Python 3.11.2) with nothing else to do mostly 37.3 to 38.7.
On one that is shared the least was 47 to 50, which was the measure until 2026-12-01."""
TURNS = 4000

_BODY = json.dumps({"data": {"username": "service", "password": "correct horse battery staple", "n": list(range(20))}})
_CIPHER = AESGCM(bytes(32))
_NONCE = bytes(12)


def turn(number: int) -> int:
    """One turn. The answer depends on all that was done, so that nothing of it can be left out."""
    parsed = json.loads(_BODY)
    parsed["data"]["number"] = number
    sealed = _CIPHER.encrypt(_NONCE, json.dumps(parsed).encode(), b"reference")
    opened = json.loads(_CIPHER.decrypt(_NONCE, sealed, b"reference"))
    digest = hmac.new(b"reference", sealed, hashlib.sha256).hexdigest()
    table: dict[str, int] = {}
    for index, letter in enumerate(digest):
        key = letter + digest[index - 1]
        table[key] = table.get(key, 0) + index
    total = 0
    for key, value in sorted(table.items()):
        total += value if key.startswith("a") else len(key)
    return total + len(opened["data"])


def microseconds() -> float:
    """The processor time of one turn, in microseconds, over enough turns to be sure of it."""
    begun = time.process_time()
    for number in range(TURNS):
        turn(number)
    return (time.process_time() - begun) / TURNS * 1e6
