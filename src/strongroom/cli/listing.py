"""The keys of a LIST answer, as ``list`` and ``kv list`` print them."""

from __future__ import annotations

from typing import Any

from strongroom.cli.errors import REMOTE, CommandFailed
from strongroom.cli.printer import warnings_text
from strongroom.cli.session import Session


def show_listing(session: Session, path: str, answer: dict[str, Any] | None) -> int:
    """Prints the keys of a LIST answer. Exit code 2 where there is nothing, in the words of Vault."""
    if answer and answer.get("wrap_info"):
        session.show(answer)
        return 0
    names = ((answer or {}).get("data") or {}).get("keys")
    if not session.printer.is_table and not isinstance(names, list):
        session.printer.data({})
        return REMOTE
    if answer is None:
        raise CommandFailed(f"No value found at {path}", REMOTE)
    if not answer.get("data"):
        session.note(warnings_text(answer))
        return 0
    if not isinstance(names, list) or not names:
        raise CommandFailed(f"No entries found at {path}", REMOTE)
    session.printer.listing(names)
    session.warn_of(answer)
    return 0
