"""Asks whether what is scanned holds a secret of ours: tokens, their forms, and who knows their digests. Needs no server room.

A scan asks through `KnownValues`; a server answers with an `Answerer`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["Answerer", "CannotAsk", "Holder", "KnownValues", "Recognition"]


def __getattr__(name: str) -> Any:
    """Loaded when it is asked for: most scans ask nobody."""
    if name not in __all__:
        raise AttributeError(name)
    module = "strongroom.scanner.known.answering" if name == "Answerer" else "strongroom.scanner.known.values"
    return getattr(import_module(module), name)
