"""Opens what is packed: archives, compressed streams, documents, databases. Knows formats by their first bytes, writes nothing, and ends."""

from __future__ import annotations

from strongroom.scanner.containers.kinds import kind_of
from strongroom.scanner.containers.limits import Limits
from strongroom.scanner.containers.walk import expand, expand_file, expand_stream

__all__ = ["Limits", "expand", "expand_file", "expand_stream", "is_container"]


def is_container(head: bytes) -> bool:
    """Whether a file that begins with these bytes (4096, or all there are) would be opened."""
    return kind_of(head) is not None
