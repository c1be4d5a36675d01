"""What to install where a part is missing: this command line is in two packages, and one of them has no server."""

from __future__ import annotations

import importlib.util


def how_to_install(extra: str) -> str:
    """The command that brings ``extra``: ``server``, ``scanner`` or ``offline``."""
    is_whole = extra == "server" or importlib.util.find_spec("strongroom.server") is not None
    return f"pip install '{'strongroom' if is_whole else 'strongroom-cli'}[{extra}]'"
