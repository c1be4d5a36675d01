"""What it takes to ask one provider: where, how the secret is shown, and how the answer is read.

A declaration is data with literal hosts and paths: nothing of what was found, but the secret itself in a header, is ever part of a
request. Each asks "who am I", and changes nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """What is known of a secret after its issuer was asked."""

    LIVE = "live"
    DEAD = "dead"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A state, and the reason in words, which hold neither the secret nor anything that the other side wrote."""

    state: State
    reason: str


Headers = tuple[tuple[str, str], ...]
Shows = Callable[[str], Headers]
"""How a secret is shown: the headers for it."""
Reads = Callable[[int, bytes], State]
"""How an answer is read: status and body, of which at most the first 64 KiB are there."""


def bearer(secret: str) -> Headers:
    """RFC 6750."""
    return (("Authorization", f"Bearer {secret}"),)


def basic(user: str) -> Shows:
    """RFC 7617, with the secret as the password of `user`."""
    return lambda secret: (("Authorization", "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()),)


def in_header(name: str, prefix: str = "") -> Shows:
    """In a header of the provider's own."""
    return lambda secret: ((name, prefix + secret),)


def by_status(status: int, _: bytes) -> State:
    """200 is a living secret, 401 a dead one; all else may be about the request, not the secret."""
    return {200: State.LIVE, 401: State.DEAD}.get(status, State.UNKNOWN)


def forbidden_is_dead(status: int, body: bytes) -> State:
    """As `by_status`, for those who answer 403 to a secret that they do not know."""
    return State.DEAD if status == 403 else by_status(status, body)


def forbidden_is_live(status: int, body: bytes) -> State:
    """As `by_status`, for those who answer 403 to a secret that they know and that may not do this."""
    return State.LIVE if status == 403 else by_status(status, body)


@dataclass(frozen=True, slots=True)
class Verifier:
    """How one provider is asked.

    `is_only_host` is False where the same secret may belong to another host of the kind (an instance of one's own, another region): then
    what this host does not know is not dead.
    """

    name: str
    host: str
    path: str
    shows: Shows = bearer
    reads: Reads = by_status
    method: str = "GET"
    body: bytes = b""
    headers: Headers = ()
    is_only_host: bool = True
