"""Acts on many tokens, a few to a commit: others are answered in between, and who is interrupted finds the rest undone and asks again."""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.system.unsealed import Unsealed

TOKENS_PER_STEP = 200
"""Some tens of milliseconds."""
STEPS_MAX = 1000
"""How many steps one request takes at most."""


def revoke_all(unsealed: Unsealed, token_ids: Sequence[str]) -> None:
    """Revoke tokens with their trees. Raises Conflict where somebody changed one meanwhile, and what the store raises; what was done is done."""
    for start in range(0, len(token_ids), TOKENS_PER_STEP):
        with unsealed.barrier.transaction() as transaction:
            for token_id in token_ids[start : start + TOKENS_PER_STEP]:
                unsealed.tokens.revoke_tree(transaction, token_id)
            if transaction.has_changes:
                unsealed.barrier.commit(transaction, is_urgent=True)


def tidy(unsealed: Unsealed) -> None:
    """Remove what expired, and what is left of revoked trees. Raises as :func:`revoke_all` does."""
    for _ in range(STEPS_MAX):
        with unsealed.barrier.transaction() as transaction:
            swept = unsealed.tokens.sweep(transaction, TOKENS_PER_STEP)
            swept += unsealed.tokens.clear(transaction, TOKENS_PER_STEP)
            if transaction.has_changes:
                unsealed.barrier.commit(transaction)
        if not swept:
            return
