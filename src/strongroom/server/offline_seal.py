"""Opening a seal without a server: with the key that the configuration names, or with shares that are asked for."""

from __future__ import annotations

from collections.abc import Callable

from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.shares import ShareCollector, decode_share, new_nonce
from strongroom.logical.ambient import Entropy
from strongroom.server.assemble import auto_seal
from strongroom.server.config_values import SealConfig

AskShare = Callable[[int, int], str]
"""Gives one share of the key, told which one of how many it is."""


def open_seal(config: SealConfig, threshold: int, ask: AskShare, entropy: Entropy) -> Seal:
    """The seal that the configuration names; ``threshold`` shares are asked for where people hold them.

    Raises InvalidRequest for what is no share, and Unavailable where the key cannot be read.
    """
    seal = auto_seal(config, entropy)
    if seal is not None:
        return seal
    needed = max(1, threshold)
    collector = ShareCollector(needed, new_nonce(entropy))
    for number in range(1, needed + 1):
        collector.submit(decode_share(ask(number, needed)))
    return ShamirSeal(collector.combine(), entropy)


def unseals_by_hand(config: SealConfig) -> bool:
    """Whether the configuration leaves the unsealing to people."""
    return config.current_key is None
