"""Random identifiers in the form of a version 4 UUID, which is what clients expect of role IDs, secret IDs and accessors."""

from __future__ import annotations

from uuid import UUID

from strongroom.logical.ambient import Entropy


def new_uuid(entropy: Entropy) -> str:
    """122 random bits, as 36 characters."""
    return str(UUID(bytes=entropy.bytes(16), version=4))
