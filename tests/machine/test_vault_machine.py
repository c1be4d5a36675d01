"""R-23: whatever clients, operators and failures do to a vault, in any order, it says what plain dictionaries say.

The test walks the same way each time. ``make machine`` walks many new ways, and tries every mistake of ``seeded``. By hand:
``MACHINE_SEED`` is the first seed ("random" draws one; each is printed, and repeats its walk), ``MACHINE_ROUNDS`` and ``MACHINE_STEPS``
say how far, ``MACHINE_SHRINK=1`` looks for the shortest walk that goes wrong, ``MACHINE_MISTAKES=all`` tries them all.
"""

from __future__ import annotations

import os
import secrets

import pytest
from hypothesis.errors import HypothesisException
from tests.machine.machine import FIND, SHORTEN, walk
from tests.machine.seeded import MISTAKES

FIRST_SEED, ROUNDS, STEPS = 1, 8, 50
MISTAKE_OF_EVERY_RUN = "a_revoked_token_is_accepted"
ROUNDS_UNTIL_SEEN = 25


def _first_seed() -> int:
    chosen = os.environ.get("MACHINE_SEED") or str(FIRST_SEED)
    return secrets.randbits(32) if chosen == "random" else int(chosen)


def test_a_vault_and_dictionaries_agree_whatever_happens() -> None:
    first, rounds = _first_seed(), int(os.environ.get("MACHINE_ROUNDS") or ROUNDS)
    steps = int(os.environ.get("MACHINE_STEPS") or STEPS)
    walk(range(first, first + rounds), steps, SHORTEN if os.environ.get("MACHINE_SHRINK") else FIND)


@pytest.mark.parametrize("name", MISTAKES if os.environ.get("MACHINE_MISTAKES") == "all" else [MISTAKE_OF_EVERY_RUN])
def test_a_mistake_of_the_vault_is_seen(name: str) -> None:
    with MISTAKES[name](), pytest.raises(BaseException) as seen:  # noqa: PT011 -- whatever it was that went wrong
        walk(range(FIRST_SEED, FIRST_SEED + ROUNDS_UNTIL_SEEN), STEPS, FIND)
    assert not seen.errisinstance((HypothesisException, KeyboardInterrupt)), seen.value
