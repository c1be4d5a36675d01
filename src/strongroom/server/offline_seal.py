"""Opening a seal without a server: with the key that the configuration names, or with shares that are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from strongroom.barrier.seals import shamir
from strongroom.barrier.seals.seal import Seal
from strongroom.barrier.seals.shamir import ShamirSeal
from strongroom.barrier.shares import ShareCollector, decode_share, new_nonce
from strongroom.logical.ambient import Entropy
from strongroom.server.assemble import auto_seal
from strongroom.server.config_values import ServerConfig

AskShare = Callable[[int, int], str]
"""Gives one share of the key, told which one of how many it is."""


class StoredSeal(NamedTuple):
    """What a store or a backup says of its seal: its kind, how many shares it needs, and the root key as it wrapped it."""

    type: str
    threshold: int
    root_key: bytes


def open_seal(config: ServerConfig, stored: StoredSeal, ask: AskShare, entropy: Entropy) -> Seal:
    """The seal that ``stored`` needs: with shares that are asked for, or with one of the configured keys, before a migration the former.

    Raises InvalidRequest for what is no share, and Unavailable where the key cannot be read.
    """
    if stored.type != shamir.TYPE:
        configured = (auto_seal(one, entropy) for one in (config.leaving_seal, config.seal))
        seals = [seal for seal in configured if seal is not None]
        chosen = next((seal for seal in seals if seal.knows(stored.root_key)), seals[-1] if seals else None)
        for seal in seals:
            if seal is not chosen:
                seal.wipe()
        if chosen is not None:
            return chosen
    needed = max(1, stored.threshold)
    collector = ShareCollector(needed, new_nonce(entropy))
    for number in range(1, needed + 1):
        collector.submit(decode_share(ask(number, needed)))
    return ShamirSeal(collector.combine(), entropy)


def has_key_for(config: ServerConfig, stored_type: str) -> bool:
    """Whether the configuration names a key for a seal of this kind. Shares need none."""
    configured = (config.seal, config.leaving_seal)
    return stored_type == shamir.TYPE or any(one is not None and one.current_key is not None for one in configured)
