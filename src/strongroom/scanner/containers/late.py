"""Functions of modules that are loaded when one of them is first called: most files are no containers, and most scans meet few kinds."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def late(module: str, name: str) -> Callable[..., Any]:
    """The function `name` of `module`."""
    loaded: list[Callable[..., Any]] = []

    def call(*given: Any) -> Any:
        if not loaded:
            loaded.append(getattr(import_module(module), name))
        return loaded[0](*given)

    return call
