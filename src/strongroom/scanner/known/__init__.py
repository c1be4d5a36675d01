"""Asks whether what is scanned holds a secret of ours: tokens, their forms, and who knows their digests. Needs no server room.

A scan asks through `KnownValues`; a server answers with an `Answerer`.
"""

from __future__ import annotations

from strongroom.scanner.known.answering import Answerer
from strongroom.scanner.known.values import CannotAsk, Holder, KnownValues, Recognition

__all__ = ["Answerer", "CannotAsk", "Holder", "KnownValues", "Recognition"]
