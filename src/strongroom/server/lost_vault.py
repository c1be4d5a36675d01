"""A store without a vault, where something outside of it remembers one: its disk is not mounted, or was emptied.

Whoever came first could make a vault of their own then, under the address that clients trust. So such a server does not start.
"""

from __future__ import annotations

import os

from strongroom.physical.store import Unavailable
from strongroom.server.config_values import ServerConfig, StorageType
from strongroom.system.integrity import holds_signed_checkpoint
from strongroom.system.node import Node

_REMEDY = (
    "Is its disk mounted? Put the data folder back, or restore a backup with 'strongroom operator restore'."
    " To begin a new vault, move that file away"
)


def refuse_lost_vault(node: Node, config: ServerConfig) -> None:
    """Raise Unavailable where the store holds no vault, but its anchor or the log of an audit device in the configuration tells of one."""
    # What lies in memory is gone after every end, and nothing else is expected of it.
    if config.storage.type is StorageType.MEMORY or node.lifecycle.rows() is not None:
        return
    if config.integrity_anchor and os.path.lexists(config.integrity_anchor):
        raise Unavailable(_lost(config, f"its anchor {config.integrity_anchor}"))
    for name, content in node.broker.tails().items():
        if holds_signed_checkpoint(content):
            raise Unavailable(_lost(config, f"the file of the audit device {name}/"))


def _lost(config: ServerConfig, proof: str) -> str:
    return f"the data folder {config.storage.path} holds no vault, but {proof} tells of one. {_REMEDY}"
