"""What the processes of one server have in common: memory that was there before they parted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from strongroom.http.visitors import Bounds, Visitors
from strongroom.logical.ambient import Entropy
from strongroom.quotas.counts import Counts
from strongroom.server.config_values import ServerConfig
from strongroom.server.process import allow_connections
from strongroom.telemetry.board import Board, Place

_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Commons:
    """Numbers that all of them see. ``place`` is where this one writes its own."""

    processes: int
    place: Place
    quota_counts: Counts
    visitors: Visitors

    def of_row(self, row: int) -> Commons:
        """The same, for the process that writes this row."""
        return replace(self, place=Place(self.place.board, row))


def new_commons(entropy: Entropy, bounds: Bounds | None = None, *, processes: int = 1) -> Commons:
    """The memory for so many processes, of which this is the first."""
    return Commons(
        processes,
        Place(Board(processes)),
        Counts(key=entropy.bytes(_KEY_BYTES), processes=processes),
        Visitors(bounds, key=entropy.bytes(_KEY_BYTES), processes=processes),
    )


def bounds_of(config: ServerConfig) -> Bounds:
    """The bounds that a configuration sets for all processes together, as far as the system allows this process so many connections.

    All of them may come to be in one process.
    """
    return Bounds(
        connections=allow_connections(config.max_connections),
        connections_per_address=config.max_connections_per_address,
    )


def shortage(config: ServerConfig, bounds: Bounds) -> str:
    """What to tell an operator where the system allows fewer connections than were asked for; empty where it does not."""
    if bounds.connections >= config.max_connections:
        return ""
    return (
        f"the limit of open files allows {bounds.connections} connections and not the {config.max_connections} of max_connections;"
        " start with LimitNOFILE=65536 (ulimit -Hn 65536)"
    )
